"""Defines and parses the command line: its options and their `--help`.

Everything here is quick to import, so that help and usage errors appear at once. Knows nothing about how
a command is carried out.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rtocr_gui.cli.outputs import named_outputs, share_a_file, stdout_is_wanted_twice
from rtocr_gui.cli.values import (
    ALL_PAGES,
    STDOUT,
    count_of,
    crop_area,
    csv_target,
    device_name,
    json_target,
    overlay_target,
    page_selection,
    pages_target,
    pages_together,
    path_name,
    resolution,
    retention_ratio,
    scan_path,
)
from rtocr_gui.documents.folders import scans_in
from rtocr_gui.documents.pages import ROTATIONS_DEG
from rtocr_gui.documents.truth import scan_it_is_named_for, scan_of_truth
from rtocr_gui.errors import DocumentError, SettingsError
from rtocr_gui.export.looks import Look
from rtocr_gui.export.text_formats import TextFormat, format_of
from rtocr_gui.export.writing import may_be_scan
from rtocr_gui.files import first_also_in, is_device, is_file, is_folder, is_there, named_files
from rtocr_gui.ocr.asking import ASKS, asked_task
from rtocr_gui.ocr.machine.spot import PRECISIONS
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.settings import LEAST_RETENTION
from rtocr_gui.tokens import FEWEST_TILES, MOST_TILES
from rtocr_gui.version import add_version

EXIT_CODES = """\
exit codes: 0 everything was read, 1 something could not be read or written, 2 wrong usage,
130 interrupted by Ctrl-C (what was read so far is written)"""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Parse a command line.

    Returns:
        `command` ("read", "plan", "curve", "bench" or "models") and the options of that command.

    Raises:
        SystemExit: 2 with a message on stderr for wrong usage, 0 after `--help` or `--version`.
    """
    parser = argparse.ArgumentParser(
        prog="rtocr",
        description="Read scanned pages with DeepSeek-OCR, keeping only the visual tokens that matter.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_read(
        commands.add_parser("read", help="read files and write their text as Markdown, plain text or PDF")
    )
    _add_plan(
        commands.add_parser("plan", help="show which visual tokens of a page are kept and which are merged")
    )
    _add_curve(commands.add_parser("curve", help="read a page at many ratios and show what its text loses"))
    bench = commands.add_parser("bench", help="measure the program on this machine")
    if argv and argv[0] == "bench":
        from rtocr_gui.cli.bench import promises

        promises.add_arguments(bench)
    models = commands.add_parser("models", help="list, download and check models")
    if argv and argv[0] == "models":
        from rtocr_gui.cli.models import add_arguments

        add_arguments(models)
    arguments, rest = parser.parse_known_args(argv)
    command = commands.choices[arguments.command]
    if arguments.command == "read":
        more, rest = _files_among(rest, command)
        arguments.files = [file for name in (*arguments.files, *more) for file in named_files(name)]
    if rest:
        command.error(f"unrecognized arguments: {' '.join(rest)}")
    if stdout_is_wanted_twice(arguments):
        command.error("only one thing can be written to stdout: name a file for the other")
    if arguments.command not in ("bench", "models"):
        _protect_inputs(command, arguments)
    if arguments.command == "read":
        is_pdf = format_of(Path(arguments.output)) is TextFormat.PDF
        if arguments.replace and not (is_pdf or is_folder(arguments.output)):
            command.error("--replace goes with -o FOLDER or -o FILE.pdf")
        if arguments.format and not is_folder(arguments.output):
            command.error("--format goes with -o FOLDER")
        _take_words(command, arguments)
    if arguments.command == "plan":
        _take_looks(command, arguments)
    return arguments


def _files_among(words: Sequence[str], command: argparse.ArgumentParser) -> tuple[list[Path], list[str]]:
    """Tell files from unknown options: after an option, argparse takes no more files."""
    end = words.index("--") if "--" in words else len(words)
    unknown = [word for word in words[:end] if word.startswith("-") and word != STDOUT]
    names = [*(word for word in words[:end] if word not in unknown), *words[end + 1 :]]
    try:
        return [scan_path(name) for name in names], unknown
    except argparse.ArgumentTypeError as error:
        command.error(f"argument FILE: {error}")


def _add_read(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=scan_path,
        help="pictures, PDFs and folders of them",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        type=pages_target,
        default=STDOUT,
        help="write to this file instead of stdout: plain text if its name ends in .txt, a PDF of the pages "
        "whose text can be searched if it ends in .pdf, otherwise Markdown; in a folder, to a file for "
        "each scan",
    )
    parser.add_argument(
        "--format",
        choices=[kind.value.removeprefix(".") for kind in TextFormat],
        help="what the files in a folder are: Markdown, plain text or searchable PDFs (md)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace files that exist: in the folder, or the PDF"
    )
    parser.add_argument(
        "--pages", type=page_selection, default=ALL_PAGES, metavar="1-3,5", help="pages of each file (all)"
    )
    parser.add_argument(
        "--split",
        choices=("left-right", "top-bottom"),
        help="read each page in two halves: the left and the right page of an open book, or top and bottom, "
        "which shows small print larger",
    )
    parser.add_argument(
        "--tables",
        choices=("html", "pipe"),
        default="html",
        help="how tables are written: as the model writes them, or with pipes where possible (html)",
    )
    parser.add_argument(
        "--join-lines",
        action="store_true",
        help="make one line of each paragraph, where the model reads line by line",
    )
    parser.add_argument(
        "--together",
        type=pages_together,
        default="auto",
        metavar="N",
        help="pages to read at a time, or auto for the number that suits the device (auto)",
    )
    add_task(parser, further=[ask.name for ask in ASKS])
    parser.add_argument(
        "--words",
        metavar="TEXT",
        help="for task locate, what to find on the page; for task own, what to ask about it",
    )
    _add_retention(parser)
    _add_common(parser)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    _add_page(parser)
    parser.add_argument(
        "--overlay", type=overlay_target, metavar="PNG", help="write a picture of the page and its tokens"
    )
    parser.add_argument(
        "--look",
        choices=[look.value for look in Look],
        help="what the overlay shows: merged cells veiled, or a map of norms, masses or densities (kept)",
    )
    parser.add_argument(
        "--grid",
        choices=("local", "global"),
        help="which of the two grids of gundam mode the overlay shows (local)",
    )
    parser.add_argument(
        "--json",
        nargs="?",
        const=STDOUT,
        type=json_target,
        metavar="FILE",
        help="write the plan as JSON, to stdout if no file is given",
    )
    _add_retention(parser)
    _add_common(parser)


def _add_curve(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Read one page with all visual tokens, at automatic retention and at seven ratios below. For each,\n"
        "print how similar its text is to that of all tokens, how far it is from the true text, and its cost."
    )
    _add_page(parser)
    parser.add_argument(
        "--truth",
        type=path_name,
        metavar="FILE",
        help="true text of the page (NAME.md or NAME.txt beside it; for one of several pages NAME-pageN.md; "
        "else the text of a PDF that was not scanned)",
    )
    parser.add_argument(
        "--json",
        type=json_target,
        metavar="FILE",
        help="write the points as JSON; - writes to stdout instead of the table",
    )
    parser.add_argument(
        "--csv", type=csv_target, metavar="FILE", help="write them as CSV; - writes to stdout"
    )
    add_task(parser)
    _add_common(parser)


def _add_page(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=scan_path, help="a picture or a PDF")
    parser.add_argument(
        "--page", type=count_of("a page number"), default=1, metavar="N", help="page of the file (1)"
    )
    parser.add_argument(
        "--half",
        choices=("left", "right", "top", "bottom"),
        help="only this half of the page, once it is rotated and cropped, as read --split cuts it",
    )


def add_task(parser: argparse.ArgumentParser, further: Sequence[str] = ()) -> None:
    """Declare the option for what to ask the model, with the names of further tasks."""
    parser.add_argument(
        "--task",
        choices=[*(task.name for task in TASKS), *further],
        help="what to ask for (the model's default)",
    )


def _add_retention(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--retention",
        type=retention_ratio,
        default="auto",
        metavar="RATIO",
        help=f"share of visual tokens to keep, {LEAST_RETENTION} to 1, or auto to let the page decide (auto)",
    )


def add_scaling(parser: argparse.ArgumentParser, default: str | None, default_help: str) -> None:
    """Declare the options for scaling pages.

    Args:
        parser: the parser of the command.
        default: name of a mode, "auto", or None for the model's first mode.
        default_help: how the help describes the default.
    """
    parser.add_argument(
        "--mode",
        choices=["auto", *(mode.value for mode in Mode)],
        default=default,
        help="how pages are scaled; auto picks for each page the smallest mode in which its print is tall "
        f"enough to read ({default_help})",
    )
    parser.add_argument(
        "--most-tiles",
        type=count_of("a number of tiles", FEWEST_TILES, MOST_TILES),
        default=MOST_TILES,
        metavar="N",
        help=f"most tiles of a page in gundam mode, {FEWEST_TILES} to {MOST_TILES}; fewer take less memory, "
        f"but show small print smaller ({MOST_TILES})",
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_scaling(parser, "auto", "auto")
    parser.add_argument("--dpi", type=resolution, default="200", help="resolution for PDF pages (200)")
    parser.add_argument(
        "--rotate",
        type=int,
        choices=ROTATIONS_DEG,
        default=0,
        metavar="DEGREES",
        help="rotate pages clockwise by 90, 180 or 270 degrees (0)",
    )
    parser.add_argument(
        "--crop",
        type=crop_area,
        metavar="L,T,R,B",
        help="only a part of each page, once it is rotated: left, upper, right and lower edge in percent",
    )
    parser.add_argument(
        "--password",
        metavar="TEXT",
        help="password of an encrypted PDF; other users may see it, so it is safer to type it when asked",
    )
    add_model(parser)
    add_quiet(parser)
    parser.epilog = EXIT_CODES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the options for the model and where it runs."""
    parser.add_argument(
        "--model", metavar="DIR", type=path_name, help="model folder (the miniature that comes with RTOCR)"
    )
    add_place(parser)
    parser.add_argument(
        "--anyway", action="store_true", help="load the model even if it does not seem to fit into memory"
    )


def add_place(parser: argparse.ArgumentParser) -> None:
    """Declare the options for where and how a model runs."""
    parser.add_argument(
        "--device",
        type=device_name,
        default="auto",
        metavar="DEVICE",
        help="auto, cpu, cuda, cuda:1, mps (auto)",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="precision of the computation (what suits the device)",
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Declare the option that turns progress off."""
    parser.add_argument("-q", "--quiet", action="store_true", help="only warnings and errors on stderr")


def _take_looks(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Set what an overlay shows, where nothing was chosen."""
    for name, usual in (("look", Look.KEPT.value), ("grid", "local")):
        if getattr(arguments, name) is None:
            setattr(arguments, name, usual)
        elif arguments.overlay is None:
            parser.error(f"--{name} goes with --overlay PNG")


def _take_words(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Set `asked` to the task made from the given words, or to None if the task takes no words."""
    arguments.asked = None
    ask = next((ask for ask in ASKS if ask.name == arguments.task), None)
    if ask is None:
        if arguments.words is not None:
            tasks = " or ".join(f"--task {ask.name}" for ask in ASKS)
            parser.error(f"--words goes with {tasks}")
        return
    if arguments.words is None:
        parser.error(f'--task {ask.name} needs --words "..."')
    try:
        arguments.asked = asked_task(ask, arguments.words)
    except SettingsError as error:
        parser.error(f"--words: {error}")


def _scans_at(path: Path) -> tuple[Path, ...]:
    """Return the scans in a folder, or the file itself; the folder if it has none, as is told later."""
    if not is_folder(path):
        return (path,)
    try:
        return scans_in(path) or (path,)
    except DocumentError:
        return (path,)


def _protect_inputs(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuse to overwrite a scan or its true text, or to write two outputs to one file."""
    options, outputs = vars(arguments), named_outputs(arguments)
    if not outputs:
        return
    inputs = [scan for path in options.get("files") or [arguments.file] for scan in _scans_at(path)]
    if options.get("truth") is not None:
        inputs.append(arguments.truth)
    if (path := first_also_in(outputs, inputs)) is not None:
        parser.error(f"“{path}” is an input and is not overwritten")
    for output in outputs:
        if (scan := scan_of_truth(output, inputs)) is not None:
            parser.error(f"“{output}” may hold the true text of “{scan}” and is not overwritten")
    if arguments.command == "read":
        _protect_others(parser, outputs[0], inputs, arguments.replace)
    overlay = options.get("overlay")
    if overlay is not None and is_file(overlay) and may_be_scan(overlay):
        parser.error(f"“{overlay}” may be a scan and is not overwritten")
    if share_a_file(outputs):
        parser.error("each output needs a file of its own")


def _protect_others(
    parser: argparse.ArgumentParser, output: Path, scans: Sequence[Path], replace: bool
) -> None:
    """Refuse to write text under a name by which it would be taken for true, or over a PDF."""
    kind = format_of(output)
    if kind is TextFormat.PLAIN_TEXT and (scan := scan_it_is_named_for(output, scans)) is not None:
        parser.error(f"“{output}” is named as the true text of “{scan}”: choose another name or folder")
    may_be_there = replace or is_folder(output) or is_device(output)
    if kind is TextFormat.PDF and is_there(output) and not may_be_there:
        parser.error(f"“{output}” already exists: choose another name, or give --replace")
