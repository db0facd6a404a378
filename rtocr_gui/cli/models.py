"""`rtocr models`: lists models, downloads the published one, checks a folder, and judges whether it fits.

Contacts a server only to download; a download resumes where an earlier one ended. Knows no torch.
"""

import argparse
import contextlib
import threading
from pathlib import Path

from rtocr_gui.cli.arguments import add_place, add_quiet
from rtocr_gui.cli.pages import EngineFactory
from rtocr_gui.cli.progress import Progress, printable
from rtocr_gui.cli.values import path_name
from rtocr_gui.errors import SettingsError
from rtocr_gui.files import is_same_path
from rtocr_gui.ocr.library.download_progress import DownloadStage
from rtocr_gui.ocr.library.library import ModelEntry, Origin, check_model, list_models, look_into, verdict
from rtocr_gui.ocr.library.model_source import (
    EXPECTED_BYTES,
    LICENCE,
    PUBLISHER,
    ModelSource,
    default_cache,
    published_folder_in,
)
from rtocr_gui.ocr.memory.fit import DoesNotFit
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.reading import Mode, Scaling
from rtocr_gui.resources import resource_path
from rtocr_gui.settings import load_settings, settings_path
from rtocr_gui.units import size_in_words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and options of `rtocr models`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="list the models on this computer (the default)")
    download = actions.add_parser(
        "download",
        help=f"download DeepSeek-OCR ({EXPECTED_BYTES / 1e9:.1f} GB, {LICENCE} licence, by {PUBLISHER})",
        epilog="Ctrl-C stops it; the same command resumes it. Proxies: HTTPS_PROXY. Certificates: "
        "SSL_CERT_FILE.",
    )
    download.add_argument(
        "--endpoint",
        metavar="URL",
        default="",
        help="server to download from (HF_ENDPOINT, else https://huggingface.co)",
    )
    download.add_argument(
        "--folder",
        metavar="DIR",
        type=path_name,
        help="folder for the model (the shared Hugging Face cache: HF_HUB_CACHE, HF_HOME)",
    )
    add_quiet(download)
    check = actions.add_parser("check", help="check a model folder, and every byte of a downloaded one")
    check.add_argument("folder", metavar="FOLDER", type=path_name)
    add_quiet(check)
    fit = actions.add_parser(
        "fit", help="show how much memory a model needs in each mode, and how much is free"
    )
    fit.add_argument("folder", metavar="FOLDER", type=path_name)
    add_place(fit)


def run(arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress) -> bool:
    """Carry out an action.

    Args:
        arguments: `action` and its options.
        engine_factory: makes an engine to judge the fit; no model is loaded.
        progress: receives progress and errors.

    Returns:
        True on success; False if a model does not fit.

    Raises:
        RtocrError: a model cannot be downloaded or used.
        KeyboardInterrupt: after Ctrl-C; what was downloaded is kept.
    """
    if arguments.action == "download":
        _download(ModelSource.published(arguments.endpoint), arguments.folder, progress)
    elif arguments.action == "check":
        _check(arguments.folder, progress)
    elif arguments.action == "fit":
        return _judge(arguments, engine_factory())
    else:
        print("\n\n".join(map(_described, list_models(resource_path("miniature"), _named_folders(progress)))))
    return True


def _named_folders(progress: Progress) -> tuple[Path, ...]:
    """Return the folders that the user added in the window; none if the settings cannot be read."""
    try:
        return load_settings(settings_path()).named_folders
    except SettingsError as error:
        progress.complain(str(error))
        return ()


def _download(source: ModelSource, folder: Path | None, progress: Progress) -> None:
    from rtocr_gui.ocr.library.download import download_model  # imports the hub's library

    target = folder or published_folder_in(default_cache())
    progress.say(f"DeepSeek-OCR from {source.host} to {target}")
    steps = download_model(source, target, threading.Event())
    try:
        with contextlib.closing(steps):
            for step in steps:
                if step.stage is DownloadStage.WAIT:
                    progress.say(step.note)
                else:
                    progress.update(f"{step}   {step.file}")
    except KeyboardInterrupt:
        progress.say("What was downloaded is kept: the same command resumes the download.")
        raise
    progress.clear()
    print(_described(look_into(target)))


def _check(folder: Path, progress: Progress) -> None:
    for step in check_model(folder, threading.Event()):
        progress.update(f"{step}   {step.file}")
    progress.clear()
    is_bundled = is_same_path(folder, resource_path("miniature"))
    print(_described(look_into(folder, Origin.BUNDLED if is_bundled else Origin.OWN)))
    print(verdict(step))


def _judge(arguments: argparse.Namespace, engine: PageEngine) -> bool:
    """Print what each mode needs and what is free; False if the first mode does not fit."""
    info = inspect_checkpoint(arguments.folder)
    fits = [
        engine.fit(arguments.folder, arguments.device, arguments.precision, Scaling(mode))
        for mode in Mode
        if mode in info.modes
    ]
    spot = fits[0].spot
    free = size_in_words(spot.free_bytes)
    print(f"{printable(info.name)} on {spot.name} in {spot.precision}: {free} of memory is free.")
    for each in fits:
        word = "fits" if each.fits else "does not fit"
        print(f"  {each.scaling.label:8} {size_in_words(each.need.total):>8}  {word}")
    if not fits[0].fits:
        print(printable(str(DoesNotFit(fits[0]))))
    return fits[0].fits


def _described(entry: ModelEntry) -> str:
    """Describe a model in a few lines."""
    lines = [entry.name, f"  {entry.folder}", f"  {entry.source}"]
    if entry.weights:
        lines.append(f"  {entry.weights}")
    lines.append(f"  reads {entry.reads}" if entry.is_usable else f"  cannot be used: {entry.problem}")
    return "\n".join(map(printable, lines))
