"""A label with a name of its own for screen readers, which hear its text too."""

from PySide6.QtCore import Qt
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
