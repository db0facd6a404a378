"""Text that was copied, for as long as the clipboard holds it. Knows no page."""

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication


class CopiedText(QObject):
    """Copies text and watches over it.

    Signals:
        lost (): the clipboard holds something else.

    Args:
        parent: Qt parent.
    """

    lost = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clipboard = QGuiApplication.clipboard()
        self._text = ""
        self._clipboard.dataChanged.connect(self._compare)

    def copy(self, text: str) -> None:
        """Put a text into the clipboard, in place of what it holds."""
        self._text = text
        self._clipboard.setText(text)

    @Slot()
    def _compare(self) -> None:
        """Compare what the clipboard holds: on Windows, the news of our own copying comes late."""
        if not (self._clipboard.ownsClipboard() and self._clipboard.text() == self._text):
            self.lost.emit()
