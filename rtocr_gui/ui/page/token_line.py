"""One line of a text that is being played: the current token and what is around it.

Knows only strings, no reading.
"""

from typing import cast

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from rtocr_gui.ui.parts.plain_text import qt_begins

_SIGNS = str.maketrans({"\n": "↵", "\u2028": "↵", "\u2029": "↵", "\t": " "})


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
        quiet = self.palette().color(self.foregroundRole())
        quiet.setAlphaF(0.7)
        with QPainter(self) as painter:
            painter.setPen(quiet)
            if self._sentence:
                mode = Qt.TextElideMode.ElideRight
                shown = self.fontMetrics().elidedText(self._sentence, mode, self.width())
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine
                painter.drawText(self.rect(), flags, shown)
            else:
                layout, middle = self._lay_out()
                top = (self.height() - layout.boundingRect().height()) / 2
                layout.draw(painter, QPointF(self.width() / 2 - middle, top))

    def _lay_out(self) -> tuple[QTextLayout, float]:
        """The text in one line, in the direction of its script, and where the token's middle is in it."""
        before, token, after = self._parts
        text = before + token + after
        begins = qt_begins(text)
        begin, end = begins[len(before)], begins[len(before) + len(token)]
        marked = QTextLayout.FormatRange()
        marked.start, marked.length = begin, end - begin
        marked.format.setFontWeight(QFont.Weight.Bold)
        marked.format.setBackground(self.palette().highlight())
        marked.format.setForeground(self.palette().highlightedText())
        option = QTextOption(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        layout = QTextLayout(text, self.font())
        layout.setTextOption(option)
        layout.setFormats([marked])
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(self.width())
        layout.endLayout()
        sides = [cast(tuple[float, int], line.cursorToX(place))[0] for place in (begin, end)]
        return layout, sum(sides) / 2

    def _tell(self, description: str) -> None:
        self.setAccessibleDescription(description)
        self.update()
