"""Aligns tables of text in columns. Knows nothing about their content."""

from collections.abc import Sequence


def widths_of(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each column in characters."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,), between: str = "  ") -> list[str]:
    """Format rows as aligned lines, without trailing spaces.

    Args:
        rows: rows with equal numbers of cells.
        left: indices of the left-aligned columns; the others, such as figures, are right-aligned.
        between: separator between columns.
    """
    widths = widths_of(rows)
    return [
        between.join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
