"""Which open pages are the program's own samples, and when they make room for the person's pages."""

from collections.abc import Iterable
from pathlib import Path

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.open_pages import OpenPages


class SamplePages:
    """The sample pages among the open ones.

    Args:
        pages: the open pages.
    """

    def __init__(self, pages: OpenPages) -> None:
        self._pages = pages
        self._paths: frozenset[Path] = frozenset()
        self._make_room = False

    def begin(self, paths: Iterable[Path]) -> None:
        """These files of samples are being opened: they stay until the next file of the person's own.

        Those that the person has opened or kept are no samples.
        """
        self._paths = frozenset(
            path for path in paths if path in self._paths or not self._pages.has_file(path)
        )
        self._make_room = False

    def keep(self, paths: Iterable[Path]) -> None:
        """The person opened or wants to keep these files, or those in these folders: they are no samples."""
        kept = set(paths)
        self._paths = frozenset(path for path in self._paths if kept.isdisjoint((path, *path.parents)))

    def is_untouched(self, page: OpenPage) -> bool:
        """True for a page of a sample in which nothing was typed."""
        return page.ref.path in self._paths and not page.settled.edited

    def leaving(self, opened: Iterable[PageRef]) -> tuple[PageRef, ...]:
        """Return the untouched samples to remove now that these pages were opened.

        Once a page of the person's own has come, samples that were still being opened leave too.
        """
        self._make_room |= any(ref.path not in self._paths for ref in opened)
        if not self._make_room:
            return ()
        samples = (page for path in self._paths for page in self._pages.of_file(path))
        return tuple(page.ref for page in samples if self.is_untouched(page))
