"""Writes what can be seen of a page's tuning to files, and says what became of each.

Pictures are drawn off the main thread. Knows formats by name only: what is in them is `export`'s.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.errors import ExportError
from rtocr_gui.export.curve import CurveSource, export_curve
from rtocr_gui.export.looks import Look
from rtocr_gui.export.plan_json import plan_as_json
from rtocr_gui.export.writing import write_bytes_atomically, write_text_atomically
from rtocr_gui.ocr.curve import CurvePoint
from rtocr_gui.pruning.plan import PrunePlan, Transport
from rtocr_gui.tokens import GridName
from rtocr_gui.ui.engine_bridge import EngineBridge
from rtocr_gui.ui.notices import Notice
from rtocr_gui.ui.replies import PageExported, RequestFailed
from rtocr_gui.units import counted


@dataclass(frozen=True, eq=False, slots=True)
class OverlayDrawing:
    """What to draw over a page.

    Attributes:
        plan: whose tokens.
        transport: of this plan; None where it was not solved yet.
        look: what to show of them.
        grid: which of them, of a page with tiles.
        opacity: how much of the page is covered, in 0..1.
    """

    plan: PrunePlan
    transport: Transport | None
    look: Look
    grid: GridName
    opacity: float


class Exporter(QObject):
    """Writes files.

    Signals:
        told (Notice): what was written, or why it was not.

    Args:
        bridge: gives the page to draw over.
        parent: Qt parent.
    """

    told = Signal(object)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._drawing: dict[int, Path] = {}
        bridge.page_exported.connect(self._tell_drawn)
        bridge.request_failed.connect(self._report)

    @property
    def is_exporting(self) -> bool:
        """True while a page is being drawn."""
        return bool(self._drawing)

    def export_overlay(self, ref: PageRef, drawing: OverlayDrawing, path: Path) -> None:
        """Draw a page with its overlay into a PNG file."""
        self._drawing[self._bridge.export_page(ref, lambda page: _draw(page, drawing, path))] = path

    def export_plan(self, plan: PrunePlan, path: Path) -> None:
        """Write what becomes of each token as JSON."""
        try:
            write_text_atomically(path, json.dumps(plan_as_json(plan), indent=1) + "\n")
        except ExportError as error:
            self.told.emit(Notice(str(error)))
        else:
            self.told.emit(Notice(f"Exported the plan to {path}.", is_passing=True))

    def export_curve(self, points: Sequence[CurvePoint], source: CurveSource, path: Path) -> None:
        """Write a retention curve as CSV or JSON."""
        try:
            export_curve(points, source, path)
        except ExportError as error:
            self.told.emit(Notice(str(error)))
        else:
            counted_points = counted(len(points), "point")
            self.told.emit(Notice(f"Exported {counted_points} of the curve to {path}.", is_passing=True))

    @Slot(object)
    def _tell_drawn(self, reply: PageExported) -> None:
        path = self._drawing.pop(reply.request_id, None)
        if path is not None:
            self.told.emit(Notice(f"Exported the overlay to {path}.", is_passing=True))

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if self._drawing.pop(failure.request_id, None) is not None:
            self.told.emit(Notice(failure.sentence))


def _draw(page: PageImage, drawing: OverlayDrawing, path: Path) -> None:
    """Runs off the main thread."""
    from rtocr_gui.export.overlay import draw_overlay

    transport = drawing.transport
    if drawing.look is Look.MASS and transport is None:
        from rtocr_gui.pruning.transport import transport_of  # brings torch

        transport = transport_of(drawing.plan)
    stream = io.BytesIO()
    picture = draw_overlay(page, drawing.plan, drawing.grid, drawing.look, transport, drawing.opacity)
    picture.save(stream, "PNG")
    write_bytes_atomically(path, stream.getvalue())
