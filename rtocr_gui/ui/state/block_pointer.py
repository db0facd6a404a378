"""Between the blocks of the page that is shown and its text, which a person may have corrected.

Knows blocks and characters, no widget.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from rtocr_gui.ocr.text.block_places import BlockPlaces
from rtocr_gui.ui.state.shown import BlocksShown

REST_MS = 60
"""The block of the cursor is looked up when it has come to rest: corrected text must be aligned for it."""


class BlockPointer(QObject):
    """Points at a block for its text, and at text for its block.

    Signals:
        block_pointed (int or None): the block in whose text the cursor or the selection is.
        text_marked (tuple of start and end, or None): the text of the block that is pointed at.

    Args:
        shown_text: gives the text that is shown, corrections and all.
        parent: Qt parent.
    """

    block_pointed = Signal(object)
    text_marked = Signal(object)

    def __init__(self, shown_text: Callable[[], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown_text = shown_text
        self._shown = BlocksShown()
        self._on = True
        self._places: BlockPlaces | None = None
        self._selected = (0, 0)
        self._rest_timer = QTimer(self)
        self._rest_timer.setSingleShot(True)
        self._rest_timer.setInterval(REST_MS)
        self._rest_timer.timeout.connect(self._follow_selection)

    @Slot(object)
    def show_blocks(self, shown: BlocksShown) -> None:
        """Point at other blocks from now on."""
        if shown != self._shown:
            self._shown, self._places = shown, None
            self._rest_timer.stop()

    def set_on(self, on: bool) -> None:
        """Follow cursor and selection from now on, or no longer."""
        self._on = on
        if not on:
            self._rest_timer.stop()
            self.block_pointed.emit(None)

    @Slot(object)
    def point_at_block(self, block: int | None) -> None:
        """Mark the text of a block; None for none."""
        if block is None or block >= len(self._shown.blocks):
            self.text_marked.emit(None)
        else:
            self.text_marked.emit(self._places_now().place_of(block))

    @Slot(int, int)
    def point_at_text(self, start: int, end: int) -> None:
        """Point at the block of what is selected, or of where the cursor is if both are the same."""
        self._selected = start, end
        if self._on and self._shown.blocks:
            self._rest_timer.start()

    @Slot()
    def _follow_selection(self) -> None:
        self.block_pointed.emit(self._places_now().block_at(*self._selected))

    def _places_now(self) -> BlockPlaces:
        text = self._shown_text()
        if self._places is None or self._places.shown != text:
            self._places = BlockPlaces(self._shown.blocks, self._shown.text, text)
        return self._places
