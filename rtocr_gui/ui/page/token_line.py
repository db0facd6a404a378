"""One line of a text that is being played: the current token and what is around it.

Knows only strings, no reading.
"""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

_SIGNS = str.maketrans({"\n": "↵", "\t": " "})


class TokenLine(QWidget):
    """One line of text with the current token in the middle, or a sentence if there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._parts = ("", "", "")
        self._sentence = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def say(self, before: str, token: str, after: str) -> None:
        """Show a token between the text before and after it."""
        self._parts = before.translate(_SIGNS), token.translate(_SIGNS), after.translate(_SIGNS)
        self._sentence = ""
        self._tell(token)

    def tell(self, sentence: str) -> None:
        """Show a sentence instead."""
        self._sentence = sentence
        self._tell(sentence)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 30, round(metrics.lineSpacing() * 1.4))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().averageCharWidth() * 10, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        whole = self.rect()
        quiet = self.palette().color(self.foregroundRole())
        quiet.setAlphaF(0.7)
        centre = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        if self._sentence:
            painter.setPen(quiet)
            shown = self.fontMetrics().elidedText(self._sentence, Qt.TextElideMode.ElideRight, whole.width())
            painter.drawText(whole, centre | Qt.AlignmentFlag.AlignHCenter, shown)
            return
        before, token, after = self._parts
        bold = QFont(self.font())
        bold.setBold(True)
        width = QFontMetrics(bold).horizontalAdvance(token)
        middle = QRect(whole.center().x() - width // 2, whole.top(), width, whole.height())
        painter.setPen(quiet)
        left = QRect(QPoint(whole.left(), whole.top()), QPoint(middle.left() - 1, whole.bottom()))
        right = QRect(QPoint(middle.left() + width, whole.top()), whole.bottomRight())
        painter.drawText(left, centre | Qt.AlignmentFlag.AlignRight, before)
        painter.drawText(right, centre | Qt.AlignmentFlag.AlignLeft, after)
        painter.fillRect(middle.adjusted(0, 2, 0, -2), self.palette().highlight())
        painter.setFont(bold)
        painter.setPen(self.palette().color(self.palette().ColorRole.HighlightedText))
        painter.drawText(middle, centre | Qt.AlignmentFlag.AlignHCenter, token)

    def _tell(self, description: str) -> None:
        self.setAccessibleDescription(description)
        self.update()
