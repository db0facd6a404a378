"""Enables the actions that can be used in the current state of the session. Knows no widget."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from rtocr_gui.ui.parts.actions import LIST_KEYS
from rtocr_gui.ui.state.notices import retry_label
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity
from rtocr_gui.units import counted


class ActionStates(QObject):
    """Enables and disables actions whenever something in the session changes.

    Args:
        session: the session whose state counts.
        actions: by name.
        parent: owner.
    """

    def __init__(self, session: Session, actions: Mapping[str, QAction], parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._any_way = actions["retry"].text()
        actions["read"].setIconText(actions["read"].iconText())  # the text may count pages, this does not
        for changed in (
            session.page_selected,
            session.shelf.selection_changed,
            session.planner.plan_changed,
            session.texts.text_changed,
            session.texts.summary_changed,
            session.models.changed,
            session.tuning.comparing_changed,
            session.tuning.curve_changed,
            session.tuning.spotlight.tracing_changed,
            session.exporter.progressed,
            *(session.reader.finished, session.reader.given_up, session.reader.failed),
        ):
            changed.connect(self.update)
        self._last_activity = Activity()
        session.reader.activity_changed.connect(self._follow)
        session.texts.text_appended.connect(self._follow_text)

    @Slot(object)
    def _follow(self, activity: Activity) -> None:
        """Update when a page or its text begins or ends, but not with every token: it looks at all pages."""
        before, self._last_activity = self._last_activity, activity
        if _outline(activity) != _outline(before):
            self.update()

    @Slot(str)
    def _follow_text(self, delta: str) -> None:
        """Update when the shown page gets its first text: other pages may have had some before."""
        if delta == self._session.current_text:
            self.update()

    @Slot()
    def update(self) -> None:
        """Update all actions from the session."""
        session, tuning = self._session, self._session.tuning
        has_page = session.shelf.current is not None
        is_ready = has_page and session.models.status.model is not None
        has_text = session.texts.is_any
        has_selected_text = any(session.texts.of(session.shelf.selected))
        is_being_read = session.shelf.current is not None and session.reader.is_reading(session.shelf.current)
        enabled = {
            "read": has_page,
            "read_all": has_page,
            "retry": session.retry_scaling is not None,
            **dict.fromkeys(("remove", "rotate_left", "rotate_right", "rotate_file"), has_page),
            **dict.fromkeys(("split_beside", "split_above", "crop"), has_page),
            "join": any(ref.half is not None for ref in session.shelf.selected),
            "uncrop": bool(session.shelf.to_uncrop),
            **dict.fromkeys((*LIST_KEYS, "previous_page", "next_page"), has_page),
            "stop": session.is_reading or session.exporter.is_counted,
            "stop_export": session.exporter.is_counted,
            "compare": is_ready,
            "curve": is_ready and not tuning.is_reading,
            "export_overlay": tuning.has_plan,
            "export_plan": tuning.has_plan,
            "export_curve": tuning.has_curve,
            **dict.fromkeys(
                ("export", "export_by_scan"), has_text or session.exporter.has_content(session.shelf.refs)
            ),
            "export_selected": has_selected_text or session.exporter.has_content(session.shelf.selected),
            "copy": has_selected_text,
            **dict.fromkeys(("find", "replace", "find_next", "find_previous"), has_text),
            **dict.fromkeys(("next_unsure", "previous_unsure"), session.texts.is_any_unsure),
            "join_lines": bool(session.current_text) and not is_being_read,
            "about_model": session.models.model is not None,
            "unload": session.can_unload,
        }
        for name, is_enabled in enabled.items():
            self._actions[name].setEnabled(is_enabled)
        count = len(session.shelf.selected)
        pages = counted(count, "page")
        self._actions["read"].setText(f"&Read {pages}" if count > 1 else "&Read")
        self._actions["remove"].setText(f"Re&move {pages}" if count > 1 else "Re&move page")
        self._actions["crop"].setText(f"Crop {counted(count, 'p&age')}" if count > 1 else "Crop p&age")
        self._actions["retry"].setText(
            retry_label(session.retry_scaling) if session.retry_scaling else self._any_way
        )


def _outline(activity: Activity) -> tuple[bool, int, bool]:
    return activity.is_idle, activity.page, activity.tokens > 0
