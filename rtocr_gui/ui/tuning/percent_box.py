"""A box for a percentage, which distinguishes a number that is being typed from one that counts.

Knows nothing about what it is a percentage of.
"""

import re

from PySide6.QtCore import QEvent, QLocale, Signal, Slot
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QSpinBox

from rtocr_gui.ui.parts.keys import leaves_to_window

_NUMBER = re.compile(r"[0-9]{1,3}([.,][0-9]{0,9})?")


class PercentBox(QSpinBox):
    """A percentage; the box keeps its width while it shows none.

    Signals:
        number_typed(int): the shown number was typed to its end, whether or not it was shown before.

    Args:
        least: the smallest number that can be chosen.
        most: the greatest.
    """

    number_typed = Signal(int)

    def __init__(self, least: int, most: int) -> None:
        super().__init__()
        self._least = least
        self._was_typed = False
        self.lineEdit().textEdited.connect(self._note_typed)
        self.editingFinished.connect(self._tell_typed)
        self.setRange(least, most)
        self.setSuffix(" %")
        self.setLocale(QLocale.c())  # with the digits of all other figures
        self.setMinimumWidth(self.sizeHint().width())

    @property
    def is_being_typed(self) -> bool:
        """True while a number is being typed that does not count yet."""
        special = self.specialValueText() if self.value() == self.minimum() else ""
        return self.hasFocus() and self.lineEdit().text() != (special or f"{self.value()}{self.suffix()}")

    def event(self, event: QEvent) -> bool:
        return not leaves_to_window(event) and super().event(event)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Let decimals and more than the most be typed: without some keys, it would be another number."""
        number = self._number(text)
        if number is not None and (number > self.maximum() or not self._digits(text).isdecimal()):
            return QValidator.State.Intermediate, text, position
        return super().validate(text, position)

    def fixup(self, text: str) -> str:
        """Take the nearest whole number that can be chosen."""
        number = self._number(text)
        if number is None:
            return super().fixup(text)
        return f"{min(self.maximum(), max(self._least, round(number)))}{self.suffix()}"

    def _number(self, text: str) -> float | None:
        digits = self._digits(text)
        return float(digits.replace(",", ".")) if _NUMBER.fullmatch(digits) else None

    def _digits(self, text: str) -> str:
        return text.removesuffix(self.suffix()).strip()

    def end_typing(self) -> None:
        """Take the number that is being typed, if one is."""
        if self._was_typed or self.is_being_typed:
            self.interpretText()
            self._tell_typed()

    @Slot(str)
    def _note_typed(self, text: str) -> None:
        self._was_typed = self._number(text) is not None

    @Slot()
    def _tell_typed(self) -> None:
        was_typed, self._was_typed = self._was_typed, False
        if was_typed and self.value() >= self._least:
            self.number_typed.emit(self.value())

    def show_none(self) -> None:
        """Show a dash instead of a number; one can be typed, but not stepped to."""
        self._was_typed = False
        self.setSpecialValueText("–")
        self.setMinimum(0)
        super().setValue(0)

    def setValue(self, value: int) -> None:
        self._was_typed = False
        self.setSpecialValueText("")
        self.setMinimum(self._least)
        super().setValue(value)

    def stepEnabled(self) -> QSpinBox.StepEnabledFlag:
        is_number = self.value() >= self._least
        return super().stepEnabled() if is_number else QSpinBox.StepEnabledFlag.StepNone
