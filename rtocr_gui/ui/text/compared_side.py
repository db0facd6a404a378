"""One of two compared readings: how it is made, what it is called, and its text with the differences marked.

Knows nothing of the reading beside it.
"""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from rtocr_gui.ocr.reading import Reading, StopReason
from rtocr_gui.ui.text.compared_text import ComparedText, MarkedText
from rtocr_gui.ui.text.pruning_chooser import PruningChooser
from rtocr_gui.units import grouped

_NOTHING_READ = "No text was read."
_LEAST_CHARACTERS = 24
"""Minimum width of the text, in average characters."""


class ComparedSide(QWidget):
    """A chooser, a caption and a text below each other.

    Attributes:
        chooser: how the reading is made.
        text: has the signals and slots of the text.

    Args:
        name: "Left" or "Right".
        choice: how the reading is made at first, `ALL_TOKENS` or `SLIDER`.
        tint: mixed into the background of differences.
    """

    def __init__(self, name: str, choice: float | str, tint: QColor) -> None:
        super().__init__()
        self._name = name
        self.chooser = PruningChooser(name, choice)
        self._caption = QLabel()
        self._caption.setTextFormat(Qt.TextFormat.PlainText)
        self._caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.text = ComparedText(tint)
        self.text.setToolTip("Click a difference to go there")
        self.text.setMinimumHeight(self.text.fontMetrics().lineSpacing() * 4)
        self.setMinimumWidth(self._caption.fontMetrics().averageCharWidth() * _LEAST_CHARACTERS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.chooser)
        column.addWidget(self._caption)
        column.addWidget(self.text, 1)

    def show_reading(self, label: str, reading: Reading, marked: MarkedText) -> None:
        """Show the text of a reading from its beginning.

        Args:
            label: how the reading was made, in words.
            reading: how many tokens it kept, and whether it came to its end.
            marked: its text, and what differs in it.
        """
        is_whole = reading.stop_reason in (StopReason.END, StopReason.CANCELLED)
        tokens = f"{grouped(reading.kept)} of {grouped(reading.total)} tokens"
        self._show(marked, f"{label} · {tokens}{'' if is_whole else ' · incomplete'}", _NOTHING_READ)

    def clear(self) -> None:
        """Show no reading."""
        self._show(MarkedText(""), "", "")

    def _show(self, marked: MarkedText, caption: str, placeholder: str) -> None:
        self.text.show_marked(marked)
        self.text.setPlaceholderText(placeholder)
        self.text.setAccessibleName(
            f"{self._name} reading: {caption}" if caption else f"{self._name} reading"
        )
        self._caption.setText(caption)
        self._caption.setToolTip(caption)
        self._caption.setVisible(bool(caption))
