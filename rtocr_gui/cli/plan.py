"""`rtocr plan`: which visual tokens of one page are kept and which are merged.

Nothing is read: the page is encoded, and the plan is reported as lines, JSON or a picture. Knows no torch,
except to draw the mass received.
"""

import argparse
import sys
from pathlib import Path

from rtocr_gui.cli.outputs import write_output
from rtocr_gui.cli.pages import PAGE_ERRORS, EngineFactory, Reader, load_page, load_reader, open_asking
from rtocr_gui.cli.progress import Progress, printable
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.export.looks import Look
from rtocr_gui.export.overlay import draw_overlay
from rtocr_gui.export.plan_json import PlanSource, plan_json_text
from rtocr_gui.export.writing import write_picture_atomically
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, plan_pruning


def run(arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress) -> bool:
    """Plan one page and report the plan in the requested formats.

    Args:
        arguments: as returned by `arguments.parse_arguments`.
        engine_factory: makes the engine once the page is open.
        progress: receives progress, warnings and errors.

    Returns:
        True if the page could be planned.

    Raises:
        CheckpointError: the model cannot be loaded.
        ExportError: a file cannot be written.
    """
    path: Path = arguments.file
    name = str(path)
    try:
        with open_asking(path, arguments.password, progress) as document:
            name = f"{path}, page {arguments.page}"
            page = load_page(document, arguments)
        reader = load_reader(arguments, engine_factory, progress)
        progress.show(f"{name}: encode")
        encoded = reader.engine.encode(page, reader.scaling)
        plan = plan_pruning(encoded.layout, encoded.measures, PruneSettings(arguments.retention))
    except PAGE_ERRORS as error:
        progress.complain(f"{name}: {error}")
        return False
    progress.clear()
    if arguments.overlay is not None:
        look, transport = Look(arguments.look), None
        if look is Look.MASS:
            from rtocr_gui.pruning.transport import transport_of  # loads torch

            transport = transport_of(plan)
        write_picture_atomically(arguments.overlay, draw_overlay(page, plan, arguments.grid, look, transport))
    if arguments.json is not None:
        source = PlanSource(page.ref, reader.model.info.name, encoded.mode)
        write_output(arguments.json, plan_json_text(plan, source))
    if arguments.json is None and arguments.overlay is None:
        sys.stdout.write(_summary(page, reader, encoded.mode, plan))
    return True


def _summary(page: PageImage, reader: Reader, mode: Mode, plan: PrunePlan) -> str:
    """Summarise the plan in a few lines."""
    measures, layout = plan.measures, plan.layout
    grids = [f"{rows} x {columns}" for rows, columns in (layout.local_grid, layout.global_grid) if rows]
    how = (
        "automatic" if plan.automatic else f"as asked; automatic would be {measures.automatic_retention:.3f}"
    )
    return (
        f"{printable(page.ref.label)}, {reader.model.info.name}, mode {mode.value}\n"
        f"visual tokens    {len(plan.norms)} (grid {' + '.join(grids)})\n"
        f"retention ratio  {plan.retention:.3f} ({how})\n"
        f"text density     {measures.text_density:.3f}\n"
        f"dissimilarity    {measures.dissimilarity:.3f}\n"
        f"kept             {len(plan.kept)}\n"
        f"merged           {len(plan.merged)}\n"
        f"newlines dropped {len(plan.fallen_newlines)}\n"
        f"prefill          {len(plan.selected)} of {len(layout)} positions\n"
    )
