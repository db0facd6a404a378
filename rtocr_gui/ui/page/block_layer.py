"""The blocks of a page as painted over it: outlines, each with a tag that names its kind.

Colours can be told apart with any colour vision, yet nothing depends on them: the tag says what a block is.
Knows no widget and no text, and no zoom other than the one it is asked to paint at.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QPainter, QPen

from rtocr_gui.ocr.reading import Block
from rtocr_gui.ui.page.page_place import PagePlace

_CASING = QColor(255, 255, 255)
_OTHER = QColor(64, 74, 88)
_COLOURS = (
    ("caption", _OTHER),
    ("title", QColor(0, 98, 165)),
    ("table", QColor(166, 64, 0)),
    ("image", QColor(0, 112, 80)),
    ("figure", QColor(0, 112, 80)),
    ("chart", QColor(0, 112, 80)),
    ("equation", QColor(140, 50, 112)),
    ("formula", QColor(140, 50, 112)),
)
"""Parts of labels and their colours; the first match counts. White is readable on each."""

_TAG_SIZE = 0.8
_FILL_ALPHA = 36


class BlockLayer:
    """Paints blocks over a page. One of them can be in focus."""

    def __init__(self) -> None:
        self._blocks: tuple[Block, ...] = ()
        self._page_size = QSize()
        self._boxes: list[list[QRectF]] = []
        self._room_beside: list[float] = []
        self._focus: int | None = None

    @property
    def focus(self) -> int | None:
        """The highlighted block."""
        return self._focus

    def set_page_size(self, size: QSize) -> None:
        """Set the size of the page in pixels; an empty size means there is none."""
        self._page_size = size
        self._lay()

    def show(self, blocks: Sequence[Block]) -> None:
        """Show other blocks. The focus stays if it is still the same block, as while a text streams."""
        before, self._blocks = self._blocks, tuple(blocks)
        focus = self._focus
        if focus is not None and not (
            focus < len(self._blocks) and self._blocks[focus].boxes == before[focus].boxes
        ):
            self._focus = None
        self._lay()

    def set_focus(self, block: int | None) -> None:
        """Highlight a block, or none; one that is not shown counts as none."""
        self._focus = block if block is not None and block < len(self._blocks) else None

    def _lay(self) -> None:
        size = self._page_size.width(), self._page_size.height()
        self._boxes = [
            [QRectF(QPointF(*box[:2]), QPointF(*box[2:])) for box in block.boxes_px(size)]
            for block in self._blocks
            if not self._page_size.isEmpty()
        ]
        self._room_beside = _room_beside([boxes[:1] for boxes in self._boxes])

    def block_at(self, point: QPointF) -> int | None:
        """The block at a point in page pixels; if several overlap, that of the smallest box."""
        hit = [
            (box.width() * box.height(), block)
            for block, boxes in enumerate(self._boxes)
            for box in boxes
            if box.contains(point)
        ]
        return min(hit)[1] if hit else None

    def paint(self, painter: QPainter, place: PagePlace) -> None:
        """Paint the blocks on the page, and their tags, which may be beside the page.

        Args:
            painter: in device pixels, with the font of the view.
            place: where the page lies.
        """
        view, to_view, line_width = place.view, place.to_view, place.line_width
        painter.save()
        painter.setClipRect(view)
        painter.setFont(_tag_font(painter.font(), place.device_ratio))
        in_view = [[to_view.mapRect(box) for box in boxes] for boxes in self._boxes]
        seen = [index for index, boxes in enumerate(in_view) if any(map(QRectF(view).intersects, boxes))]
        focus = self._focus if self._focus in seen else None
        outlines: dict[int, list[QRectF]] = {}
        for index in seen:
            if index != focus:
                outlines.setdefault(colour_of(self._blocks[index].label).rgb(), []).extend(in_view[index])
        _paint_outlines(painter, outlines, line_width, line_width)
        if focus is not None:
            colour = colour_of(self._blocks[focus].label)
            for box in in_view[focus]:
                painter.fillRect(box, QColor(colour.red(), colour.green(), colour.blue(), _FILL_ALPHA))
            _paint_outlines(painter, {colour.rgb(): in_view[focus]}, 3 * line_width, line_width)
        for index in seen:
            room = QRectF(place.page)
            room.setLeft(max(view.left(), in_view[index][0].left() - self._room_beside[index] * place.zoom))
            _paint_tag(painter, in_view[index][0], self._blocks[index].label, room)
        painter.restore()


def colour_of(label: str) -> QColor:
    """The colour of a kind of block, dark enough for white text."""
    return next((colour for part, colour in _COLOURS if part in label.lower()), _OTHER)


def _tag_font(font: QFont, device_ratio: float) -> QFont:
    tag_font = QFont(font)
    tag_font.setPixelSize(max(1, round(QFontInfo(font).pixelSize() * _TAG_SIZE * device_ratio)))
    return tag_font


def _paint_outlines(
    painter: QPainter, outlines: Mapping[int, Sequence[QRectF]], width: int, casing: int
) -> None:
    """Outline boxes by colour, with all casings beneath all lines."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    boxes = [box for group in outlines.values() for box in group]
    for ink, thickness, group in (
        (_CASING, width + 2 * casing, boxes),
        *((QColor(colour), width, group) for colour, group in outlines.items()),
    ):
        painter.setPen(QPen(ink, thickness, j=Qt.PenJoinStyle.MiterJoin))
        painter.drawRects(list(group))


def _room_beside(boxes: Sequence[Sequence[QRectF]]) -> list[float]:
    """Distance from each block's first box to what is left of it; infinite if nothing is."""
    edges = np.array([box.getCoords() for first in boxes for box in first]).reshape(-1, 4)
    left, top, right, bottom = edges.T
    beside = (top[:, None] < bottom) & (top < bottom[:, None]) & (left < left[:, None])
    room = iter((left - np.where(beside, right, -np.inf).max(axis=1, initial=-np.inf)).tolist())
    return [next(room) if first else 0.0 for first in boxes]


def _paint_tag(painter: QPainter, box: QRectF, label: str, room: QRectF) -> None:
    """Name a block: left of it if there is room, else above it, else within it."""
    if not label:
        return
    text, metrics = label.replace("_", " "), QFontMetricsF(painter.font())
    space = metrics.averageCharWidth() / 2
    tag = QRectF(box.left(), 0, metrics.horizontalAdvance(text) + 2 * space, metrics.height())
    if tag.width() <= box.left() - room.left():
        tag.moveTopRight(box.topLeft())
    else:
        tag.moveBottom(max(box.top(), room.top() + tag.height()))
    painter.fillRect(tag, colour_of(label))
    painter.setPen(_CASING)
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
