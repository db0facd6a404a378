"""The differences of two texts, one line each. Knows a comparison, and neither reading."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from rtocr_gui.ocr.text.comparison import Change, TextComparison
from rtocr_gui.ui.parts.plain_text import plain_tip


class DifferenceList(QListWidget):
    """Each line has the line number in the left text, and the change.

    Requests only a few lines but takes all available space, so that it fits a small pane.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setUniformItemSizes(True)
        self.setAccessibleName("Differences")
        self.setToolTip("Choose a difference to go there in both texts and on the page")
        self.setMinimumHeight(self.fontMetrics().lineSpacing() * 3)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def show_comparison(self, comparison: TextComparison | None) -> None:
        """List the differences of another comparison."""
        self.setCurrentRow(-1)  # otherwise others would be chosen while rows are removed
        self.clear()
        if comparison is None:
            return
        line, counted_to = 1, 0
        for difference in comparison.differences:
            line += comparison.left.count("\n", counted_to, difference.left.start)
            counted_to = difference.left.start
            left, right = difference.left_excerpt, difference.right_excerpt
            match difference.change:
                case Change.DELETED:
                    change, spoken = f"− {left}", f"only on the left: {left}"
                case Change.INSERTED:
                    change, spoken = f"+ {right}", f"only on the right: {right}"
                case _:
                    change, spoken = f"{left} → {right}", f"{left} on the left, {right} on the right"
            row = QListWidgetItem(f"{line}:  {change}", self)
            row.setData(Qt.ItemDataRole.AccessibleTextRole, f"Line {line}, {spoken}")
            row.setToolTip(plain_tip(f"Line {line}, {spoken}"))
