"""Steps shared by the commands: opening files, asking for passwords, loading the model.

Knows no output format, and imports torch only when an engine is made.
"""

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rtocr_gui.cli.progress import Progress, printable
from rtocr_gui.documents.loading import Document, open_document
from rtocr_gui.documents.pages import Half, PageImage
from rtocr_gui.errors import DocumentError, PasswordRequired, PruningError, ReadingError
from rtocr_gui.ocr.asking import ASKS
from rtocr_gui.ocr.model.model_info import LoadedModel, ModelInfo
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.reading import TASKS, Mode, Scaling, Task
from rtocr_gui.resources import resource_path

PASSWORD_ATTEMPTS = 3

PAGE_ERRORS = (DocumentError, ReadingError, PruningError)
"""Errors that affect one page or file and leave the others readable."""


EngineFactory = Callable[[], PageEngine]


@dataclass(frozen=True, slots=True)
class Reader:
    """A loaded model, and the mode it is used in."""

    engine: PageEngine
    model: LoadedModel
    scaling: Scaling


def load_reader(arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress) -> Reader:
    """Load the requested model; this takes seconds.

    Args:
        arguments: `model`, `device`, `precision`, `anyway` to load it even if memory may not suffice,
            `most_tiles`, and `mode`, which may be "auto", or None for the model's first mode.
        engine_factory: makes the engine.
        progress: receives which model is used, and a warning if it was not made for the mode.

    Raises:
        CheckpointError: the model cannot be loaded.
    """
    progress.show("Loading the model …")
    folder: Path = arguments.model or resource_path("miniature")
    engine = engine_factory()
    wanted = Mode(arguments.mode) if arguments.mode not in (None, "auto") else None
    scaling = Scaling(wanted, arguments.most_tiles)
    model = engine.load(folder, arguments.device, arguments.precision, scaling, arguments.anyway)
    info = model.info
    loaded = f"{info.name} on {model.device} ({model.dtype}, loaded in {model.load_ms / 1000:.1f} s)."
    progress.say(" ".join(filter(None, (loaded, model.why, info.description))))
    if wanted is not None:
        warn_if_unsuited(
            progress, info, f"mode {wanted.value}", [f"mode {mode.value}" for mode in info.modes]
        )
    if arguments.mode is None:
        scaling = replace(scaling, mode=info.modes[0])
    return Reader(engine, model, scaling)


def choose_task(arguments: argparse.Namespace, info: ModelInfo, progress: Progress) -> Task:
    """Return the requested task, or the model's first one.

    Args:
        arguments: `task`, a name or None, and optionally `asked`, a task in the user's own words.
        info: description of the loaded model.
        progress: receives a warning if the model was not made for the task.
    """
    asked: Task | None = vars(arguments).get("asked")
    wanted = arguments.task or info.tasks[0].name
    made_for = [*info.tasks, *(ASKS if info.takes_words else ())]
    warn_if_unsuited(progress, info, f"task {wanted}", [f"task {task.name}" for task in made_for])
    return asked or next(task for task in (*info.tasks, *TASKS) if task.name == wanted)


def warn_if_unsuited(progress: Progress, info: ModelInfo, wanted: str, made_for: Sequence[str]) -> None:
    """Warn if a model is used for something it was not made for."""
    if wanted not in made_for:
        progress.complain(
            f"warning: {info.name} was made for {', '.join(made_for)}, not for {wanted}. "
            "The result may be wrong."
        )


def open_asking(path: Path, password: str | None, progress: Progress) -> Document:
    """Open a file, asking at the terminal for a password, in place of progress, if one is needed.

    Raises:
        PasswordRequired: there is no terminal, nothing was typed, or the password was wrong too often.
        DocumentError: the file cannot be opened.
    """
    attempts = PASSWORD_ATTEMPTS if sys.stdin.isatty() and sys.stderr.isatty() else 0
    while True:
        try:
            return open_document(path, password)
        except PasswordRequired as error:
            if attempts == 0 and not password:
                raise PasswordRequired("The file is encrypted. Give its password with --password.") from error
            if attempts == 0:
                raise
            attempts -= 1
            progress.clear()
            password = _ask_password(f"{printable(path.name)}: {error} Password: ")
            if not password:
                raise


def load_page(document: Document, arguments: argparse.Namespace) -> PageImage:
    """Render the page, or the part of it, that was asked for.

    Args:
        document: the open file.
        arguments: `page` from 1, `dpi`, `rotate`, and what to cut the rotated page to: first `crop`, then
            `half`, each None for nothing.

    Raises:
        DocumentError: there is no such page, or it cannot be rendered.
    """
    half = None if arguments.half is None else Half(arguments.half)
    cuts = tuple(cut.rotated(-arguments.rotate) for cut in (arguments.crop, half) if cut is not None)
    return document.load_page(arguments.page - 1, arguments.dpi, arguments.rotate, cuts)


def _ask_password(prompt: str) -> str:
    """Read a password from the terminal without echo; empty at the end of input (Ctrl-D)."""
    try:
        return getpass.getpass(prompt)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise
    except EOFError:
        sys.stderr.write("\n")
        return ""
