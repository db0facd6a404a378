"""Where the text of a page is besides the window: in files, and on the clipboard. Opens neither."""

from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class ExportedFile:
    """A file that texts were exported to; `is_replaced` once a later export has replaced it."""

    is_replaced: bool = False


@dataclass(slots=True)
class SavedText:
    """Where a page's text is besides the window.

    Attributes:
        exported: the text that was exported last; None before the first time.
        files: the files it was exported to.
        copied: the text on the clipboard, if it was copied as it was read.
    """

    exported: str | None = None
    files: tuple[ExportedFile, ...] = ()
    copied: str | None = None

    def note_exported(self, text: str, file: ExportedFile) -> None:
        """Note in which file a text of the page is, or would be if it were not empty."""
        there = tuple(one for one in self.files if not one.is_replaced)
        self.files = (*there, file) if text == self.exported else (file,)
        self.exported = text

    def is_in_file(self, text: str) -> bool:
        """True if a text is in a file that still exists, or would be if it were not empty."""
        is_kept = any(not file.is_replaced for file in self.files) or not text
        return text == self.exported and is_kept

    def holds(self, text: str) -> bool:
        """True if a text is in a file that still exists, or on the clipboard."""
        return self.is_in_file(text) or text == self.copied
