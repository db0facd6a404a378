"""Chooses how a reading is made: all tokens, automatic, or a ratio; by RTPrune or by a baseline.

Knows no page. Follows the retention slider as long as the person does not choose otherwise.
"""

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from rtocr_gui.pruning.plan import PruneMethod, PruneSettings
from rtocr_gui.ui.parts.form_parts import name_choice
from rtocr_gui.ui.parts.wheel import take_wheel_when_focused
from rtocr_gui.units import percent

ALL_TOKENS = 1.0
SLIDER = "slider"
RATIOS = (0.84, 0.75, 0.5, 0.25)


class PruningChooser(QWidget):
    """Two boxes: how many tokens, and by which method.

    Args:
        side: "Left" or "Right", for screen readers.
        choice: the initial choice, `ALL_TOKENS` or `SLIDER`.
    """

    def __init__(self, side: str, choice: float | str) -> None:
        super().__init__()
        self._slider_ratio: float | None = None
        self._ratio = QComboBox()
        self._ratio.setToolTip("How many visual tokens this reading keeps")
        self._ratio.addItem("All tokens", ALL_TOKENS)
        self._ratio.addItem("Slider: Auto", SLIDER)
        self._ratio.addItem("Auto", None)
        for ratio in RATIOS:
            self._ratio.addItem(percent(ratio), ratio)
        self._ratio.setCurrentIndex(self._ratio.findData(choice))
        self._method = QComboBox()
        self._method.setToolTip(
            "Which method chooses the tokens. The others are baselines to compare RTPrune with."
        )
        for method in PruneMethod:
            self._method.addItem(method.label, method)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for box in (self._ratio, self._method):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(7)
            row.addWidget(box, 1)
        name_choice(self._ratio, f"{side} reading: tokens")
        name_choice(self._method, f"{side} reading: method")
        take_wheel_when_focused(self._ratio, self._method)
        self._ratio.currentIndexChanged.connect(self._enable_method)
        self._enable_method()

    @property
    def pruning(self) -> PruneSettings:
        """The chosen settings. With all tokens the method does not matter."""
        chosen = self._ratio.currentData()
        retention = self._slider_ratio if chosen == SLIDER else chosen
        if retention == ALL_TOKENS:
            return PruneSettings(ALL_TOKENS)
        return PruneSettings(retention, method=self._method.currentData())

    def show_retention(self, retention: float | None) -> None:
        """Follow the retention slider; None is automatic."""
        self._slider_ratio = retention
        ratio = "Auto" if retention is None else percent(retention)
        self._ratio.setItemText(self._ratio.findData(SLIDER), f"Slider: {ratio}")
        self._enable_method()

    @Slot()
    def _enable_method(self) -> None:
        self._method.setEnabled(self.pruning.retention != ALL_TOKENS)
