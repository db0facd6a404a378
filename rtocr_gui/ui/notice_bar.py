"""A strip above the panes that tells what went wrong or got done, until the person dismisses it."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QToolButton, QWidget

LINES_KEPT = 50
VISIBLE_LINES = 5


class NoticeBar(QFrame):
    """Shows sentences as they come, newest last; hidden while there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Notices")
        self._sentences: list[str] = []
        self._label = QLabel()
        # Notices quote file names: never let one be taken for rich text.
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._label)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        bar = self._scroll.verticalScrollBar()
        bar.rangeChanged.connect(lambda _, maximum: bar.setValue(maximum))
        dismiss = QToolButton()
        dismiss.setText("Dismiss")
        dismiss.setToolTip("Hide these notices (Esc)")
        dismiss.setShortcut(Qt.Key.Key_Escape)
        dismiss.setAutoRaise(True)
        dismiss.clicked.connect(self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 4, 4)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(dismiss, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is shown, oldest first."""
        return tuple(self._sentences)

    @Slot(str)
    def add(self, sentence: str) -> None:
        """Show one more sentence."""
        self._sentences = [*self._sentences, sentence][-LINES_KEPT:]
        self._label.setText("\n".join(self._sentences))
        self.show()
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        line = self._label.fontMetrics().lineSpacing()
        needed = self._label.heightForWidth(self._scroll.viewport().width())
        self._scroll.setFixedHeight(max(line, min(needed, VISIBLE_LINES * line)) + 4)

    @Slot()
    def clear(self) -> None:
        """Forget all sentences and hide."""
        self._sentences = []
        self._label.clear()
        self.hide()
