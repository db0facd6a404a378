"""The window: composes the panes and connects them to the session.

Holds no logic of the program. Requests from the panes go to the session and its parts; what these emit goes
to the panes; what needs an answer first goes through `SessionDialogs`, `ExportDialogs` and `Closing`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QSignalBlocker, QSize, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QWidget

from rtocr_gui.ocr.asking import Ask
from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.tokens import GridName
from rtocr_gui.ui.background.replies import PageRendered
from rtocr_gui.ui.dialogs.closing import Closing
from rtocr_gui.ui.dialogs.export_dialogs import ExportDialogs
from rtocr_gui.ui.dialogs.session_dialogs import SessionDialogs
from rtocr_gui.ui.page.page_column import PageColumn
from rtocr_gui.ui.parts.actions import MENUS, PAGE_MENU, TIP, draw_icons, fill, make_actions
from rtocr_gui.ui.parts.arrivals import Arrivals
from rtocr_gui.ui.parts.layouts import scrolled, stack, within_screen
from rtocr_gui.ui.parts.plain_text import one_line
from rtocr_gui.ui.state.notices import Notice, Offer, ReadHalves, ShowFolder
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import (
    BlocksShown,
    ModelStatus,
    PageStatus,
    ShownText,
    TextChange,
)
from rtocr_gui.ui.tuning.retention_bar import RetentionBar
from rtocr_gui.ui.window.action_slots import connect_actions
from rtocr_gui.ui.window.action_states import ActionStates
from rtocr_gui.ui.window.model_menus import ModelMenus
from rtocr_gui.ui.window.notice_bar import NoticeBar
from rtocr_gui.ui.window.page_list import PageList
from rtocr_gui.ui.window.recent_menu import RecentMenu
from rtocr_gui.ui.window.status_line import StatusLine
from rtocr_gui.ui.window.text_column import TextColumn
from rtocr_gui.ui.window.tool_bar import ToolBar

if TYPE_CHECKING:
    from rtocr_gui.ui.text.compare_view import CompareView
    from rtocr_gui.ui.tuning.curve_view import CurveView

_USUAL_SIZE = QSize(75, 48)
"""In lines of text, so that large print has a larger window."""
_LEAST_TEXT_CHARACTERS = 24
"""Minimum width of the right-hand column, in average characters: space for its bars and a scroll bar."""
_SWITCHES = {
    "overlay": "overlay_visible",
    "blocks": "blocks_visible",
    "unsure": "unsure_marked",
    "pipe_tables": "pipe_tables",
    "read_pasted": "read_pasted",
    "copy_pasted": "copy_pasted",
    "panel": "panel_visible",
}
"""Actions that are remembered as switched on or off, and the settings that remember them."""


class MainWindow(QMainWindow):
    """The one window.

    Signals:
        models_requested(): the person wants to choose, check or download a model.
        samples_requested(): the person wants to try the program's own pages.
        log_requested(): the person wants to see the log.

    Args:
        session: what the window shows and sends requests to.
    """

    models_requested = Signal()
    samples_requested = Signal()
    log_requested = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setAcceptDrops(True)
        self.setWindowTitle("RTOCR")
        self.actions_by_name = make_actions(self)
        self.action_states = ActionStates(session, self.actions_by_name, self)
        self.model_menus = ModelMenus(self.actions_by_name, self)
        self.recent_menu = RecentMenu(self.actions_by_name["open_recent"], self)
        self.arrivals = Arrivals(self)
        self.export_dialogs = ExportDialogs(self, session)
        self.dialogs = SessionDialogs(self, session)
        self.closing = Closing(self, session, self.export_dialogs)
        self.tool_bar = ToolBar(self.actions_by_name)
        self.page_list = PageList()
        self.page_column = PageColumn(self.actions_by_name)
        self.text_column = TextColumn()
        self.page_list.offer(*([self.actions_by_name[name] for name in group] for group in PAGE_MENU))
        self.text_column.text_pane.add_buttons(*(self.actions_by_name[name] for name in ("find", "copy")))
        self.retention_bar = RetentionBar()
        self.notice_bar = NoticeBar()
        self.status_line = StatusLine()
        draw_icons(self.actions_by_name)
        self._compose()
        self._connect_session()
        self._connect_panes()
        self._connect_tuning()
        self._connect_spotlight()
        self._connect_blocks()
        self._connect_find()
        self._connect_proofreader()
        self._connect_switches()
        connect_actions(self, session)
        self._restore()

    # Composition ---------------------------------------------------------------------------

    def _compose(self) -> None:
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        text = scrolled(self.text_column)  # by far the tallest
        text.setMinimumWidth(_LEAST_TEXT_CHARACTERS * self.fontMetrics().averageCharWidth())
        for pane, stretch in ((self.page_list, 0), (self.page_column, 3), (text, 2)):
            self._splitter.addWidget(pane)
            self._splitter.setStretchFactor(self._splitter.count() - 1, stretch)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setSizes([self.page_list.sizeHint().width(), 610, 480])
        body = QWidget()
        stack(body, self.notice_bar, self._splitter, self.retention_bar, growing=self._splitter)
        self.setCentralWidget(body)
        self.statusBar().addWidget(self.status_line, 1)
        self.addToolBar(self.tool_bar)
        for title, names in MENUS.items():
            menu = self.menuBar().addMenu(title)
            menu.setToolTipsVisible(True)
            fill(menu, names, self.actions_by_name)

    def _connect_session(self) -> None:
        session, view, editor = self._session, self.page_column.page_view, self.text_column.text_pane.editor
        session.page_selected.connect(self.page_list.select)
        session.page_selected.connect(self._show_window_title)
        session.page_selected.connect(self.retention_bar.drop_release)
        session.page_image_changed.connect(view.show_page)
        session.page_message_changed.connect(view.show_message)
        session.choices.retention_changed.connect(self.retention_bar.set_retention)
        session.notice_raised.connect(self.notice_bar.add)
        session.opener.changed.connect(self.status_line.show_opening)
        session.exporter.progressed.connect(self.status_line.show_exporting)
        session.shelf.pages_changed.connect(self.page_list.set_pages)
        session.shelf.pages_changed.connect(self._show_window_title)  # files of one name came or went
        session.shelf.pages_changed.connect(self._forget_removed_pages)
        session.shelf.pages_dropped.connect(self.notice_bar.withdraw)
        session.opener.opened.connect(self.notice_bar.withdraw_problems_of)
        session.shelf.pages_rotated.connect(self.page_list.rename)
        session.shelf.selection_wanted.connect(self.page_list.select_too)
        session.shelf.rendering_changed.connect(self.status_line.show_rendering)
        session.shelf.thumbnail_rendered.connect(self._show_thumbnail)
        session.planner.plan_changed.connect(self._show_plan)
        session.planner.transport_changed.connect(view.show_transport)
        session.planner.encoding_changed.connect(self.status_line.show_encoding)
        session.reader.activity_changed.connect(self.status_line.show_activity)
        session.texts.text_changed.connect(self._show_text)
        session.texts.text_appended.connect(editor.append_text)
        session.texts.summary_changed.connect(self.text_column.summary.setText)
        session.texts.reading_changed.connect(self.status_line.show_reading)
        session.texts.page_status_changed.connect(self._show_page_status)
        session.models.changed.connect(self.status_line.show_model)
        session.models.changed.connect(self._show_model)
        session.models.adopted.connect(self.notice_bar.withdraw_model_offers)
        session.models.reloaded.connect(self.notice_bar.withdraw_model)
        session.choices.changed.connect(self.model_menus.show_settings)
        session.choices.changed.connect(self.recent_menu.show_settings)

    def _connect_panes(self) -> None:
        session, pane = self._session, self.text_column.text_pane
        self.arrivals.files_came.connect(session.open_files)
        self.arrivals.nothing_came.connect(
            lambda sentence: self.notice_bar.add(Notice(sentence, is_passing=True))
        )
        for dialogs in (self.dialogs, self.export_dialogs, self.closing):
            dialogs.notice_raised.connect(self.notice_bar.add)
        self.notice_bar.offer_taken.connect(self._take_offer)
        self.tool_bar.mode_chosen.connect(session.set_mode)
        self.tool_bar.task_chosen.connect(session.set_task)
        self.tool_bar.words_requested.connect(self._ask_task)
        self.model_menus.device_chosen.connect(session.models.choose_device)
        self.model_menus.precision_chosen.connect(session.models.choose_precision)
        self.model_menus.idle_time_chosen.connect(session.models.set_unload_after)
        self.model_menus.most_tiles_chosen.connect(session.set_most_tiles)
        self.recent_menu.files_chosen.connect(session.open_files)
        self.recent_menu.cleared.connect(lambda: session.choices.remember(recent_files=()))
        self.page_list.page_selected.connect(session.shelf.select)
        self.page_list.selection_changed.connect(session.shelf.set_selection)
        self.page_list.thumbnail_requested.connect(session.shelf.want_thumbnail)
        self.page_list.move_requested.connect(session.shelf.move_selected)
        self.page_list.remove_requested.connect(self.dialogs.ask_remove)
        self.page_list.copy_requested.connect(self.actions_by_name["copy"].trigger)
        self.retention_bar.retention_changed.connect(session.set_retention)
        self.retention_bar.retention_released.connect(session.settle_retention)
        self.retention_bar.reread_toggled.connect(lambda on: session.choices.remember(reread_on_release=on))
        pane.editor.text_edited.connect(session.edit_text)
        pane.zoom_changed.connect(lambda points: session.choices.remember(text_zoom=points))
        pane.editor.undo_changed.connect(self._show_undo)

    def _connect_tuning(self) -> None:
        session, tuning, choices = self._session, self._session.tuning, self._session.choices
        column = self.text_column
        choices.look_changed.connect(self.page_column.set_look)
        choices.opacity_changed.connect(self.page_column.page_view.set_opacity)
        choices.grid_changed.connect(self._show_grid)
        tuning.figures_changed.connect(column.figures_panel.show_figures)
        column.compare.built.connect(self._connect_compare)
        column.curve.built.connect(self._connect_curve)
        tuning.curve_changed.connect(self.status_line.show_curve)
        tuning.comparing_changed.connect(self.status_line.show_comparing)
        self.page_column.page_view.transport_requested.connect(session.planner.want_transport)
        self.page_column.overlay_bar.look_chosen.connect(tuning.set_look)
        self.page_column.overlay_bar.opacity_changed.connect(
            lambda opacity: choices.remember(overlay_opacity=opacity)
        )

    @Slot(object)
    def _connect_compare(self, compare: "CompareView") -> None:
        tuning = self._session.tuning
        self._connect_late(compare, self.actions_by_name["compare"])
        tuning.comparison_changed.connect(compare.show_comparison)
        tuning.comparing_changed.connect(compare.show_activity)
        compare.comparison_requested.connect(tuning.compare)
        compare.stop_requested.connect(tuning.stop_comparing)
        compare.place_chosen.connect(tuning.point_at_difference)
        compare.place_chosen.connect(self._show_overlay_for_lights)
        compare.closed.connect(tuning.spotlight.leave_difference)

    @Slot(object)
    def _connect_curve(self, curve: "CurveView") -> None:
        tuning = self._session.tuning
        self._connect_late(curve, self.actions_by_name["curve"])
        tuning.curve_changed.connect(curve.show_curve)
        curve.curve_requested.connect(tuning.read_curve)
        curve.stop_requested.connect(tuning.stop_curve)
        curve.retention_chosen.connect(self._session.choose_retention)
        curve.export_requested.connect(self.export_dialogs.ask_curve)
        curve.show_curve(tuning.curve)

    def _connect_late(self, pane: "CompareView | CurveView", action: QAction) -> None:
        """Let a pane that was built just now follow the slider, and the action that it repeats."""
        choices = self._session.choices
        choices.retention_changed.connect(pane.show_retention)
        pane.show_retention(choices.settings.retention)
        action.enabledChanged.connect(pane.set_ready)
        pane.set_ready(action.isEnabled())

    def _connect_spotlight(self) -> None:
        spotlight, view = self._session.tuning.spotlight, self.page_column.page_view
        spotlight.attention_changed.connect(view.show_attention)
        view.lights_dismissed.connect(spotlight.put_out)
        spotlight.text_marked.connect(self.text_column.text_pane.editor.mark)
        self.text_column.text_pane.editor.selection_changed.connect(spotlight.point_at_text)
        play_bar = self.page_column.play_bar
        spotlight.trace_changed.connect(play_bar.show_trace)
        spotlight.tracing_changed.connect(play_bar.show_tracing)
        spotlight.tracing_changed.connect(self.status_line.show_tracing)
        spotlight.token_pointed.connect(play_bar.show_position)
        play_bar.trace_requested.connect(spotlight.trace)
        play_bar.stop_requested.connect(spotlight.stop)
        play_bar.position_changed.connect(spotlight.point_at_token)
        play_bar.whole_requested.connect(spotlight.point_at_whole)
        spotlight.attention_changed.connect(play_bar.follow_lights)
        choices = self._session.choices
        for unlit in (choices.retention_changed, choices.look_changed, view.lights_dismissed):
            unlit.connect(play_bar.pause)  # the next token would light up again
        switch = self.actions_by_name["trace"]
        switch.toggled.connect(self.page_column.set_play_bar_visible)
        switch.toggled.connect(spotlight.set_on)
        switch.toggled.connect(self._show_overlay_for_lights)
        switch.triggered.connect(lambda on: play_bar.setFocus() if on else None)
        play_bar.closed.connect(lambda: switch.setChecked(False))

    def _connect_blocks(self) -> None:
        session, view = self._session, self.page_column.page_view
        session.texts.blocks_changed.connect(self._show_blocks)
        session.blocks.block_pointed.connect(view.point_at_block)
        session.blocks.text_marked.connect(self.text_column.text_pane.editor.mark)
        view.block_hovered.connect(session.blocks.point_at_block)
        self.text_column.text_pane.editor.cursor_moved.connect(session.blocks.point_at_text)
        for follow in (view.set_blocks_visible, session.blocks.set_on):
            self.actions_by_name["blocks"].toggled.connect(follow)

    def _connect_find(self) -> None:
        finder, column = self._session.finder, self.text_column
        finder.found_changed.connect(column.find_bar.show_found)
        finder.found_changed.connect(column.text_pane.editor.show_found)
        finder.place_chosen.connect(column.text_pane.select)
        finder.replacements_chosen.connect(column.text_pane.replace)
        self._session.texts.replacements_chosen.connect(column.text_pane.replace)
        self._session.texts.replaced_elsewhere.connect(self._note_replaced)
        column.text_pane.editor.cursor_moved.connect(finder.follow_cursor)
        column.text_pane.editor.text_replaced.connect(finder.begin_text)
        column.find_bar.words_changed.connect(finder.search)
        column.find_bar.next_requested.connect(finder.go_on)
        column.find_bar.previous_requested.connect(finder.go_back)
        column.find_bar.replace_requested.connect(finder.replace)
        column.find_bar.replace_all_requested.connect(finder.replace_all)
        column.find_bar.replace_everywhere_requested.connect(finder.replace_everywhere)
        column.find_bar.closed.connect(column.end_find)
        column.find_bar.closed.connect(finder.stop)

    def _connect_proofreader(self) -> None:
        proofreader, pane = self._session.proofreader, self.text_column.text_pane
        proofreader.words_changed.connect(pane.editor.show_unsure)
        proofreader.place_chosen.connect(pane.visit)
        pane.editor.cursor_moved.connect(proofreader.follow_cursor)
        pane.editor.text_replaced.connect(proofreader.begin_text)
        self.actions_by_name["unsure"].toggled.connect(proofreader.set_on)

    def _connect_switches(self) -> None:
        actions, choices, view = self.actions_by_name, self._session.choices, self.page_column.page_view
        actions["crop"].toggled.connect(view.set_cropping)
        view.cropping_changed.connect(actions["crop"].setChecked)
        view.crop_drawn.connect(self.dialogs.ask_crop)
        actions["overlay"].toggled.connect(self.page_column.set_overlay_visible)
        actions["global_grid"].triggered.connect(
            lambda on: choices.remember(grid="global" if on else "local")
        )
        actions["panel"].toggled.connect(self.text_column.panel.setVisible)
        for name, setting in _SWITCHES.items():
            actions[name].toggled.connect(lambda on, setting=setting: choices.remember(**{setting: on}))

    def _restore(self) -> None:
        settings = self._session.choices.settings
        self.resize(within_screen(_USUAL_SIZE * self.fontMetrics().height(), self))
        self.restoreGeometry(_from_hex(settings.window_geometry))
        self._splitter.restoreState(_from_hex(settings.window_state))
        self.text_column.restoreState(_from_hex(settings.column_state))
        self.text_column.text_pane.set_zoom(settings.text_zoom)
        self.retention_bar.set_retention(settings.retention)
        self.retention_bar.set_reread(settings.reread_on_release)
        self.page_column.set_overlay_visible(settings.overlay_visible)
        self.page_column.set_opacity(settings.overlay_opacity)
        self.page_column.set_look(self._session.choices.look)
        self._show_grid(self._session.choices.grid)
        self.page_column.page_view.set_blocks_visible(settings.blocks_visible)
        self._session.blocks.set_on(settings.blocks_visible)
        self.model_menus.show_settings(settings)
        self.recent_menu.show_settings(settings)
        self.page_column.play_bar.hide()
        self.text_column.panel.setVisible(settings.panel_visible)
        for name, setting in _SWITCHES.items():
            with QSignalBlocker(self.actions_by_name[name]):
                self.actions_by_name[name].setChecked(getattr(settings, setting))
        self._session.texts.show()
        self._show_model(ModelStatus(None, "Starting…", loading=True))
        self._show_undo()
        self.action_states.update()

    # What the session says -----------------------------------------------------------------

    @Slot()
    def _show_window_title(self) -> None:
        name = one_line(self._session.page_name)
        # Qt takes [*] for the place of the mark of a modified document.
        self.setWindowTitle(f"{name} — RTOCR".replace("[*]", "[*][*]") if name else "RTOCR")

    @Slot(object)
    def _show_thumbnail(self, rendered: PageRendered) -> None:
        self.page_list.set_thumbnail(rendered.ref, rendered.image)

    @Slot(object)
    def _show_page_status(self, status: PageStatus) -> None:
        self.page_list.set_state(status.ref, status.state, status.sentence)
        if status.state is PageState.READING:
            self.notice_bar.withdraw((status.ref,))

    @Slot(object)
    def _show_plan(self, plan: PrunePlan | None) -> None:
        self.page_column.show_plan(plan)
        self.retention_bar.show_plan(plan)
        self.tool_bar.show_page_mode(self._session.auto_mode)

    @Slot(object)
    def _show_blocks(self, shown: BlocksShown) -> None:
        self.page_column.page_view.show_blocks(shown.blocks)
        action = self.actions_by_name["blocks"]
        action.setEnabled(not shown.lack)
        action.setToolTip(shown.lack or action.property(TIP))

    @Slot(str)
    def _show_grid(self, grid: GridName) -> None:
        self.page_column.page_view.set_grid(grid)
        self.actions_by_name["global_grid"].setChecked(grid == "global")

    @Slot(object)
    def _show_overlay_for_lights(self, wanted: object) -> None:
        if wanted:
            self.actions_by_name["overlay"].setChecked(True)

    @Slot(object)
    def _ask_task(self, ask: Ask) -> None:
        self.dialogs.ask_task(ask)
        self.tool_bar.show_task(self._session.choices.known_task)

    @Slot(object)
    def _show_text(self, shown: ShownText) -> None:
        current = self._session.shelf.current
        self.text_column.show_text(shown, current.unrotated if current is not None else None)

    @Slot(object)
    def _note_replaced(self, change: TextChange) -> None:
        editor = self.text_column.text_pane.editor
        editor.replace_elsewhere(change.ref.unrotated, change.text, change.replacements)

    @Slot()
    def _show_undo(self) -> None:
        editor = self.text_column.text_pane.editor
        self.actions_by_name["undo"].setEnabled(editor.can_undo)
        self.actions_by_name["redo"].setEnabled(editor.can_redo)

    @Slot()
    def _forget_removed_pages(self) -> None:
        """Drop the undo history of pages that left the list."""
        self.text_column.text_pane.editor.forget_others(ref.unrotated for ref in self._session.shelf.refs)

    @Slot(object)
    def _show_model(self, status: ModelStatus) -> None:
        choices = self._session.choices
        self.tool_bar.show_model(status, choices.mode, choices.known_task)
        self.tool_bar.show_page_mode(self._session.auto_mode)
        self.model_menus.show_settings(self._session.choices.settings)  # they may show what was refused

    @Slot(object)
    def _take_offer(self, offer: Offer) -> None:
        if isinstance(offer, ShowFolder):
            self.open_outside(offer.file.parent)
        elif isinstance(offer, ReadHalves):
            self.dialogs.ask_halves(offer)
        else:
            self._session.take_offer(offer)

    def open_outside(self, path: Path) -> None:
        """Open a file or a folder in the program that the desktop has for it."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self.notice_bar.add_problem(f"No program was found to open “{path}”.")

    # Events --------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere: Qt sends the window what the pane under the pointer ignored."""
        self.arrivals.offer(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.arrivals.take(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            draw_icons(self.actions_by_name)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask before text is lost; then remember the window's place and close."""
        event.ignore()  # so that no unexpected error closes it: Qt would take the event as accepted
        if not self.closing.may_close():
            return
        self.remember_place()
        event.accept()

    def remember_place(self) -> None:
        """Remember where the window is and how it is divided."""
        self._session.choices.remember(
            window_geometry=_as_hex(self.saveGeometry()),
            window_state=_as_hex(self._splitter.saveState()),
            column_state=_as_hex(self.text_column.saveState()),
        )


def _as_hex(state: QByteArray) -> str:
    return bytes(state.toHex().data()).decode()


def _from_hex(state: str) -> QByteArray:
    """Decode a remembered state; Qt ignores one that is not its own."""
    return QByteArray.fromHex(state.encode(errors="ignore"))
