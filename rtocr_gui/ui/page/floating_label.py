"""Words that float over a view, in the colours of a tooltip. Knows no page."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QWidget

from rtocr_gui.ui.parts.named_label import NamedLabel


class FloatingLabel(NamedLabel):
    """A hidden label over a view, whose mouse events go to the view.

    Args:
        name: what the text is about.
        view: what it floats over.
    """

    def __init__(self, name: str, view: QWidget) -> None:
        super().__init__(name, parent=view)
        self.setFrameShape(QFrame.Shape.Box)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.ToolTipBase)
        self.setForegroundRole(QPalette.ColorRole.ToolTipText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMargin(6)
        self.hide()
