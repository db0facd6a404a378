"""The description of the pinned cell. Knows a view and where cells lie in it, no plan and no token."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QWidget

from rtocr_gui.ui.parts.named_label import NamedLabel


class PinnedDetails(NamedLabel):
    """Describes the pinned cell, in the corner of the view where it covers the fewest relevant cells."""

    def __init__(self, view: QWidget) -> None:
        super().__init__("Pinned token", parent=view)
        self._view = view
        self.setFrameShape(QFrame.Shape.Box)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.ToolTipBase)
        self.setForegroundRole(QPalette.ColorRole.ToolTipText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMargin(6)
        self.hide()

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
