"""A placeholder for a pane that is built when first shown, so that the window appears sooner.

Knows neither what the pane shows nor where that comes from.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

Pane = TypeVar("Pane", bound=QWidget)


class LazyPane(QWidget, Generic[Pane]):
    """Builds a pane when it is first shown or requested.

    Signals:
        built (QWidget): the pane exists now, to be connected and told what it missed.

    Args:
        build: makes the pane, and imports what only the pane needs.
    """

    built = Signal(object)

    def __init__(self, build: Callable[[], Pane]) -> None:
        super().__init__()
        self._build = build
        self._pane: Pane | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    @property
    def pane(self) -> Pane:
        """The pane, built on first use."""
        return self._pane if self._pane is not None else self._make()

    def showEvent(self, event: QShowEvent) -> None:
        self.pane.show()
        super().showEvent(event)

    def _make(self) -> Pane:
        pane = self._pane = self._build()
        self._column.addWidget(pane)
        _follow_in_tab_order(pane, self)
        self.setFocusProxy(pane)
        self.built.emit(pane)
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
