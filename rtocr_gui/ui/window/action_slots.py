"""What happens when an action is triggered: one table, one line each.

`parts.actions` knows how actions are called, and `action_states` when they are enabled. What else follows a
switch is connected by the window.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from rtocr_gui.export.text_formats import TextFormat
from rtocr_gui.ui.dialogs.shortcut_list import ShortcutList
from rtocr_gui.ui.state.session import Session

if TYPE_CHECKING:
    from rtocr_gui.ui.window.main_window import MainWindow


def connect_actions(window: "MainWindow", session: Session) -> None:
    """Connect the actions of a window to its panes, its dialogs and the session."""
    actions, dialogs, export_dialogs = window.actions_by_name, window.dialogs, window.export_dialogs
    view, text_column = window.page_column.page_view, window.text_column

    def read_curve() -> None:
        actions["panel"].setChecked(True)
        text_column.show_curve()
        session.tuning.read_curve()

    slots: dict[str, Callable[[], object]] = {
        "open": dialogs.ask_files,
        "open_folder": dialogs.ask_folder,
        "undo": text_column.text_pane.undo,
        "redo": text_column.text_pane.redo,
        "paste": window.arrivals.paste,
        "export": export_dialogs.ask_text_of_all,
        "export_selected": export_dialogs.ask_text_of_selected,
        "export_overlay": export_dialogs.ask_overlay,
        "export_plan": export_dialogs.ask_plan,
        "export_curve": export_dialogs.ask_curve,
        "copy": session.copier.copy_selected,
        "find": text_column.begin_find,
        "replace": lambda: text_column.begin_find(replacing=True),
        "join_lines": text_column.text_pane.join_lines,
        "find_next": text_column.find_next,
        "find_previous": text_column.find_previous,
        "next_unsure": session.proofreader.go_on,
        "previous_unsure": session.proofreader.go_back,
        "rotate_left": lambda: session.shelf.rotate(270),
        "rotate_right": lambda: session.shelf.rotate(90),
        "rotate_file": lambda: session.shelf.rotate(90, whole_file=True),
        "split_beside": lambda: dialogs.ask_split(beside=True),
        "split_above": lambda: dialogs.ask_split(beside=False),
        "join": dialogs.ask_join,
        "uncrop": dialogs.ask_uncrop,
        "move_up": lambda: session.shelf.step_selected(down=False),
        "move_down": lambda: session.shelf.step_selected(down=True),
        "previous_page": lambda: session.shelf.show_neighbour(down=False),
        "next_page": lambda: session.shelf.show_neighbour(down=True),
        "remove": dialogs.ask_remove,
        "quit": window.close,
        "read": session.read_selected,
        "read_all": session.read_all,
        "retry": session.retry_current,
        "stop": session.stop,
        "stop_export": session.exporter.stop,
        "compare": text_column.show_compare,
        "curve": read_curve,
        "next_look": session.tuning.show_next_look,
        "zoom_in": view.zoom_in,
        "zoom_out": view.zoom_out,
        "fit_page": view.fit_page,
        "fit_width": view.fit_width,
        "actual_size": view.actual_size,
        "larger_text": lambda: text_column.text_pane.zoom(1),
        "smaller_text": lambda: text_column.text_pane.zoom(-1),
        "models": window.models_requested.emit,
        "use_folder": dialogs.ask_model_folder,
        "use_bundled": lambda: session.models.choose(None),
        "about_model": dialogs.tell_about_model,
        "unload": session.models.unload,
        "samples": window.samples_requested.emit,
        "log": window.log_requested.emit,
        "shortcuts": lambda: ShortcutList(actions, window).open(),
        "about": dialogs.tell_about_program,
    }
    for name, slot in slots.items():
        action = actions[name]
        action.triggered.connect(window.retention_bar.take_typed)  # no action takes the focus from its box
        action.triggered.connect(lambda _=False, slot=slot: slot())
    formats = QMenu(window)
    for kind in TextFormat:
        choice = formats.addAction(f"&{kind.label}…")
        choice.triggered.connect(partial(export_dialogs.ask_text_by_scan, kind))
    actions["export_by_scan"].setMenu(formats)
    for name in ("read", "read_all", "retry"):
        actions[name].triggered.connect(text_column.show_reading)
    for name in ("stop", "unload"):  # a ratio chosen just before starts no reading
        actions[name].triggered.connect(window.retention_bar.drop_release)
