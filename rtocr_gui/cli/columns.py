"""Tables of text in columns of equal width. Knows nothing of what is in them."""

from collections.abc import Sequence


def widths_of(rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column is, in characters."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,), between: str = "  ") -> list[str]:
    """Lay rows out as lines, without blanks at their ends.

    Args:
        rows: cells, as many in each.
        left: indices of the columns that stand to the left; the others stand to the right, as figures do.
        between: what stands between two columns.
    """
    widths = widths_of(rows)
    return [
        between.join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
