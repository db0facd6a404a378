"""How many visual tokens to keep: automatic, or by slider, wheel, keys and number.

Distinguishes a ratio that is still changing from a settled one, so that the overlay can follow
the former and the latter can start a reading. Knows no page and plans nothing.
"""

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSizePolicy, QWidget

from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.parts.wheel import take_wheel_when_focused
from rtocr_gui.ui.tuning.percent_box import PercentBox
from rtocr_gui.ui.tuning.retention_slider import DETENTS, RetentionMarks, RetentionSlider
from rtocr_gui.units import grouped, percent

QUIET_MS = 350
"""A ratio changed by keys or wheel counts as released once it has not changed for this long."""


class RetentionBar(QWidget):
    """Chooses the retention ratio and counts what the current plan keeps.

    Signals:
        retention_changed(float | None): the person moved to another ratio, or to automatic (None).
        retention_released(float | None): the ratio has settled after a change.
        reread_toggled(bool): whether a released ratio should start a reading.
    """

    retention_changed = Signal(object)
    retention_released = Signal(object)
    reread_toggled = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._plan: PrunePlan | None = None
        self._retention: float | None = None
        self._unreleased = False
        self._quiet_timer = one_shot(self, QUIET_MS, self._release)

        self._auto = QCheckBox("A&uto")
        self._auto.setChecked(True)
        self._auto.setAccessibleName("Automatic retention")
        self._auto.setToolTip("Let the page decide: the more text and variety, the more tokens are kept")
        self._auto.clicked.connect(self._choose_automatic)

        self._slider = RetentionSlider()
        self._slider.setAccessibleName("Retention ratio in percent")
        self._slider.setToolTip(
            "Share of the visual tokens to keep; the others are merged into them.\n"
            f"A dragged handle snaps to {', '.join(str(detent) for detent in DETENTS)} %, "
            "unless you hold Shift.\n"
            "84 % is the ratio published in the paper (84.25 %)."
        )
        self._slider.valueChanged.connect(self._choose_percent)
        self._slider.sliderReleased.connect(self._release)
        self._marks = RetentionMarks(self._slider)

        self._spin = PercentBox(self._slider.minimum(), self._slider.maximum())
        self._spin.setKeyboardTracking(False)
        self._spin.setAccessibleName("Retention ratio in percent, as a number")
        self._spin.setToolTip("Share of the visual tokens to keep; the others are merged into them")
        self._spin.valueChanged.connect(self._choose_percent)
        self._spin.number_typed.connect(self._choose_typed)
        self._spin.editingFinished.connect(self._release)
        take_wheel_when_focused(self._slider, self._spin)

        self._counts = _CountsLabel()

        self._reread = QCheckBox("Read a&gain on release")
        self._reread.setChecked(True)
        self._reread.setToolTip("Read the page again as soon as the slider comes to rest")
        self._reread.clicked.connect(self.reread_toggled)

        title = QLabel("Re&tention")
        title.setBuddy(self._slider)
        rows = QGridLayout(self)
        rows.setVerticalSpacing(0)
        for column, widget in enumerate(
            (title, self._auto, self._slider, self._spin, self._counts, self._reread)
        ):
            rows.addWidget(widget, 0, column)
        rows.addWidget(self._marks, 1, rows.indexOf(self._slider))
        for widget, stretch in ((self._slider, 2), (self._counts, 3)):
            rows.setColumnStretch(rows.indexOf(widget), stretch)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._show_percent(100)
        self.show_plan(None)

    def show_plan(self, plan: PrunePlan | None) -> None:
        """Show the counts of a plan, and the automatic ratio of its page."""
        self._plan = plan
        self._counts.show_counts(plan)
        self._marks.set_automatic(None if plan is None else plan.measures.automatic_retention)
        if self._retention is None and not self._spin.is_being_typed:
            self._show_automatic()

    @Slot(object)
    def set_retention(self, retention: float | None) -> None:
        """Show a ratio that was chosen elsewhere; ignored while the slider is held."""
        if self._slider.isSliderDown():
            return
        self._retention = retention
        self._auto.setChecked(retention is None)
        if retention is None:
            self._show_automatic()
        else:
            self._show_percent(_whole_percent(retention))

    @Slot()
    def drop_release(self) -> None:
        """Treat the current ratio as settled without emitting it.

        Another page is shown, for which the ratio was not meant, or the person has stopped something.
        """
        self._quiet_timer.stop()
        self._unreleased = False

    @Slot()
    def take_typed(self) -> None:
        """Let a number count that is still being typed, as if another control had been clicked."""
        self._spin.end_typing()

    def set_reread(self, reread: bool) -> None:
        """Show whether a released ratio starts a reading."""
        self._reread.setChecked(reread)

    def _show_automatic(self) -> None:
        """Show the automatic ratio of the page; no figure while it is not known."""
        if self._plan is None:
            with QSignalBlocker(self._spin):
                self._spin.show_none()
        else:
            self._show_percent(_whole_percent(self._plan.measures.automatic_retention))

    def _show_percent(self, value: int) -> None:
        for widget in (self._slider, self._spin):
            with QSignalBlocker(widget):
                widget.setValue(value)

    @Slot(int)
    def _choose_percent(self, value: int) -> None:
        self._auto.setChecked(False)
        self._show_percent(value)
        self._change(value / 100)
        if not self._slider.isSliderDown():
            self._quiet_timer.start()

    @Slot(int)
    def _choose_typed(self, value: int) -> None:
        """Fix the ratio even if what was typed is the one that automatic retention shows."""
        if self._retention is None:
            self._choose_percent(value)

    @Slot(bool)
    def _choose_automatic(self, automatic: bool) -> None:
        if automatic:
            self._show_automatic()
        else:
            self._show_percent(self._slider.value())
        self._change(None if automatic else self._slider.value() / 100)
        self._release()

    def _change(self, retention: float | None) -> None:
        self._retention = retention
        self._unreleased = True
        self.retention_changed.emit(retention)

    @Slot()
    def _release(self) -> None:
        self._quiet_timer.stop()
        if self._unreleased:
            self._unreleased = False
            self.retention_released.emit(self._retention)
        elif self._retention is None:
            self._show_automatic()  # a plan may have come while a number was typed


class _CountsLabel(QLabel):
    """Counts kept and merged tokens, in as many words as fit; its tooltip has all of them."""

    def __init__(self) -> None:
        super().__init__()
        self._forms: tuple[str, ...] = ()
        self.setAccessibleName("Token counts")
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def show_counts(self, plan: PrunePlan | None) -> None:
        """Show how many tokens a plan keeps."""
        if plan is None:
            self._forms = (*2 * ["No tokens counted yet"], *2 * ["No tokens"])
        else:
            automatic = percent(plan.measures.automatic_retention)
            self._forms = _count_forms(len(plan.kept), len(plan.merged), len(plan.norms), automatic)
        self.setToolTip(self._forms[0])
        self.setAccessibleDescription(self._forms[0])
        self.setMaximumWidth(self._width_of(_WIDEST_FORMS[0]))
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(self._width_of(_WIDEST_FORMS[-1]), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        fitting = (
            form
            for form, widest in zip(self._forms, _WIDEST_FORMS, strict=True)
            if self._width_of(widest) <= self.width()
        )
        self.setText(next(fitting, self._forms[-1]))

    def _width_of(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text) + 2


def _count_forms(kept: int, merged: int, count: int, automatic: str) -> tuple[str, ...]:
    """The counts in words, from full to short."""
    share = f"{grouped(kept)} of {grouped(count)} kept"
    return (
        f"{share}, {grouped(merged)} merged · automatic: {automatic}",
        f"{share}, {grouped(merged)} merged",
        share,
        f"{grouped(kept)}/{grouped(count)}",
    )


_WIDEST_FORMS = _count_forms(9_999, 9_999, 9_999, percent(0.999))
"""More than any page has: space for this many is reserved, so that nothing moves with slider or page."""


def _whole_percent(retention: float) -> int:
    """The value of slider and box, which know only whole percents; at 100 nothing is merged."""
    return 100 if retention >= 1 else min(99, max(1, round(retention * 100)))
