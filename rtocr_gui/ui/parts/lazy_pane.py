"""A placeholder for a pane that is built when first shown, so that the window appears sooner.

Knows neither what the pane shows nor where that comes from.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

Pane = TypeVar("Pane", bound=QWidget)


class LazyPane(QWidget, Generic[Pane]):
    """Builds a pane when it is first shown or requested, and replays the signals that it missed.

    Args:
        build: makes the pane, and imports what only the pane needs.
    """

    def __init__(self, build: Callable[[], Pane]) -> None:
        super().__init__()
        self._build = build
        self._pane: Pane | None = None
        self._wires: list[Callable[[Pane], None]] = []
        self._missed: dict[Callable[[Pane], Callable[..., None]], tuple[object, ...]] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    @property
    def pane(self) -> Pane:
        """The pane, built on first use."""
        return self._pane if self._pane is not None else self._make()

    def when_built(self, wire: Callable[[Pane], None]) -> None:
        """Call `wire` with the pane once it is built, to connect its own signals."""
        self._wires.append(wire)

    def follow(self, signal: SignalInstance, slot_of: Callable[[Pane], Callable[..., None]]) -> None:
        """Connect a signal to a slot of the pane; until it is built, the last emission is kept for it.

        Args:
            signal: carries what to show.
            slot_of: returns the slot, e.g. ``lambda curve: curve.show_curve``.
        """

        def miss(*values: object) -> None:
            self._missed.pop(slot_of, None)  # re-inserted at the end, so the pane replays events in order
            self._missed[slot_of] = values

        def catch_up(pane: Pane) -> None:
            signal.disconnect(miss)
            signal.connect(slot_of(pane))

        signal.connect(miss)
        self._wires.append(catch_up)

    def showEvent(self, event: QShowEvent) -> None:
        self.pane.show()
        super().showEvent(event)

    def _make(self) -> Pane:
        pane = self._pane = self._build()
        self._column.addWidget(pane)
        _follow_in_tab_order(pane, self)
        self.setFocusProxy(pane)
        for wire in self._wires:
            wire(pane)
        for slot_of, values in self._missed.items():
            slot_of(pane)(*values)
        return pane


def _follow_in_tab_order(pane: QWidget, place: QWidget) -> None:
    """Put a pane into the tab order at its place: Qt appends whatever is built late."""
    own, widget = [], pane.nextInFocusChain()
    while widget is not None and pane.isAncestorOf(widget):
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
            own.append(widget)
        widget = widget.nextInFocusChain()
    before = place.previousInFocusChain()
    while own and before is not None and before.focusPolicy() == Qt.FocusPolicy.NoFocus:
        before = before.previousInFocusChain()
    for widget in own:
        if before is not None:
            QWidget.setTabOrder(before, widget)
        before = widget
    if (proxy := pane.focusProxy()) is not None:
        pane.setFocusProxy(proxy)  # Qt puts the pane in front of it; left behind, the pane would get Tab
