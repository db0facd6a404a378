"""The description of the pinned cell. Knows a view and where cells lie in it, no plan and no token."""

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from rtocr_gui.ui.page.floating_label import FloatingLabel


class PinnedDetails(FloatingLabel):
    """Describes the pinned cell, in the corner of the view where it covers the fewest relevant cells."""

    def __init__(self, view: QWidget) -> None:
        super().__init__("Pinned token", view)
        self._view = view

    def show_apart(self, text: str, cells: list[QRectF]) -> None:
        """Show a text in the corner that overlaps the fewest of these cells."""
        room = QRectF(self._view.rect().adjusted(8, 8, -8, -8))
        self.setText(text)
        self.adjustSize()
        across = room.right() - self.width(), room.left()
        down = room.top(), room.bottom() - self.height()
        corners = [QRectF(left, top, self.width(), self.height()) for top in down for left in across]
        best = min(corners, key=lambda corner: sum(corner.intersects(cell) for cell in cells))
        self.move(round(max(best.left(), room.left())), round(max(best.top(), room.top())))
        self.show()
