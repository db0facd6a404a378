"""`rtocr bench decoding`: times each stage of a reading on this machine, and compares decoding with stock.

Reads the sample letter with one model and prints a table. Imports torch only to measure.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rtocr_gui.cli.arguments import add_model, add_quiet
from rtocr_gui.cli.columns import aligned
from rtocr_gui.cli.outputs import takes_stdout, write_output
from rtocr_gui.cli.progress import Progress
from rtocr_gui.cli.values import count_of, json_target
from rtocr_gui.documents.loading import open_document
from rtocr_gui.ocr.machine.hub_variables import check_hub_variables
from rtocr_gui.ocr.machine.threads import wait_without_spinning
from rtocr_gui.ocr.reading import TASKS, Mode, Scaling
from rtocr_gui.resources import resource_path

DEFAULT_TOKENS = 100
"""Too few to count as a loop, so that even output that repeats itself is decoded to the end."""

MOST_TOKENS = 8192
MOST_ROUNDS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `rtocr bench decoding`."""
    parser.description = (
        "Measure encoding, pruning, prefill and decoding of a page with one model: decoding by RTOCR, with "
        "and without guesses, beside stock transformers and a bare loop. All are measured in turn, and "
        "medians are reported."
    )
    add_model(parser)
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        help="how the page is scaled (the model's default)",
    )
    parser.add_argument(
        "--tokens",
        type=count_of("a number", 2, MOST_TOKENS),
        default=DEFAULT_TOKENS,
        metavar="N",
        help=f"tokens to decode ({DEFAULT_TOKENS}); the text continues past its end",
    )
    parser.add_argument(
        "--rounds",
        type=count_of("a number", 1, MOST_ROUNDS),
        default=5,
        metavar="N",
        help="rounds to measure (5)",
    )
    parser.add_argument(
        "--threads", type=count_of("a number", 1, 1024), metavar="N", help="CPU threads (all)"
    )
    parser.add_argument(
        "--json",
        type=json_target,
        default=argparse.SUPPRESS,  # `bench --json FILE decoding` has set it already
        metavar="FILE",
        help="write the figures; - writes to stdout instead of the table",
    )
    add_quiet(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> None:
    """Measure, print the table, and write the JSON if requested.

    Args:
        arguments: as declared by `add_arguments`.
        progress: receives progress and errors.

    Raises:
        CheckpointError: the model cannot be loaded, or would not fit into memory.
        SettingsError: the device or precision does not exist, the page does not fit into the model, or the
            environment does not let transformers be imported.
        ExportError: the file cannot be written.
    """
    check_hub_variables()
    wait_without_spinning()
    import torch

    from rtocr_gui.cli.bench.decoding_probe import DecodingProbe, Wanted, describe_machine
    from rtocr_gui.ocr.engine import Engine
    from rtocr_gui.ocr.model.folder import inspect_checkpoint

    folder: Path = arguments.model or resource_path("miniature")
    progress.show("Loading the model …")
    mode = Mode(arguments.mode) if arguments.mode else inspect_checkpoint(folder).modes[0]
    engine = Engine(arguments.threads)
    loaded = engine.load(folder, arguments.device, arguments.precision, Scaling(mode), arguments.anyway)
    checkpoint, info = engine.checkpoint, loaded.info
    task = next(task for task in (*info.tasks, *TASKS) if not task.asks_for_places)
    wanted = Wanted(mode, task, arguments.tokens, arguments.rounds, torch.get_num_threads())
    with open_document(resource_path("samples/letter.png")) as document:
        page = document.load_page(0)
    probe = DecodingProbe(checkpoint, page, wanted)
    text_config: Any = checkpoint.model.config.text_config
    figures = {
        "machine": describe_machine(
            torch.device(loaded.device), wanted, checkpoint.architecture.decoder.width
        ),
        "model": {
            "name": info.name,
            "parameters": info.parameter_count,
            "precision": loaded.dtype,
            "experts": text_config._experts_implementation,
        },
        **probe.measure(progress.show),
    }
    progress.clear()
    if not takes_stdout(arguments):
        print(format_table(figures))
    if arguments.json is not None:
        write_output(arguments.json, json.dumps(figures, indent=2) + "\n")


def format_table(figures: dict[str, Any]) -> str:
    """Format the figures as a human-readable table.

    Args:
        figures: as returned by `DecodingProbe.measure`, with `machine` and `model`.

    Returns:
        The table as text.
    """
    machine, model, prune = figures["machine"], figures["model"], figures["prune"]
    waits = prune["synchronisations"]
    waited = "" if waits is None else f", waiting for the device {waits} ×"
    blocks = [
        [
            f"{model['name']}, {model['parameters'] / 1e6:.1f} million weights in {model['precision']}, "
            f"experts {model['experts']}",
            f"{machine['accelerator'] or machine['processor']}, {machine['cores']} cores, "
            f"{machine['threads']['encoding']} of them used ({machine['threads']['decoding']} to decode), "
            f"torch {machine['torch']}, transformers {machine['transformers']}",
            f"the sample letter in {figures['mode']} mode, {figures['tokens']} tokens, medians of "
            f"{figures['rounds']} rounds",
        ],
        [f"encode {figures['encode_ms']:.0f} ms, prune {prune['ms']:.1f} ms{waited}"],
        aligned(
            [
                ["prefill", "tokens", "ms", "as fast as all"],
                *(
                    [
                        f"{100 * row['retention']:g} %",
                        str(row["prompt_tokens"]),
                        f"{row['ms']:.1f}",
                        f"{row['speed_up']:.2f} ×",
                    ]
                    for row in figures["prefill"]
                ),
            ]
        ),
        aligned(
            [
                ["decode", "batch", "ms a token", "tokens/s", "bare", "stock", "passes", "like bare"],
                *(
                    [
                        row["way"],
                        str(row["batch"]),
                        f"{row['ms_per_token']:.2f}",
                        f"{row['tokens_per_second']:.1f}",
                        f"{row['times_bare']:.2f} ×",
                        f"{row['times_stock']:.2f} ×",
                        str(row["passes"]),
                        f"{row['tokens_like_bare']} of {row['tokens']}",
                    ]
                    for row in figures["decode"]
                ),
            ]
        ),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks)
