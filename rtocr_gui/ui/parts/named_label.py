"""Labels for plain text, and those with a name of their own for screen readers, which hear their text too."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from rtocr_gui.ui.parts.plain_text import tied


class PlainLabel(QLabel):
    """Shows what looks like a tag as it is, and ends no line between a figure and its unit.

    Args:
        text: the first text.
        parent: Qt parent.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        self._text = text
        super().setText(tied(text))

    def text(self) -> str:
        """The text as it was set."""
        return self._text

    def clear(self) -> None:
        self.setText("")


class NamedLabel(PlainLabel):
    """Tells its text as its accessible description: Qt tells the name of a label instead of the text.

    Args:
        name: what the text is about, such as "Status".
        text: the first text.
        parent: Qt parent.
    """

    def __init__(self, name: str, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAccessibleName(name)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setAccessibleDescription(text)


class YieldingLabel(NamedLabel):
    """One line that yields space to its neighbours, and is elided where it does not fit."""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        with QPainter(self) as painter:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, shown)
