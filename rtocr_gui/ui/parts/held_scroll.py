"""Keeps the place of a reader in a text that changes under their eyes."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtWidgets import QScrollBar


@contextmanager
def held(bar: QScrollBar) -> Iterator[None]:
    """Keep a scroll bar where it is; at its end, keep it at the end."""
    position, follows = bar.value(), bar.value() == bar.maximum()
    yield
    bar.setValue(bar.maximum() if follows else position)
