"""A window with a text to read, for what is too long for a tooltip. Knows nothing about the text."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from rtocr_gui.ui.parts.form_parts import plain_label
from rtocr_gui.ui.parts.layouts import scrolled, within_screen

_LINE_CHARACTERS = 72


class Explanation(QDialog):
    """Shows plain text, which scrolls, also by keys, where it is taller than the screen.

    Args:
        title: of the window.
        text: paragraphs with blank lines between them.
        parent: parent of the dialog.
    """

    def __init__(self, title: str, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._words = plain_label(text)
        self._area = scrolled(self._words)
        self._area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._area.setAccessibleName(title)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self._area)
        layout.addWidget(close)
        self.resize(within_screen(self.sizeHint(), self))

    def sizeHint(self) -> QSize:
        width = _LINE_CHARACTERS * self.fontMetrics().averageCharWidth()
        words = QSize(width, self._words.heightForWidth(width))
        return words + super().sizeHint() - self._area.sizeHint()
