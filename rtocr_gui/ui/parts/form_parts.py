"""Labels, buttons and names shared by several panes: plain text, and no button is pressed by Return."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QPushButton, QSizePolicy, QTabBar, QTabWidget, QToolButton

from rtocr_gui.ui.parts.focus_frame import paint_frame
from rtocr_gui.ui.parts.icons import icon
from rtocr_gui.ui.parts.named_label import NamedLabel, PlainLabel


def plain_label(text: str = "", name: str = "") -> PlainLabel:
    """A label that wraps, as high as its width asks for, and never mistakes a file name for rich text.

    Args:
        text: the first text.
        name: what screen readers call it, besides its text; empty for the text alone.
    """
    label = NamedLabel(name, text) if name else PlainLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    label.setWordWrap(True)  # after the policy, which it completes: the height depends on the width
    return label


def name_choice(box: QComboBox, name: str) -> None:
    """Name a box that has no caption for screen readers, once it has its place.

    Except on Windows, Qt tells what is chosen as the name of a box; only a label tells what it is about.
    """
    box.setAccessibleName(name)
    label = plain_label(name)
    label.setParent(box.parentWidget())
    label.setBuddy(box)
    label.hide()


class TabWidget(QTabWidget):
    """Tabs whose bar, which takes the focus, has a frame then.

    Args:
        name: what screen readers call the tabs and their bar.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        bar = _TabBar()
        bar.setDrawBase(False)
        self.setTabBar(bar)
        for part in (self, bar):
            part.setAccessibleName(name)


class _TabBar(QTabBar):
    """Frames the tab that is chosen while the bar has the focus: styles show that faintly."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            with QPainter(self) as painter:
                inside = self.tabRect(self.currentIndex()).adjusted(3, 3, -3, -3)
                paint_frame(painter, inside, self.palette().highlight().color())


def plain_button(text: str, tip: str, action: Callable[[], None]) -> QPushButton:
    """A button that Return in another field does not press."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    button.clicked.connect(lambda: action())
    return button


def show_in_place_of(button: QPushButton, other: QPushButton) -> None:
    """Show a button in the place of another, whose focus it takes over."""
    button.show()
    if other.hasFocus():
        button.setFocus()
    other.hide()


def flat_button(icon_name: str, name: str, tip: str, action: Callable[[], None]) -> QToolButton:
    """A button of a bar, with an icon; Tab reaches it, but a click does not move the focus."""
    button = QToolButton()
    button.setIcon(icon(icon_name))
    button.setAccessibleName(name)
    button.setToolTip(tip)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(action)
    return button
