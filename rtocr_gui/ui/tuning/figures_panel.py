"""Why automatic retention is what it is, and what a reading cost compared with the one with all tokens.

Renders frozen values. `figure_rows` knows which figures there are and how they are worded.
"""

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import (
    QAction,
    QFocusEvent,
    QFont,
    QGuiApplication,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QHeaderView,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rtocr_gui.pruning.plan import TokenMeasures
from rtocr_gui.ui.parts.focus_frame import paint_frame
from rtocr_gui.ui.parts.named_label import NamedLabel
from rtocr_gui.ui.state.shown import FiguresShown
from rtocr_gui.ui.tuning.figure_rows import DASH, FigureKind, FigureRow, figure_rows, notes
from rtocr_gui.ui.tuning.share_bar import Segment, ShareBar
from rtocr_gui.units import percent

_COLUMNS = ("Figure", "This", "All tokens", "Ratio")
_COLUMN_TIPS = (
    "",
    "The newest reading of this page",
    "The reading that keeps every token",
    "This reading as a share of the one with all tokens",
)
_LEGEND = "Figures in italics are computed, not measured. A dash means unknown."

_NARROWEST_CHARACTERS = 36
"""Narrower than this the panel scrolls sideways."""


class FiguresPanel(QScrollArea):
    """Automatic retention in two parts, and a table of figures; emits nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = FiguresShown()
        self._automatic = _AutomaticRetention()
        self._notes = _text_label("Notes on the figures")
        self._table = _FiguresTable()
        legend = _text_label("Legend")
        legend.setText(_LEGEND)

        content = QWidget()
        column = QVBoxLayout(content)
        column.addWidget(_heading("Automatic retention"))
        column.addWidget(self._automatic)
        column.addSpacing(8)
        column.addWidget(_heading("This reading and all tokens"))
        column.addWidget(self._notes)
        column.addWidget(self._table)
        column.addWidget(legend)
        column.addStretch(1)
        content.setMinimumWidth(_NARROWEST_CHARACTERS * self.fontMetrics().averageCharWidth())
        self.setWidget(content)
        content.setAutoFillBackground(False)  # it would cover the frame of the focus
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Figures")
        self._render()

    @Slot(object)
    def show_figures(self, shown: FiguresShown) -> None:
        """Show the figures of a page; while the panel is hidden, they are kept until it is shown."""
        self._shown = shown
        if self.isVisible():
            self._render()

    def showEvent(self, event: QShowEvent) -> None:
        self._render()
        super().showEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            with QPainter(self.viewport()) as painter:
                paint_frame(painter, self.viewport().rect(), self.palette().highlight().color())

    def _render(self) -> None:
        plan = self._shown.plan
        self._automatic.show_measures(None if plan is None else plan.measures)
        sentences = "\n".join(notes(self._shown))
        self._notes.setText(sentences)
        self._notes.setVisible(bool(sentences))
        self._table.show_rows(figure_rows(self._shown))


class _AutomaticRetention(QWidget):
    """Text density, dissimilarity, and how they combine: three bars, three numbers and a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self._bars = (ShareBar(), ShareBar(), ShareBar())
        self._numbers = tuple(
            _text_label(name) for name in ("Text density", "Dissimilarity", "Automatic retention")
        )
        self._sentence = _text_label("How automatic retention is calculated")
        rows = QGridLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        captions = (
            ("Text density r₁", "Share of the page covered by edges of print and borders of patches"),
            ("Dissimilarity r₂", "How little the visual tokens of the page repeat each other"),
            ("Combined r", "The share of tokens that Auto keeps: r₁ + r₂ − r₁·r₂"),
        )
        for row, ((caption, tip), bar, number) in enumerate(
            zip(captions, self._bars, self._numbers, strict=True)
        ):
            label = QLabel(caption)
            for widget in (label, bar, number):
                widget.setToolTip(tip)
            number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            number.setWordWrap(False)
            number.setMinimumWidth(number.fontMetrics().horizontalAdvance("0.000"))
            rows.addWidget(label, row, 0)
            rows.addWidget(bar, row, 1)
            rows.addWidget(number, row, 2)
        rows.addWidget(self._sentence, len(captions), 0, 1, 3)
        rows.setColumnStretch(1, 1)

    def show_measures(self, measures: TokenMeasures | None) -> None:
        """Show the measures of a page; None if they are not known."""
        if measures is None:
            for bar, number in zip(self._bars, self._numbers, strict=True):
                bar.show_segments()
                number.setText(DASH)
            self._sentence.setText("Known as soon as the model has encoded the page.")
            return
        density, dissimilarity = measures.text_density, measures.dissimilarity
        automatic = measures.automatic_retention
        added = automatic - density
        density_bar, dissimilarity_bar, automatic_bar = self._bars
        density_bar.show_segments(Segment(density, 0))
        dissimilarity_bar.show_segments(Segment(dissimilarity, 1))
        automatic_bar.show_segments(Segment(density, 0), Segment(added, 1))
        for number, value in zip(self._numbers, (density, dissimilarity, automatic), strict=True):
            number.setText(f"{value:.3f}")
        self._sentence.setText(
            f"Edges of print and the borders of the patches cover {percent(density)} of the page, and that "
            f"much is kept. Of the other {percent(1 - density)}, dissimilarity keeps "
            f"{percent(dissimilarity)}, which is {percent(added)} of the whole. "
            f"Combined: {percent(automatic)}."
        )


class _FiguresTable(QTableWidget):
    """Rows of figures under headings; copies the selected rows, or all, with tabs between cells."""

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._rows: tuple[FigureRow, ...] = ()
        for column, (title, tip) in enumerate(zip(_COLUMNS, _COLUMN_TIPS, strict=True)):
            item = QTableWidgetItem(title)
            item.setToolTip(tip)
            alignment = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
            item.setTextAlignment(alignment | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(column, item)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(round(self.fontMetrics().height() * 1.25))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Figures of this reading and of the one with all tokens")
        copy = QAction("Copy as table", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self._copy)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def sizeHint(self) -> QSize:
        """As high as all lines together: the panel scrolls, not the table."""
        lines = self.horizontalHeader().sizeHint().height() + self.verticalHeader().length()
        return QSize(super().sizeHint().width(), lines + 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())

    def show_rows(self, rows: tuple[FigureRow, ...]) -> None:
        """Show figures; unchanged cells and the selection are not touched."""
        if [row.name for row in rows] != [row.name for row in self._rows]:
            self._lay_out(rows)
        for line, row in self._lines(rows):
            for column, text in enumerate((row.name, row.this, row.all_tokens, row.ratio)):
                item = self.item(line, column)
                if item is not None and item.text() != text:
                    item.setText(text)
                    computed = ", computed" if row.kind is FigureKind.COMPUTED else ""
                    spoken = "not known" if text == DASH else text
                    item.setData(
                        Qt.ItemDataRole.AccessibleTextRole,
                        text if column == 0 else f"{row.name}, {_COLUMNS[column]}{computed}: {spoken}",
                    )
        self._rows = rows

    def _lay_out(self, rows: tuple[FigureRow, ...]) -> None:
        """Create empty cells under headings."""
        kinds = list(dict.fromkeys(row.kind for row in rows))
        self.clearSpans()
        self.setRowCount(len(rows) + len(kinds))
        self.updateGeometry()
        bold = QFont(self.font())
        bold.setBold(True)
        italic = QFont(self.font())
        italic.setItalic(True)
        for line, row in self._lines(rows):
            for column in range(len(_COLUMNS)):
                item = QTableWidgetItem()
                item.setToolTip(row.tip)
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if row.kind is FigureKind.COMPUTED:
                    item.setFont(italic)
                self.setItem(line, column, item)
        line = 0
        for kind in kinds:
            heading = QTableWidgetItem(kind.value)
            heading.setFont(bold)
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.setItem(line, 0, heading)
            self.setSpan(line, 0, 1, len(_COLUMNS))
            line += 1 + sum(row.kind is kind for row in rows)

    @staticmethod
    def _lines(rows: tuple[FigureRow, ...]) -> list[tuple[int, FigureRow]]:
        """Each row with its line in the table; a heading precedes the first of each kind."""
        kinds = list(dict.fromkeys(row.kind for row in rows))
        return [(number + 1 + kinds.index(row.kind), row) for number, row in enumerate(rows)]

    @Slot()
    def _copy(self) -> None:
        selected = {index.row() for index in self.selectedIndexes()}
        lines = ["\t".join(_COLUMNS)]
        lines += [
            "\t".join((row.name, row.this, row.all_tokens, row.ratio))
            for line, row in self._lines(self._rows)
            if line in selected or not selected
        ]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def _text_label(name: str) -> QLabel:
    """A label with selectable text; `name` is its name for screen readers."""
    label = NamedLabel(name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label
