"""The open files, and the page that was rendered last.

Serves any thread. Knows neither Qt nor who asks.
"""

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from PIL import Image

from rtocr_gui.documents.loading import CHANGED, CLOSED, GONE, Document, open_document
from rtocr_gui.documents.pages import CHECK_INTERVAL_S, Check, PageImage, PageRef, no_check
from rtocr_gui.errors import DocumentError, FileLost, FileOutdated
from rtocr_gui.files import is_there
from rtocr_gui.ocr.machine.allocator import return_freed_memory

Picture = TypeVar("Picture")

RenderPage = Callable[[PageRef], PageImage]
"""Renders a page, or raises a `DocumentError`."""

THUMBNAIL_PX = 160
"""Longest side of a thumbnail."""

LARGE_PX = 40_000_000
"""Pixels of a page whose memory is worth returning to the system."""


class OpenDocuments:
    """Opens files and renders their pages; both raise a `DocumentError` if that fails."""

    def __init__(self) -> None:
        self._documents: dict[Path, Document] = {}
        self._rendered: PageImage | None = None
        self._latest: Document | None = None
        self._changing = threading.Condition()
        self._expected: Counter[Path] = Counter()

    @contextmanager
    def opening(self, path: Path) -> Iterator[None]:
        """End what `expect` began."""
        try:
            yield
        finally:
            with self._changing:
                self._expected[path] -= 1
                self._changing.notify_all()

    def expect(self, path: Path) -> None:
        """Have pages of a file that is not open wait for it until the end of `opening`."""
        with self._changing:
            self._expected[path] += 1

    def open(self, path: Path, password: str | None = None, check: Check = no_check) -> tuple[PageRef, ...]:
        """Open a file, replacing its earlier version, and return its pages."""
        document = open_document(path, password, check)
        self._put(path, document)
        return document.pages

    def close(self, path: Path) -> None:
        """Close a file, if it is open, and drop its rendered page."""
        self._put(path, None)

    def closer(self, path: Path) -> Callable[[], None]:
        """Return a function that closes a file later, unless it has been reopened by then."""
        document = self._documents.get(path)
        return lambda: self._put(path, None, only=document) if document is not None else None

    def close_all(self) -> None:
        """Close all files."""
        for path in list(self._documents):
            self.close(path)

    def page(self, ref: PageRef, check: Check = no_check) -> PageImage:
        """Render a page, unless it was rendered last: a page is usually shown and then encoded.

        The page that was rendered last is served also while its file is away, but not once another is there.
        """
        return self._of_document(ref, check, lambda document: self._page(document, ref, check))

    def _page(self, document: Document, ref: PageRef, check: Check) -> PageImage:
        is_current = not document.has_changed
        with self._changing:
            if self._rendered is not None and self._rendered.ref == ref and is_current:
                return self._rendered
            self._forget_rendered()
        page = document.load_page(ref.index, rotation_deg=ref.rotation_deg, cuts=ref.cuts, check=check)
        with self._changing:
            if self._documents.get(ref.path) is document:
                self._rendered = page
        return page

    def thumbnail(self, ref: PageRef, check: Check = no_check) -> Image.Image:
        """Render a small page."""
        wanted = ref.index, THUMBNAIL_PX, ref.rotation_deg, ref.cuts, check
        return self._of_document(ref, check, lambda document: document.thumbnail(*wanted))

    def _of_document(self, ref: PageRef, check: Check, render: Callable[[Document], Picture]) -> Picture:
        """Render from the document of a page, or from another if its file is opened anew meanwhile."""
        while True:
            document = self._document_of(ref, check)
            try:
                return render(document)
            except DocumentError:
                if self._documents.get(ref.path) is document:
                    raise

    def _put(self, path: Path, document: Document | None, only: Document | None = None) -> None:
        """Replace the document of a file (only if it is `only`) by another or by none, and close it."""
        with self._changing:
            if only is not None and self._documents.get(path) is not only:
                return
            former = self._documents.pop(path, None)
            if document is not None:
                self._documents[path] = document
            if self._latest is former:
                self._latest = None
            if self._rendered is not None and self._rendered.ref.path == path:
                self._forget_rendered()
        if former is not None:
            former.close()

    def _forget_rendered(self) -> None:
        """Drop the rendered page; the allocator would hold on to most of a large one."""
        was_large = self._rendered is not None and math.prod(self._rendered.image.size) >= LARGE_PX
        self._rendered = None
        if was_large:
            return_freed_memory()

    def _document_of(self, ref: PageRef, check: Check) -> Document:
        while (document := self._listing(ref)) is None and self._expected[ref.path]:
            with self._changing:
                self._changing.wait(CHECK_INTERVAL_S)
            check()
        if document is None:
            if not is_there(ref.path):
                raise FileLost(GONE)
            raise FileOutdated(CHANGED if ref.path in self._documents else CLOSED)
        with self._changing:
            latest, self._latest = self._latest, document
        if latest is not None and latest is not document:
            latest.rest()
        return document

    def _listing(self, ref: PageRef) -> Document | None:
        """Return the open document that has a page."""
        document = self._documents.get(ref.path)
        return document if document is not None and ref.whole in document.pages else None
