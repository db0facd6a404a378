"""Colours between others. Knows no palette."""

from PySide6.QtGui import QColor


def mixed(colour: QColor, other: QColor, share: float) -> QColor:
    """A colour `share` of the way to another."""

    def between(mine: float, theirs: float) -> float:
        return mine + (theirs - mine) * share

    return QColor.fromRgbF(
        between(colour.redF(), other.redF()),
        between(colour.greenF(), other.greenF()),
        between(colour.blueF(), other.blueF()),
    )
