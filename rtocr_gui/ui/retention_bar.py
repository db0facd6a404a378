"""How many visual tokens to keep: automatic, or by slider, wheel, keys and number.

Tells apart a ratio that is still moving from one that came to rest, so that the overlay can
follow the first and a reading start on the second. Knows no page and plans nothing.
"""

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QSlider, QSpinBox, QWidget

from rtocr_gui.pruning.plan import PrunePlan

QUIET_MS = 350
"""Steps of keys and wheel count as released when none followed for so long."""


class RetentionBar(QWidget):
    """Chooses the retention ratio and counts what the current plan keeps.

    Signals:
        retention_changed(float | None): the person moved to another ratio, or to automatic (None).
        retention_released(float | None): the ratio came to rest after it changed.
        reread_toggled(bool): whether a released ratio should be read with at once.
    """

    retention_changed = Signal(object)
    retention_released = Signal(object)
    reread_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan: PrunePlan | None = None
        self._retention: float | None = None
        self._unreleased = False
        self._quiet_timer = QTimer(self)
        self._quiet_timer.setSingleShot(True)
        self._quiet_timer.setInterval(QUIET_MS)
        self._quiet_timer.timeout.connect(self._release)

        self._auto = QCheckBox("A&uto")
        self._auto.setChecked(True)
        self._auto.setAccessibleName("Automatic retention")
        self._auto.setToolTip("Let the page decide: the more text and variety, the more tokens are kept")
        self._auto.clicked.connect(self._choose_automatic)

        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(1, 100)
        self._slider.setPageStep(10)
        self._slider.setAccessibleName("Retention ratio in percent")
        self._slider.setToolTip("Share of the visual tokens to keep; the others are merged into them")
        self._slider.setMinimumWidth(self.fontMetrics().averageCharWidth() * 16)
        self._slider.valueChanged.connect(self._choose_percent)
        self._slider.sliderReleased.connect(self._release)

        self._spin = QSpinBox()
        self._spin.setRange(1, 100)
        self._spin.setSuffix(" %")
        self._spin.setKeyboardTracking(False)
        self._spin.setAccessibleName("Retention ratio in percent, as a number")
        self._spin.setToolTip(self._slider.toolTip())
        self._spin.valueChanged.connect(self._choose_percent)
        self._spin.editingFinished.connect(self._release)

        self._counts = QLabel()
        self._counts.setAccessibleName("Token counts")
        self._counts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

        self._reread = QCheckBox("Read a&gain on release")
        self._reread.setChecked(True)
        self._reread.setToolTip("Read the page again as soon as the slider comes to rest")
        self._reread.clicked.connect(self.reread_toggled)

        title = QLabel("Re&tention")
        title.setBuddy(self._slider)
        row = QHBoxLayout(self)
        for widget in (title, self._auto, self._slider, self._spin, self._counts, self._reread):
            row.addWidget(widget, stretch=1 if widget is self._slider else 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._show_percent(100)
        self.show_plan(None)

    @property
    def retention(self) -> float | None:
        """The chosen ratio, in 0..1; None for automatic."""
        return self._retention

    @Slot(object)
    def show_plan(self, plan: PrunePlan | None) -> None:
        """Show the counts of a plan, and the automatic ratio of its page."""
        self._plan = plan
        if plan is None:
            self._counts.setText("No tokens counted yet")
            return
        count = len(plan.norms)
        text = f"{len(plan.kept)} of {count} kept, {len(plan.merged)} merged"
        self._counts.setText(f"{text} · automatic: {_percent(plan.measures.automatic_retention)} %")
        widest = f"{count} of {count} kept, {count} merged · automatic: 100 %"
        self._counts.setMinimumWidth(self._counts.fontMetrics().horizontalAdvance(widest))
        if self._retention is None:
            self._show_percent(_percent(plan.measures.automatic_retention))

    @Slot(object)
    def set_retention(self, retention: float | None) -> None:
        """Show a ratio that was chosen elsewhere; a hand on the slider goes first."""
        if self._slider.isSliderDown():
            return
        self._retention = retention
        self._auto.setChecked(retention is None)
        if retention is not None:
            self._show_percent(_percent(retention))
        elif self._plan is not None:
            self._show_percent(_percent(self._plan.measures.automatic_retention))

    @Slot(bool)
    def set_reread(self, reread: bool) -> None:
        """Show whether a released ratio is read with at once."""
        self._reread.setChecked(reread)

    def _show_percent(self, percent: int) -> None:
        for widget in (self._slider, self._spin):
            blocker = QSignalBlocker(widget)
            widget.setValue(percent)
            blocker.unblock()

    @Slot(int)
    def _choose_percent(self, percent: int) -> None:
        self._auto.setChecked(False)
        self._show_percent(percent)
        self._change(percent / 100)
        if not self._slider.isSliderDown():
            self._quiet_timer.start()

    @Slot(bool)
    def _choose_automatic(self, automatic: bool) -> None:
        if automatic and self._plan is not None:
            self._show_percent(_percent(self._plan.measures.automatic_retention))
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


def _percent(retention: float) -> int:
    return min(100, max(1, round(retention * 100)))
