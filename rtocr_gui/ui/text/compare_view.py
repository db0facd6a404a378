"""Two readings of one page side by side: choosing, comparing, and stepping through the differences.

Knows no page and reads nothing: it emits which two readings are wanted, and shows a comparison.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QHideEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QToolButton, QVBoxLayout, QWidget

from rtocr_gui.ocr.text.comparison import Change, Difference, TextComparison
from rtocr_gui.ui.parts.form_parts import plain_button, plain_label, show_in_place_of
from rtocr_gui.ui.parts.named_label import NamedLabel
from rtocr_gui.ui.state.shown import ComparisonShown
from rtocr_gui.ui.text.compared_side import ComparedSide
from rtocr_gui.ui.text.compared_text import ComparedText, MarkedText
from rtocr_gui.ui.text.difference_list import DifferenceList
from rtocr_gui.ui.text.pruning_chooser import ALL_TOKENS, SLIDER
from rtocr_gui.units import counted, error_in_percent, share_of_whole

SAME = "The two readings are the same, character by character."
_HINT = "Choose how each reading is made, then press Compare."
_LEGEND = "Struck: only left · underlined: only right · wavy: different"
_LEFT_TINT, _RIGHT_TINT = QColor(213, 94, 0), QColor(0, 114, 178)
"""Vermilion and blue, which colour-blind people can tell apart (Okabe and Ito)."""

_SIDE_BY_SIDE_CHARACTERS = 62
"""From this width on, in average characters, the texts are shown side by side."""


class CompareView(QWidget):
    """Lets a person choose two readings, and shows where their texts differ.

    Signals:
        comparison_requested(PruneSettings, PruneSettings): compare these two readings, left and right.
        stop_requested(): stop reading for the comparison.
        place_chosen(Difference): the person has selected a difference.
        closed(): something else is shown instead.
    """

    comparison_requested = Signal(object, object)
    stop_requested = Signal()
    place_chosen = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shown: ComparisonShown | None = None
        self._chosen = -1
        self._scrolling = False
        self._left = ComparedSide("Left", ALL_TOKENS, _LEFT_TINT)
        self._right = ComparedSide("Right", SLIDER, _RIGHT_TINT)
        self._left.text.verticalScrollBar().valueChanged.connect(self._follow_left)
        self._right.text.verticalScrollBar().valueChanged.connect(self._follow_right)
        self._left.text.place_clicked.connect(self._choose_in_left)
        self._right.text.place_clicked.connect(self._choose_in_right)
        self._list = DifferenceList()
        self._list.currentRowChanged.connect(self._go_to_row)
        self._list.clicked.connect(self._bring_to_sight)
        self._legend = plain_label(_LEGEND, "Legend")
        self._compose()
        self.show_comparison(None)

    # Composition ---------------------------------------------------------------------------

    def _compose(self) -> None:
        self._texts = QSplitter(Qt.Orientation.Horizontal)
        self._texts.setChildrenCollapsible(False)
        self._texts.addWidget(self._left)
        self._texts.addWidget(self._right)
        body = QSplitter(Qt.Orientation.Vertical)
        body.setChildrenCollapsible(False)
        body.addWidget(self._texts)
        body.addWidget(self._list)
        body.setStretchFactor(0, 4)
        body.setStretchFactor(1, 1)

        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        column.addLayout(self._compose_bar())
        column.addWidget(body, 1)
        column.addWidget(self._legend)

    def _compose_bar(self) -> QHBoxLayout:
        self._compare = plain_button(
            "Compare", "Mark what differs; readings that are missing are made first", self._request
        )
        self.setFocusProxy(self._compare)
        self._stop = plain_button("Stop", "Stop reading for the comparison", self.stop_requested.emit)
        self._stop.hide()
        self._summary = NamedLabel("Outcome of the comparison")
        self._summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._summary.setWordWrap(True)
        self._position = NamedLabel("Number of the selected difference")
        self._previous = self._step_button("Previous difference", "Shift+F8", Qt.ArrowType.UpArrow, -1)
        self._next = self._step_button("Next difference", "F8", Qt.ArrowType.DownArrow, 1)
        bar = QHBoxLayout()
        bar.addWidget(self._compare)
        bar.addWidget(self._stop)
        bar.addWidget(self._summary, 1)
        for widget in (self._position, self._previous, self._next):
            bar.addWidget(widget)
        return bar

    def _step_button(self, text: str, keys: str, arrow: Qt.ArrowType, step: int) -> QToolButton:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(keys))
        action.setToolTip(f"{text} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
        action.triggered.connect(lambda: self._step(step))
        self.addAction(action)
        button = QToolButton()
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setArrowType(arrow)
        button.setAutoRaise(True)
        return button

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous():
            self.closed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        enough = self.fontMetrics().averageCharWidth() * _SIDE_BY_SIDE_CHARACTERS
        wide = event.size().width() >= enough
        self._texts.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    # What is shown -------------------------------------------------------------------------

    @Slot(object)
    def show_retention(self, retention: float | None) -> None:
        """Offer the ratio of the retention slider; None for automatic."""
        for side in (self._left, self._right):
            side.chooser.show_retention(retention)

    @Slot(bool)
    def set_ready(self, ready: bool) -> None:
        """Enable comparing; False if there is no page or no model."""
        self._compare.setEnabled(ready)

    @Slot(object)
    def show_comparison(self, shown: ComparisonShown | None) -> None:
        """Show a comparison from its beginning; None for none."""
        self._shown = shown
        self._chosen = -1
        comparison = shown.comparison if shown else None
        self._scrolling = True
        if shown is None:
            self._left.clear()
            self._right.clear()
        else:
            left, right = _marked(shown.comparison)
            self._left.show_reading(shown.left_label, shown.left, left)
            self._right.show_reading(shown.right_label, shown.right, right)
        self._scrolling = False
        self._list.show_comparison(comparison)
        for widget in (self._list, self._legend):
            widget.setVisible(self._list.count() > 0)
        self._summary.setText(_summary(shown))
        self._show_position()

    @Slot(str, bool)
    def show_activity(self, sentence: str, running: bool) -> None:
        """Show what is going on, or why it ended; an empty sentence shows the outcome again."""
        self._summary.setText(sentence or _summary(self._shown))
        if running:
            show_in_place_of(self._stop, self._compare)
        else:
            show_in_place_of(self._compare, self._stop)

    def _show_position(self) -> None:
        count = self._list.count()
        self._position.setText(f"{self._chosen + 1} of {count}" if self._chosen >= 0 else "")
        for button in (self._previous, self._next):
            button.defaultAction().setEnabled(count > 0)
            button.setVisible(count > 0)

    # Going through the differences ---------------------------------------------------------

    @property
    def _differences(self) -> tuple[Difference, ...]:
        return self._shown.comparison.differences if self._shown else ()

    def _request(self) -> None:
        self.comparison_requested.emit(self._left.chooser.pruning, self._right.chooser.pruning)

    def _step(self, step: int) -> None:
        count = self._list.count()
        if count:
            begun = self._chosen >= 0
            row = (self._chosen + step) % count if begun else (0 if step > 0 else count - 1)
            if row == self._chosen:
                self._go_to_row(row)  # the only one: the person may have scrolled away from it
            else:
                self._list.setCurrentRow(row)

    @Slot(int)
    def _choose_in_left(self, position: int) -> None:
        self._choose_where(lambda difference: difference.left.start <= position <= difference.left.end)

    @Slot(int)
    def _choose_in_right(self, position: int) -> None:
        self._choose_where(lambda difference: difference.right.start <= position <= difference.right.end)

    def _choose_where(self, is_there: Callable[[Difference], bool]) -> None:
        row = next((row for row, difference in enumerate(self._differences) if is_there(difference)), None)
        if row is not None:
            self._list.setCurrentRow(row)

    @Slot(int)
    def _go_to_row(self, row: int) -> None:
        if row < 0:
            return
        self._chosen = row
        difference = self._differences[row]
        self._left.text.choose(difference.left)
        self._right.text.choose(difference.right)
        self._bring_to_sight()
        self._show_position()
        self.place_chosen.emit(difference)

    @Slot()
    def _bring_to_sight(self) -> None:
        """Show the difference at one height in both texts; the left scrolls only if it is not visible."""
        difference = self._differences[self._chosen]
        left, right = self._left.text, self._right.text
        self._scrolling = True
        seen_px = left.viewport().height()
        at_px = left.height_of(difference.left.start)
        if not 0 <= at_px <= seen_px - 2 * left.fontMetrics().lineSpacing():
            left.scroll_to(difference.left.start, seen_px // 3)
        right.scroll_to(difference.right.start, left.height_of(difference.left.start))
        self._scrolling = False

    @Slot()
    def _follow_left(self) -> None:
        if self._shown is not None:
            self._follow(self._left.text, self._right.text, self._shown.comparison.place_on_the_right)

    @Slot()
    def _follow_right(self) -> None:
        if self._shown is not None:
            self._follow(self._right.text, self._left.text, self._shown.comparison.place_on_the_left)

    def _follow(self, leader: ComparedText, follower: ComparedText, beside: Callable[[int], int]) -> None:
        if not self._scrolling:
            self._scrolling = True
            position, y_px = leader.top()
            follower.scroll_to(beside(position), y_px)
            self._scrolling = False


def _marked(comparison: TextComparison) -> tuple[MarkedText, MarkedText]:
    """The left text and the right one, with what differs in them."""
    differences = comparison.differences
    changed = [segment for segment in comparison.segments if segment.change is not Change.EQUAL]
    return (
        MarkedText(
            comparison.left,
            tuple(difference.left for difference in differences),
            tuple((segment.left, segment.change) for segment in changed),
        ),
        MarkedText(
            comparison.right,
            tuple(difference.right for difference in differences),
            tuple((segment.right, segment.change) for segment in changed),
        ),
    )


def _summary(shown: ComparisonShown | None) -> str:
    if shown is None:
        return _HINT
    comparison, rates = shown.comparison, shown.error_rates
    if comparison.left == comparison.right:
        outcome = SAME if comparison.left else "Neither reading found any text."
        return outcome if rates is None else f"{outcome} Error rate: {error_in_percent(rates[0])}"
    count = len(comparison.differences)
    outcome = f"{share_of_whole(comparison.similarity)} alike · {counted(count, 'difference')}"
    if rates is None:
        return outcome
    left, right = map(error_in_percent, rates)
    return f"{outcome} · error rates {left} / {right}"
