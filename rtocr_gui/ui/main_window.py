"""The window: composes the panes, connects them to the session, and passes questions on.

Holds no logic of the program. Wishes of the panes go to the session; what the session says goes
to the panes.
"""

import html
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSignalBlocker, QStandardPaths, Qt, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QSplitter,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.ui import questions
from rtocr_gui.ui.actions import MENUS, draw_icons, fill, make_actions
from rtocr_gui.ui.arrivals import Arrivals, SaveImage
from rtocr_gui.ui.icons import app_icon
from rtocr_gui.ui.notice_bar import NoticeBar
from rtocr_gui.ui.page_list import PageList
from rtocr_gui.ui.page_view import PageView
from rtocr_gui.ui.replies import PageRendered
from rtocr_gui.ui.retention_bar import RetentionBar
from rtocr_gui.ui.session import Session
from rtocr_gui.ui.shown import (
    Activity,
    ModelStatus,
    OverwriteQuestion,
    PageStatus,
    PasswordQuestion,
    ShownText,
)
from rtocr_gui.ui.status_line import StatusLine
from rtocr_gui.ui.text_pane import TextPane


class MainWindow(QMainWindow):
    """The one window.

    Args:
        session: what the window shows and whom it asks.
        save_image: makes a file of a picture that has none.
    """

    def __init__(self, session: Session, save_image: SaveImage) -> None:
        super().__init__()
        self._session = session
        self._password_questions: list[PasswordQuestion] = []
        self.setAcceptDrops(True)
        self.setWindowTitle("RTOCR")
        self.setWindowIcon(app_icon())
        self.arrivals = Arrivals(save_image, self)
        self.page_list = PageList()
        self.page_view = PageView()
        self.text_pane = TextPane()
        self.retention_bar = RetentionBar()
        self.notice_bar = NoticeBar()
        self.status_line = StatusLine()
        self.mode_box = QComboBox()
        self.task_box = QComboBox()
        self.model_chip = QToolButton()
        self.reading_summary = QLabel()
        self.actions_by_name = make_actions(self)
        draw_icons(self.actions_by_name, self.palette())
        self._compose()
        self._compose_toolbar()
        for title, names in MENUS.items():
            menu = self.menuBar().addMenu(title)
            menu.setToolTipsVisible(True)
            fill(menu, names, self.actions_by_name)
        self._connect_session()
        self._connect_actions()
        self._restore()

    # Composition ---------------------------------------------------------------------------

    def _compose(self) -> None:
        self.reading_summary.setAccessibleName("How the text came about")
        self.reading_summary.setTextFormat(Qt.TextFormat.PlainText)
        self.reading_summary.setWordWrap(True)
        self.reading_summary.setContentsMargins(6, 4, 6, 4)
        text_column = QWidget()
        column = QVBoxLayout(text_column)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.reading_summary)
        column.addWidget(self.text_pane, 1)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        for pane, stretch in ((self.page_list, 0), (self.page_view, 3), (text_column, 2)):
            self._splitter.addWidget(pane)
            self._splitter.setStretchFactor(self._splitter.count() - 1, stretch)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setSizes([190, 610, 480])
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.notice_bar)
        layout.addWidget(self._splitter, 1)
        layout.addWidget(self.retention_bar)
        self.setCentralWidget(body)
        self.statusBar().addWidget(self.status_line, 1)

    def _compose_toolbar(self) -> None:
        bar = QToolBar("Main toolbar")
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        fill(bar, ("open", "", "read", "read_all", "stop", ""), self.actions_by_name)
        self._add_choice(bar, "Mode", self.mode_box, "How the page is scaled; larger modes see smaller print")
        self._add_choice(bar, "Task", self.task_box, "What the model is asked for")
        fill(bar, ("", "export"), self.actions_by_name)
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(spacer)
        self.model_chip.setAccessibleName("Model")
        self.model_chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.model_chip)
        fill(menu, MENUS["&Model"], self.actions_by_name)
        self.model_chip.setMenu(menu)
        bar.addWidget(self.model_chip)
        self.addToolBar(bar)

    def _add_choice(self, bar: QToolBar, name: str, box: QComboBox, tip: str) -> None:
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        caption = QLabel(f" {name} ")
        caption.setBuddy(box)
        bar.addWidget(caption)
        bar.addWidget(box)

    def _connect_session(self) -> None:
        session = self._session
        session.pages_changed.connect(self.page_list.set_pages)
        session.page_selected.connect(self.page_list.select)
        session.page_selected.connect(self._show_window_title)
        session.thumbnail_changed.connect(self._show_thumbnail)
        session.page_status_changed.connect(self._show_page_status)
        session.page_image_changed.connect(self.page_view.show_page)
        session.page_message_changed.connect(self.page_view.show_message)
        session.plan_changed.connect(self.page_view.show_plan)
        session.plan_changed.connect(self.retention_bar.show_plan)
        session.text_changed.connect(self._show_text)
        session.text_appended.connect(self.text_pane.append_text)
        session.summary_changed.connect(self._show_summary)
        session.reading_changed.connect(self.status_line.show_reading)
        session.activity_changed.connect(self.status_line.show_activity)
        session.activity_changed.connect(self._enable_actions)
        session.encoding_changed.connect(self.status_line.show_encoding)
        session.model_changed.connect(self.status_line.show_model)
        session.model_changed.connect(self._show_model)
        session.notice_raised.connect(self.notice_bar.add)
        session.password_needed.connect(self._ask_password)
        session.overwrite_questioned.connect(self._ask_overwrite)
        self.page_list.page_selected.connect(session.select_page)
        self.page_list.thumbnail_wanted.connect(session.want_thumbnail)
        self.page_list.remove_requested.connect(self._ask_remove)
        self.arrivals.files_came.connect(session.open_files)
        self.arrivals.nothing_came.connect(self.notice_bar.add)
        self.retention_bar.retention_changed.connect(session.set_retention)
        self.retention_bar.retention_released.connect(session.settle_retention)
        self.retention_bar.reread_toggled.connect(session.set_reread)
        self.text_pane.text_edited.connect(session.edit_text)
        self.text_pane.copy_requested.connect(self._copy_text)
        self.text_pane.export_requested.connect(self._ask_export)
        self.mode_box.activated.connect(lambda _: session.set_mode(self.mode_box.currentData()))
        self.task_box.activated.connect(lambda _: session.set_task(self.task_box.currentData()))

    def _connect_actions(self) -> None:
        session, view = self._session, self.page_view
        slots: dict[str, Callable[[], object]] = {
            "open": self._ask_files,
            "paste": self.arrivals.paste,
            "export": self._ask_export,
            "copy": self._copy_text,
            "remove": lambda: session.current and self._ask_remove(session.current),
            "quit": self.close,
            "read": session.read_current,
            "read_all": session.read_all,
            "stop": session.stop,
            "zoom_in": view.zoom_in,
            "zoom_out": view.zoom_out,
            "fit_page": view.fit_page,
            "fit_width": view.fit_width,
            "actual_size": view.actual_size,
            "use_folder": self._ask_model_folder,
            "use_bundled": lambda: session.choose_model(None),
            "about_model": self._tell_about_model,
            "about": lambda: questions.tell_about_program(self),
        }
        for name, slot in slots.items():
            self.actions_by_name[name].triggered.connect(lambda _=False, slot=slot: slot())
        self.actions_by_name["overlay"].toggled.connect(view.set_overlay_visible)
        self.actions_by_name["overlay"].toggled.connect(session.set_overlay_visible)
        self.actions_by_name["global_grid"].toggled.connect(
            lambda on: view.set_grid("global" if on else "local")
        )

    def _restore(self) -> None:
        settings = self._session.settings
        self.resize(1280, 820)
        self.restoreGeometry(QByteArray.fromHex(settings.window_geometry.encode()))
        self._splitter.restoreState(QByteArray.fromHex(settings.window_state.encode()))
        self.retention_bar.set_retention(settings.retention)
        self.retention_bar.set_reread(settings.reread_on_release)
        self.page_view.set_overlay_visible(settings.overlay_visible)
        with QSignalBlocker(self.actions_by_name["overlay"]):
            self.actions_by_name["overlay"].setChecked(settings.overlay_visible)
        self._show_model(ModelStatus(None, "Starting…", loading=True))
        self._enable_actions(Activity())

    # What the session says -----------------------------------------------------------------

    @Slot(object)
    def _show_window_title(self, ref: PageRef | None) -> None:
        self.setWindowTitle(f"{ref.label} — RTOCR" if ref else "RTOCR")
        self._enable_actions(self._session.activity)

    @Slot(object)
    def _show_thumbnail(self, rendered: PageRendered) -> None:
        self.page_list.set_thumbnail(rendered.ref, rendered.image)

    @Slot(object)
    def _show_page_status(self, status: PageStatus) -> None:
        self.page_list.set_state(status.ref, status.state, status.sentence)

    @Slot(object)
    def _show_text(self, shown: ShownText) -> None:
        if shown.text:
            self.text_pane.show_text(shown.text, self._session.current)
        else:
            self.text_pane.show_message(shown.placeholder, self._session.current)
        self.text_pane.set_read_only(shown.read_only)
        self._show_summary(shown.summary)

    @Slot(str)
    def _show_summary(self, summary: str) -> None:
        self.reading_summary.setText(summary)
        self._enable_actions(self._session.activity)

    @Slot(object)
    def _enable_actions(self, activity: Activity) -> None:
        session = self._session
        enabled = {
            "read": session.current is not None,
            "read_all": session.current is not None,
            "remove": session.current is not None,
            "stop": activity.reading or activity.page_count > 0,
            "export": session.has_text,
            "copy": bool(session.current_text),
            "about_model": session.model is not None,
        }
        for name, is_enabled in enabled.items():
            self.actions_by_name[name].setEnabled(is_enabled)

    @Slot(object)
    def _show_model(self, status: ModelStatus) -> None:
        model = status.model
        self.model_chip.setText(status.sentence if model or status.loading else "No model")
        # A checkpoint describes itself: escaped, so that no markup of its own is rendered.
        self.model_chip.setToolTip(
            f"<span>{html.escape(model.info.description if model else status.sentence)}</span>"
        )
        with QSignalBlocker(self.mode_box), QSignalBlocker(self.task_box):
            self.mode_box.clear()
            for mode in Mode:
                name = mode.value.capitalize()
                trained = model is None or mode in model.info.modes
                self.mode_box.addItem(name if trained else f"{name} (untrained)", mode)
            self.mode_box.setCurrentIndex(list(Mode).index(self._session.mode))
            self.task_box.clear()
            for task in model.info.tasks if model else TASKS:
                self.task_box.addItem(task.label, task)
            self.task_box.setCurrentText(self._session.task.label)
        self._enable_actions(self._session.activity)

    # Questions -----------------------------------------------------------------------------

    @Slot()
    def _ask_files(self) -> None:
        paths = questions.ask_files(self, self._session.settings.last_folder)
        if paths:
            self._session.remember(last_folder=str(paths[0].parent))
            self._session.open_files(paths)

    @Slot(object)
    def _ask_password(self, question: PasswordQuestion) -> None:
        self._password_questions.append(question)
        if len(self._password_questions) > 1:
            return  # asked when the dialogs before it are closed, so that none covers another
        while self._password_questions:
            question = self._password_questions[0]
            password = questions.ask_password(self, question)
            if password:
                self._session.open_file(question.path, password)
            else:
                self.notice_bar.add(f"{question.path.name}: not opened. {question.sentence}")
            self._password_questions.pop(0)

    @Slot(object)
    def _ask_overwrite(self, question: OverwriteQuestion) -> None:
        replaced = question.edited if questions.ask_overwrite(self, question) else ()
        self._session.read_replacing(replaced + question.unedited)

    @Slot(object)
    def _ask_remove(self, ref: PageRef) -> None:
        if not self._session.is_edited(ref) or questions.agrees(
            self, "Remove page?", "You edited the text of this page. It is lost with the page.", "Remove"
        ):
            self._session.remove_page(ref)

    @Slot()
    def _ask_export(self) -> None:
        current = self._session.current
        if current is None or not self._session.has_text:
            return
        # Not beside the page: a pasted image lies in a temporary folder, a sample in the program's own.
        remembered = Path(self._session.settings.last_folder or ".")
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        folder = remembered if remembered.is_absolute() and remembered.is_dir() else Path(documents)
        path = questions.ask_export_path(self, folder / f"{current.path.stem}.md")
        if path is not None:
            self._session.remember(last_folder=str(path.parent))
            self._session.export(path)

    @Slot()
    def _ask_model_folder(self) -> None:
        folder = questions.ask_model_folder(self, self._session.settings.model_folder)
        if folder is not None:
            self._session.choose_model(folder)

    @Slot()
    def _tell_about_model(self) -> None:
        if self._session.model is not None:
            questions.tell_about_model(self, self._session.model)

    @Slot()
    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self._session.current_text)

    # Events --------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere: Qt sends the window what the pane under the pointer left."""
        self.arrivals.offer(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.arrivals.take(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            draw_icons(self.actions_by_name, self.palette())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask before typed text is lost; then remember the window and let go."""
        if self._session.unexported_edits and not questions.agrees(
            self,
            "Close without exporting?",
            "You edited text that was not exported. It is lost when the window closes.",
            "Close",
        ):
            event.ignore()
            return
        self._session.remember(
            window_geometry=_as_hex(self.saveGeometry()),
            window_state=_as_hex(self._splitter.saveState()),
        )
        event.accept()


def _as_hex(state: QByteArray) -> str:
    return bytes(state.toHex().data()).decode()
