"""Where pictures without a file, such as pasted ones, are kept while the program runs. Opens no picture."""

import itertools
import tempfile
from pathlib import Path

from rtocr_gui.files import is_folder


class PictureFolder:
    """A temporary folder, made for the first picture."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._numbers = itertools.count(1)

    def next_path(self) -> Path:
        """Name the file of another picture.

        Raises:
            OSError: the folder cannot be made.
        """
        if self._folder is not None and not is_folder(Path(self._folder.name)):
            self.delete()  # somebody else has: temporary files are cleaned up from time to time
        if self._folder is None:  # on Windows, a page that a lane is still rendering cannot be deleted
            self._folder = tempfile.TemporaryDirectory(prefix="rtocr-", ignore_cleanup_errors=True)
        return Path(self._folder.name, f"Pasted image {next(self._numbers)}.png")

    def delete(self) -> None:
        """Delete the folder and the pictures in it."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
