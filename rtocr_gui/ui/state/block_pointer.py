"""Maps between blocks of the shown page and their text, which may have been corrected.

Knows blocks and characters, no widget.
"""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.ocr.text.block_places import BlockPlaces
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.places_in_text import PlacesInText
from rtocr_gui.ui.state.shown import BlocksShown

REST_MS = 60
"""The cursor's block is looked up once the cursor rests, as corrected text has to be aligned for that."""


class BlockPointer(QObject):
    """Finds the block of a piece of text, and the text of a block.

    Signals:
        block_pointed (int or None): the block whose text contains the cursor or the selection.
        text_marked (tuple of start and end, or None): the text of the block that is pointed at.

    Args:
        bridge: aligns corrected text.
        shown_text: returns the shown text, including corrections.
        parent: Qt parent.
    """

    block_pointed = Signal(object)
    text_marked = Signal(object)

    def __init__(
        self, bridge: EngineBridge, shown_text: Callable[[], str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._shown = BlocksShown()
        self._on = True
        self._places = PlacesInText[BlockPlaces](bridge, shown_text, self)
        self._block: int | None = None
        self._selected = (0, 0)
        self._rest_timer = one_shot(self, REST_MS, self._follow_selection)

    @Slot(object)
    def show_blocks(self, shown: BlocksShown) -> None:
        """Use other blocks from now on."""
        if shown != self._shown:
            self._shown = shown
            self._rest_timer.stop()
            self._places.drop_wishes()
            self._places.set_reading(shown.text, partial(BlockPlaces, shown.blocks, shown.text))

    @Slot(bool)
    def set_on(self, on: bool) -> None:
        """Start or stop following cursor and selection."""
        self._on = on
        if not on:
            self._rest_timer.stop()
            self.block_pointed.emit(None)

    @Slot(object)
    def point_at_block(self, block: int | None) -> None:
        """Mark the text of a block; None for none."""
        self._block = block if block is not None and block < len(self._shown.blocks) else None
        if self._block is None:
            self.text_marked.emit(None)
        else:
            self._places.use(self._mark_block)

    @Slot(int, int)
    def point_at_text(self, start: int, end: int) -> None:
        """Point at the block of the selection, or of the cursor if start and end are equal."""
        self._selected = start, end
        if self._on and self._shown.blocks:
            self._rest_timer.start()

    @Slot()
    def _follow_selection(self) -> None:
        self._places.use(self._point_at_block)

    def _mark_block(self, places: BlockPlaces) -> None:
        if self._block is not None:
            self.text_marked.emit(places.place_of(self._block))

    def _point_at_block(self, places: BlockPlaces) -> None:
        if self._on:
            self.block_pointed.emit(places.block_at(*self._selected))
