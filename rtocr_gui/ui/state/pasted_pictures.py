"""Which pictures came from the clipboard: to be read once they are open, and copied once they are read."""

from collections.abc import Iterable
from pathlib import Path

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import Reading, StopReason
from rtocr_gui.ui.state.choices import Choices


class PastedPictures:
    """The pictures that had no file.

    Args:
        choices: tell whether they are read and copied by themselves.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._to_read: set[Path] = set()
        self._to_copy: set[Path] = set()

    def begin(self, path: Path) -> None:
        """A picture is being saved to this file and opened."""
        if self._choices.settings.read_pasted:
            self._to_read.add(path)
            if self._choices.settings.copy_pasted:
                self._to_copy.add(path)

    def take_to_read(self, opened: Iterable[PageRef]) -> tuple[PageRef, ...]:
        """Return which of the pages that were opened are to be read now."""
        wanted = tuple(ref for ref in opened if ref.path in self._to_read)
        self._to_read.difference_update(ref.path for ref in wanted)
        return wanted

    def take_to_copy(self, reading: Reading) -> bool:
        """True if a text is to be copied now that it was read."""
        is_wanted = reading.ref.path in self._to_copy and reading.stop_reason is not StopReason.CANCELLED
        if is_wanted:
            self._to_copy.remove(reading.ref.path)
        return is_wanted
