"""Builds the program and runs it: engine, session and window are made and wired to the system here.

The window is shown before torch is imported. Unexpected errors are caught here, logged, and
reported in the window.
"""

import argparse
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QImage

from rtocr_gui.documents.decoders import DECODERS
from rtocr_gui.errors import SettingsError
from rtocr_gui.files import FOLDER_GONE, has_current_folder, is_there, named_files
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.resources import resource_path
from rtocr_gui.settings import Settings, settings_path
from rtocr_gui.ui.application import Application
from rtocr_gui.ui.background.engine_bridge import NOT_SAVED, EngineBridge
from rtocr_gui.ui.background.engine_start import make_engine
from rtocr_gui.ui.background.errors_in_words import unexpected
from rtocr_gui.ui.dialogs.models_opener import ModelsOpener
from rtocr_gui.ui.end_signals import EndSignals
from rtocr_gui.ui.garbage import MainThreadGarbage
from rtocr_gui.ui.parts.icons import app_icon
from rtocr_gui.ui.picture_folder import PictureFolder
from rtocr_gui.ui.state.notices import about_left_behind, about_retention
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.settings_keeper import SettingsKeeper
from rtocr_gui.ui.state.unsaved_text_keeper import UnsavedTextKeeper, take_left_behind
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.version import add_version

CLOSE_TIMEOUT_S = 1.5
"""How long closing waits for a running decode step."""

WRITING_TIMEOUT_S = 10
"""How long closing waits for an export that is being written: a disk may be slow, but should not hang."""

LOG_BYTES = 1 << 20
"""Size at which a new log file is begun; the previous one is kept beside it."""

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")

_WITHOUT_WINDOW = "To read without one: rtocr read FILE"


class Program:
    """The program as a person meets it: session, lanes and window. Needs what `make_application` makes.

    Args:
        settings: what is remembered from the last session.
        engine_factory: makes the engine, on the model lane; None for the real one.

    Attributes:
        pictures: where pictures without a file are kept.
        bridge: answers the slow requests.
        session: what is open and what the person wants.
        window: the one window.
        models: opens the window of models.
    """

    def __init__(self, settings: Settings, engine_factory: Callable[[], PageEngine] | None = None) -> None:
        DECODERS.prepare()
        bundled = resource_path("miniature")
        self.pictures = PictureFolder()
        self.bridge = EngineBridge(engine_factory or make_engine)
        self.session = Session(self.bridge, settings, bundled)
        self.window = MainWindow(self.session)
        self.window.arrivals.picture_came.connect(self._open_picture)
        self.window.samples_requested.connect(lambda: self.session.open_samples(sample_pages()))
        self.models = ModelsOpener(self.session, bundled, self.window)
        self.window.models_requested.connect(self.models.open)
        self.models.notice_raised.connect(self.window.notice_bar.add)

    def start(self, files: Sequence[Path]) -> None:
        """Show the window, open files (none: the samples), and load the model behind the window."""
        retention = self.session.choices.settings.retention
        if retention is not None:
            self.window.notice_bar.add(about_retention(retention))
        self.window.show()
        self.window.page_list.setFocus()  # not on a notice, which the first key would dismiss
        if files:
            self.session.open_files(files)
        else:
            self.session.open_samples(sample_pages())
        QTimer.singleShot(0, self.session.models.load)

    def _open_picture(self, picture: QImage) -> None:
        """Open a picture that has no file."""
        try:
            path = self.pictures.next_path()
        except OSError:
            self.window.notice_bar.add_problem(NOT_SAVED)
        else:
            self.session.open_picture(picture, path)


def make_application() -> Application:
    """Make what a `Program` needs; from now on garbage is collected on the main thread only.

    Where no window can be opened, ends the process with a sentence: Qt would abort it.
    """
    former = qInstallMessageHandler(_tell_why_there_is_no_window)
    application = Application(sys.argv[:1])
    qInstallMessageHandler(former)
    application.setApplicationName("RTOCR")
    application.setDesktopFileName("rtocr")
    application.setWindowIcon(app_icon())
    MainThreadGarbage(application)
    return application


def _tell_why_there_is_no_window(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    if sys.stderr is not None:
        fatal = f"No window can be opened on this display. {_WITHOUT_WINDOW}"
        sys.stderr.write(f"{fatal if kind is QtMsgType.QtFatalMsg else message}\n")
        sys.stderr.flush()
    if kind is QtMsgType.QtFatalMsg:
        os._exit(1)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window until it is closed.

    Args:
        argv: files to open; none opens the sample pages.

    Returns:
        The exit code.
    """
    arguments = _parse(argv)
    if sys.platform == "linux" and not any(map(os.environ.get, _DISPLAYS)):
        sys.exit(f"There is no display to open a window on. {_WITHOUT_WINDOW}")
    if not has_current_folder():
        sys.exit(FOLDER_GONE)
    application = make_application()
    try:
        path = settings_path()
    except SettingsError as error:
        sys.exit(str(error))
    log = path.with_name("rtocr.log")
    _start_log(log)
    EndSignals(application)
    keeper, text_keeper = SettingsKeeper(path), UnsavedTextKeeper(path.parent)
    program = Program(keeper.settings)
    application.open_requested.connect(lambda path: program.session.open_files([path]))
    _report_unexpected(program.window)
    program.window.log_requested.connect(lambda: _show_log(log, program.window))
    unsaved, tell = program.session.unsaved, program.window.notice_bar.add_problem
    keeper.follow(program.session.choices.changed, tell)
    text_keeper.follow(unsaved.changed, unsaved.texts, tell)
    for left in take_left_behind(path.parent, keeper.settings.settled_texts):
        program.window.notice_bar.add(about_left_behind(left))
    program.start(arguments.files)
    code = application.exec()
    if program.window.isVisible():  # a signal ended the program
        program.window.remember_place()
    ended = [text_keeper.close(CLOSE_TIMEOUT_S, lost=code != 0)]  # first, as it matters most
    ended += [part.close(CLOSE_TIMEOUT_S) for part in (keeper, program.models)]
    ended.append(program.bridge.close(CLOSE_TIMEOUT_S, WRITING_TIMEOUT_S))
    program.pictures.delete()
    if not all(ended):
        # A long decode step or an import cannot be interrupted; the person should not have to wait for it.
        logging.shutdown()
        os._exit(code)
    return code


def sample_pages() -> list[Path]:
    """The pages that come with the program."""
    return sorted(resource_path("samples").glob("*.png"))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="rtocr-gui", description="Read scanned pages and see where the model looks."
    )
    add_version(parser)
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="images, PDF files or folders to open"
    )
    arguments = parser.parse_args(argv)
    arguments.files = [file for name in arguments.files for file in named_files(name)]
    return arguments


def _start_log(path: Path) -> None:
    logging.raiseExceptions = False  # a log on a full disk is not worth a traceback for each line
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8"))
    except OSError:
        pass  # A read-only home folder must not prevent reading; the terminal still shows the log.
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=handlers
    )


def _show_log(path: Path, window: MainWindow) -> None:
    if is_there(path):
        window.open_outside(path)
    else:
        window.notice_bar.add_problem(f"There is no log: “{path}” could not be written.")


def _report_unexpected(window: MainWindow) -> None:
    def hook(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        window.notice_bar.add_problem(unexpected(error))

    sys.excepthook = hook
    threading.excepthook = lambda thrown: thrown.exc_value and unexpected(thrown.exc_value)
