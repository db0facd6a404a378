"""Where a person types what to find in the texts and what to write instead, and sees how often it was found.

Searches and changes nothing.
"""

from itertools import pairwise

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from rtocr_gui.ui.parts.arrivals import leaves_paste
from rtocr_gui.ui.parts.form_parts import flat_button, plain_button
from rtocr_gui.ui.parts.keys import keeps_escape, leaves_to_window
from rtocr_gui.ui.parts.named_label import YieldingLabel
from rtocr_gui.ui.state.shown import Found

_MOST_CHARACTERS = 200
_NARROW_CHARACTERS = 45
"""A bar of less width, in average characters, has too little space for all of a line beside the rest."""


class _Line(QLineEdit):
    """Leaves copied pictures and files, and shortcuts, to the window."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.setMaxLength(_MOST_CHARACTERS)
        self.setClearButtonEnabled(True)
        self.setAcceptDrops(False)  # files are dropped onto the window

    def event(self, event: QEvent) -> bool:
        return not (leaves_paste(event) or leaves_to_window(event)) and super().event(event)


class FindBar(QWidget):
    """A line to type into, buttons for the previous and next match, and what was found.

    Below it, if wanted, a line for what to write instead, and buttons that do so. In a narrow bar, the lines
    have rows of their own.

    Signals:
        words_changed (str): the words to find have changed.
        next_requested (str): go to the next match of these words.
        previous_requested (str): go to the previous match.
        replace_requested (str, str): write the second in the place of the chosen match of the first.
        replace_all_requested (str, str): the same for all matches on the shown page.
        replace_everywhere_requested (str, str): the same for all matches on all pages.
        closed (): the person has ended the search.
    """

    words_changed = Signal(str)
    next_requested = Signal(str)
    previous_requested = Signal(str)
    replace_requested = Signal(str, str)
    replace_all_requested = Signal(str, str)
    replace_everywhere_requested = Signal(str, str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._line = _Line("Words to find", "Find in the text of all pages")
        self._by = _Line("What to write instead", "Replace with")
        self._line.textChanged.connect(self.words_changed)
        self._found, self._can_replace = Found(), True
        self._outcome = YieldingLabel("Matches")
        self._outcome.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._previous = flat_button(
            "previous", "Previous match", "Previous match (Shift+F3)", self.find_previous
        )
        self._next = flat_button("next", "Next match", "Next match (F3)", self.find_next)
        self._close = flat_button("close", "Close", "Close (Esc)", self.closed.emit)
        self._replace = plain_button("Replace", "Replace this match, and go to the next", self._replace_one)
        self._replace_all = QPushButton("All")
        self._replace_all.setAccessibleName("Replace all")
        self._replace_all.setToolTip("Replace all matches on this page, or on all pages")
        menu = QMenu(self._replace_all)
        self._here = menu.addAction("On &this page", self._replace_here)
        self._everywhere = menu.addAction("On &all pages", self._replace_everywhere)
        self._replace_all.setMenu(menu)
        self._replacing = self._by, self._replace, self._replace_all
        self._grid, self._beside, self._below = QGridLayout(self), QHBoxLayout(), QHBoxLayout()
        self._grid.setContentsMargins(6, 2, 6, 2)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        for column, button in enumerate((self._previous, self._next, self._close), start=2):
            self._grid.addWidget(button, 0, column)
        self._beside.addStretch()
        self._grid.addLayout(self._beside, 1, 1, 1, -1)
        self._grid.addLayout(self._below, 2, 0, 1, -1)
        self._is_narrow = False
        self._arrange()
        for widget in self._replacing:
            widget.hide()
        for former, latter in pairwise((self._line, *self._replacing, self._previous)):
            self.setTabOrder(former, latter)
        self.setFocusProxy(self._line)
        self.show_found(Found())

    @property
    def words(self) -> str:
        """The words to find."""
        return self._line.text()

    def begin(self, words: str, *, replacing: bool = False) -> None:
        """Let the person type; these words, or else the former ones, are preselected.

        Args:
            words: the words to find.
            replacing: True to ask for what to write instead, too.
        """
        for widget in self._replacing:
            widget.setVisible(replacing)
        if words and words != self.words:
            self._line.setText(words)
        else:
            self.words_changed.emit(self.words)
        self._line.selectAll()
        self._line.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def find_next(self) -> None:
        """Request the next match of the words."""
        self.next_requested.emit(self.words)

    @Slot()
    def find_previous(self) -> None:
        """Request the previous match."""
        self.previous_requested.emit(self.words)

    def _replace_one(self) -> None:
        self.replace_requested.emit(self.words, self._by.text())

    def _replace_here(self) -> None:
        self.replace_all_requested.emit(self.words, self._by.text())

    def _replace_everywhere(self) -> None:
        self.replace_everywhere_requested.emit(self.words, self._by.text())

    @Slot(object)
    def show_found(self, found: Found) -> None:
        """Show how often the words were found, and which match is chosen."""
        self._outcome.setText(found.sentence)
        self._outcome.setToolTip(found.sentence)
        self._found = found
        self._enable()

    def set_can_replace(self, can_replace: bool) -> None:
        """Tell whether the shown text can be changed: not while it is being read."""
        self._can_replace = can_replace
        self._enable()

    def _enable(self) -> None:
        has_found = self._found.count > 0
        self._previous.setEnabled(has_found)
        self._next.setEnabled(has_found)
        self._replace.setEnabled(has_found and self._can_replace)
        self._here.setEnabled(has_found and self._can_replace)
        self._everywhere.setEnabled(has_found and (self._can_replace or self._found.elsewhere > 0))
        self._replace_all.setEnabled(self._everywhere.isEnabled())

    def _arrange(self) -> None:
        """Put outcome and buttons beside the lines, or below them if the bar is narrow."""
        grid, buttons = self._grid, (self._replace, self._replace_all)
        grid.addWidget(self._line, 0, 0, 1, 2 if self._is_narrow else 1)
        grid.addWidget(self._by, 1, 0, 1, -1 if self._is_narrow else 1)
        if self._is_narrow:
            for button in buttons:
                self._below.addWidget(button)
            self._below.addWidget(self._outcome, 1)
        else:
            for place, button in enumerate(buttons):
                self._beside.insertWidget(place, button)
            grid.addWidget(self._outcome, 0, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < _NARROW_CHARACTERS * self.fontMetrics().averageCharWidth()
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._arrange()

    def event(self, event: QEvent) -> bool:
        return keeps_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._line.hasFocus():
            backwards = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.find_previous() if backwards else self.find_next()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._by.hasFocus():
            self._replace.click()  # if it is enabled
        else:
            super().keyPressEvent(event)
