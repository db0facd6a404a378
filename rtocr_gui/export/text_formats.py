"""The kinds of files that the text of pages is exported to; a file's name tells which it is."""

from enum import Enum
from pathlib import Path


class TextFormat(Enum):
    """A kind of file for text; values are the suffixes of its files."""

    MARKDOWN = ".md"
    PLAIN_TEXT = ".txt"
    PDF = ".pdf"

    @property
    def label(self) -> str:
        """Name in menus and dialogs."""
        return {".md": "Markdown", ".txt": "Plain text", ".pdf": "Searchable PDF"}[self.value]


def format_of(path: Path) -> TextFormat:
    """Return what a file is to hold: Markdown, unless its name says otherwise."""
    return next((each for each in TextFormat if each.value == path.suffix.lower()), TextFormat.MARKDOWN)
