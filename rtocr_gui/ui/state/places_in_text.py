"""Finds the places of a reading in the shown text, and keeps them until the text changes.

Corrected text is aligned off the main thread, which a long text would block. Knows no widget.
"""

from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Slot

from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import Computed, RequestFailed


class _InText(Protocol):
    """Places in the text `shown`."""

    shown: str


Places = TypeVar("Places", bound=_InText)


class PlacesInText(QObject, Generic[Places]):
    """Finds the places of one reading in one text at a time.

    Args:
        bridge: aligns texts.
        shown_text: returns the shown text, including corrections.
        parent: Qt parent.
    """

    def __init__(
        self, bridge: EngineBridge, shown_text: Callable[[], str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._shown_text = shown_text
        self._find: Callable[[str], Places] | None = None
        self._read = ""
        self._kept: Places | None = None
        self._wishes: list[Callable[[Places], None]] = []
        self._find_id, self._find_text = 0, ""
        bridge.computed.connect(self._keep)
        bridge.request_failed.connect(self._drop_failed)

    def set_reading(self, read: str, find: Callable[[str], Places]) -> None:
        """Find the places of another reading from now on, for pending wishes too.

        Args:
            read: its text as it was read.
            find: finds its places in a text; fast if that equals `read`.
        """
        self.forget()
        self._read, self._find = read, find
        self._grant()

    def forget(self) -> None:
        """Forget the reading; nothing is found until another is set."""
        self._find = self._kept = None
        self._give_up()

    def use(self, wish: Callable[[Places], None]) -> None:
        """Call `wish` with the places once they are known, perhaps immediately."""
        self._wishes.append(wish)
        self._grant()

    def drop_wishes(self) -> None:
        """Drop the pending wishes."""
        self._wishes.clear()

    def _grant(self) -> None:
        """Fulfil the pending wishes, or have the places found in the current text."""
        if not self._wishes or self._find is None:
            return
        text = self._shown_text()
        if (self._kept is None or self._kept.shown != text) and text == self._read:
            self._kept = self._find(text)
        if self._kept is not None and self._kept.shown == text:
            self._wishes.pop(0)(self._kept)
            self._grant()  # anew, as a wish may show another page
        elif not self._find_id or self._find_text != text:
            self._give_up()
            self._find_id, self._find_text = self._bridge.compute(partial(self._find, text)), text

    def _give_up(self) -> None:
        self._bridge.stop(self._find_id)
        self._find_id = 0

    @Slot(object)
    def _keep(self, reply: Computed) -> None:
        if reply.request_id == self._find_id:
            self._find_id, self._kept = 0, reply.result
            self._grant()

    @Slot(object)
    def _drop_failed(self, failure: RequestFailed) -> None:
        """The bridge has logged why; the next wish tries again."""
        if failure.request_id == self._find_id:
            self._find_id = 0
            self.drop_wishes()
