"""The right-hand column: the text of the page, and below it the tuning panel.

Composes panes. Comparison and curve are built when they are first shown.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.parts.form_parts import TabWidget
from rtocr_gui.ui.parts.layouts import scrolled, stack
from rtocr_gui.ui.parts.lazy_pane import LazyPane
from rtocr_gui.ui.parts.named_label import PlainLabel
from rtocr_gui.ui.state.shown import ShownText
from rtocr_gui.ui.text.find_bar import FindBar
from rtocr_gui.ui.text.text_pane import TextPane
from rtocr_gui.ui.tuning.figures_panel import FiguresPanel

if TYPE_CHECKING:
    from rtocr_gui.ui.text.compare_view import CompareView
    from rtocr_gui.ui.tuning.curve_view import CurveView


class TextColumn(QSplitter):
    """Text and comparison in tabs, figures and curve in tabs below them."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.summary = _Summary()
        self.text_pane = TextPane()
        self.find_bar = FindBar()
        self.find_bar.hide()
        self.compare = LazyPane(_make_compare_view)
        self.figures_panel = FiguresPanel()
        self.curve = LazyPane(_make_curve_view)
        self._compare_tab, self._curve_tab = scrolled(self.compare), scrolled(self.curve)
        self.text_pane.add_tab(self._compare_tab, "C&ompare", "Two readings of this page side by side")
        self.panel = TabWidget("Tuning panel")
        self.panel.setDocumentMode(True)
        self.panel.addTab(self.figures_panel, "Figure&s")
        self.panel.setTabToolTip(0, "What a reading costs, and how automatic retention is calculated")
        self.panel.addTab(self._curve_tab, "&Curve")
        self.panel.setTabToolTip(1, "What the text loses as fewer tokens are kept")
        above = QWidget()
        stack(above, self.summary, self.text_pane, self.find_bar, growing=self.text_pane)
        for part, stretch in ((above, 1), (self.panel, 1)):
            self.addWidget(part)
            self.setStretchFactor(self.count() - 1, stretch)
        self.setChildrenCollapsible(False)
        self.setSizes([385, 315])

    def show_text(self, shown: ShownText, ref: PageRef | None) -> None:
        """Show the text of a page, or why there is none.

        Args:
            shown: the text, and how it came about.
            ref: the page; None while none is selected.
        """
        if shown.text:
            self.text_pane.show_text(shown.text, ref)
        else:
            self.text_pane.show_message(shown.placeholder, ref)
        self.text_pane.editor.setReadOnly(shown.read_only)
        self.find_bar.set_can_replace(not shown.read_only)
        self.summary.setText(shown.summary)

    def begin_find(self, *, replacing: bool = False) -> None:
        """Let the person type what to find, and what to write instead; the selection is suggested."""
        words = self.text_pane.editor.selected_words if self.find_bar.isHidden() else ""
        self.find_bar.show()
        self.find_bar.begin(words, replacing=replacing)

    @Slot()
    def find_next(self) -> None:
        """Go to the next match of the current words, or ask for words if there are none."""
        if self._shows_words():
            self.find_bar.find_next()

    @Slot()
    def find_previous(self) -> None:
        """Go to the previous match, or ask for words if there are none."""
        if self._shows_words():
            self.find_bar.find_previous()

    def _shows_words(self) -> bool:
        """Show the bar. Returns True if it contains words; else the person is asked for them."""
        if not self.find_bar.words:
            self.begin_find()
        self.find_bar.show()
        return bool(self.find_bar.words)

    @Slot()
    def end_find(self) -> None:
        """Go back to the text."""
        self.find_bar.hide()
        self.text_pane.begin_editing()

    def show_compare(self) -> None:
        """Bring the comparison to the front."""
        self.text_pane.show_tab(self._compare_tab)
        self.compare.setFocus()

    @Slot()
    def show_reading(self) -> None:
        """Bring the text to the front if the comparison covers it."""
        if self._compare_tab.isVisible():
            self.text_pane.show_first_tab()

    def show_curve(self) -> None:
        """Bring the curve to the front of the panel."""
        self.panel.setCurrentWidget(self._curve_tab)


class _Summary(PlainLabel):
    """A text that is never cut: splitters ask for no height that depends on the width."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setContentsMargins(6, 4, 6, 4)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_height()

    def _fit_height(self) -> None:
        """Take space for two lines or more, so that the text below stays in place from page to page."""
        margins = self.contentsMargins()
        two_lines = 2 * self.fontMetrics().lineSpacing() + margins.top() + margins.bottom()
        self.setMinimumHeight(0)  # the height for a width is never less
        self.setMinimumHeight(max(two_lines, self.heightForWidth(self.width())))


def _make_compare_view() -> "CompareView":
    from rtocr_gui.ui.text.compare_view import CompareView

    return CompareView()


def _make_curve_view() -> "CurveView":
    from rtocr_gui.ui.tuning.curve_view import CurveView

    return CurveView()
