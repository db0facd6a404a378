"""The retention curve of the shown page, with the controls that start, stop, use and export it.

Renders frozen values. `curve_plot` knows how points are painted.
"""

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from rtocr_gui.ocr.curve import CurvePoint, doubt
from rtocr_gui.ui.parts.form_parts import plain_button, show_in_place_of
from rtocr_gui.ui.parts.named_label import NamedLabel
from rtocr_gui.ui.parts.plain_text import plain_tip
from rtocr_gui.ui.state.shown import CurveShown
from rtocr_gui.ui.tuning.curve_plot import CurvePlot, describe

_HINT = "Point at a mark to see its figures; click it, or press Enter, to use its ratio."
_TIP = (
    "Read this page at 8 ratios and at Auto, and compare the texts.\n"
    "Each text is the draft of the next, so this takes much less time than nine readings."
)


class CurveView(QWidget):
    """Plots a curve as its points arrive.

    Signals:
        curve_requested(): read the curve of this page.
        stop_requested(): read no further.
        retention_chosen(float | None): use the ratio of a point; None for automatic.
        export_requested(): write the points to a file.
    """

    curve_requested = Signal()
    stop_requested = Signal()
    retention_chosen = Signal(object)
    export_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shown = CurveShown()
        self._read = plain_button("Rea&d curve", _TIP, self._request)
        self._stop = plain_button(
            "Sto&p", "Stop reading; the points so far are kept", self.stop_requested.emit
        )
        self._progress = NamedLabel("Progress of the curve")
        self._export = plain_button(
            "E&xport…", "Write the points of the curve to a CSV or JSON file", self.export_requested.emit
        )
        self._plot = CurvePlot()
        self._plot.point_found.connect(self._show_caption)
        self._plot.point_chosen.connect(self._choose)
        self._caption = _Caption()
        self._doubt = NamedLabel("Warning about the curve")
        self._doubt.setWordWrap(True)

        row = QHBoxLayout()
        for widget in (self._read, self._stop, self._progress):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._export)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self._doubt)
        column.addWidget(self._plot, 1)
        column.addWidget(self._caption)
        self.setAccessibleName("Retention curve")
        self.show_curve(CurveShown())

    @Slot(object)
    def show_curve(self, shown: CurveShown) -> None:
        """Show a curve as far as it has been read."""
        self._shown = shown
        warning = doubt(shown.points)
        self._doubt.setText(warning)
        self._doubt.setVisible(bool(warning))
        self._plot.show_points(shown.points)
        if shown.running:
            show_in_place_of(self._stop, self._read)
        else:
            show_in_place_of(self._read, self._stop)
        count = len(shown.points)
        is_part = 0 < count < shown.expected
        again = "Rea&d curve again" if shown.is_whole else "Rea&d curve"
        self._read.setText("Rea&d the rest" if is_part else again)
        self._export.setEnabled(bool(shown.points))
        self._progress.setText(f"{count} of {shown.expected}" if is_part or shown.running else "")
        self._show_caption(self._plot.current)

    @Slot(object)
    def show_retention(self, retention: float | None) -> None:
        """Mark the slider's ratio; None for automatic."""
        self._plot.show_retention(retention)

    @Slot(bool)
    def set_ready(self, ready: bool) -> None:
        """Enable reading a curve; False if there is no page or no model, or it is busy for another pane."""
        self._read.setEnabled(ready)

    def _request(self) -> None:
        """Request the curve; if it begins, the button that stops it takes the focus that this one had."""
        had_focus = self._read.hasFocus()
        self.curve_requested.emit()  # which disables the button before the curve is shown to begin
        if had_focus and self._shown.running:
            self._stop.setFocus()

    @Slot(object)
    def _show_caption(self, point: CurvePoint | None) -> None:
        caption = describe(point) if point is not None else self._hint()
        self._caption.setText(caption)
        self._caption.setToolTip(plain_tip(caption))

    def _hint(self) -> str:
        """What the accuracy refers to or what stands in for it, and what to do."""
        if not self._shown.points:
            return ""
        if self._shown.truth is None:
            return f"No true text: unsure words hint at errors. {_HINT}"
        metrics, mode = self.fontMetrics(), Qt.TextElideMode.ElideMiddle
        name = metrics.elidedText(self._shown.truth.path.name, mode, 10 * metrics.height())
        return f"True text: {name}. {_HINT}"

    @Slot(object)
    def _choose(self, point: CurvePoint) -> None:
        self.retention_chosen.emit(point.chosen_retention)


class _Caption(NamedLabel):
    """Three lines of selectable text; their size does not change with the words."""

    def __init__(self) -> None:
        super().__init__("Selected point")
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, 3 * self.fontMetrics().lineSpacing())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hasHeightForWidth(self) -> bool:
        return False
