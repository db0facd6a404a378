"""Labels with a name of their own for screen readers, which hear their text too."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget


class NamedLabel(QLabel):
    """Tells its text as its accessible description: Qt tells the name of a label instead of the text.

    The text is plain: what looks like a tag is shown as it is.

    Args:
        name: what the text is about, such as "Status".
        text: the first text.
        parent: Qt parent.
    """

    def __init__(self, name: str, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setAccessibleDescription(text)

    def clear(self) -> None:
        self.setText("")


class YieldingLabel(NamedLabel):
    """One line that yields space to its neighbours, and is elided where it does not fit."""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        with QPainter(self) as painter:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, shown)
