"""Finds the pages in a folder whose true text is known: scans with a text beside them, or OmniDocBench.

Pages of a PDF may have a text of their own instead. Whatever cannot be used is reported once and skipped.
Knows no model.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rtocr_gui.cli.progress import Progress
from rtocr_gui.documents.folders import looks_like_a_scan
from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.omnidocbench import find_annotations, read_annotations
from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.documents.truth import find_truth
from rtocr_gui.errors import DocumentError, PasswordRequired
from rtocr_gui.files import reason_of
from rtocr_gui.units import counted


@dataclass(frozen=True, slots=True)
class TruePage:
    """A page to read, and its true text.

    Attributes:
        ref: which page.
        truth: its true text, not empty.
        source: the file that the text comes from.
    """

    ref: PageRef
    truth: str
    source: Path

    def load(self) -> PageImage:
        """Open the page, which must not have changed since it was found.

        Raises:
            DocumentError: it cannot be opened, is gone or has changed.
        """
        with open_document(self.ref.path) as document:
            if document.pages[0].sha256 != self.ref.sha256:
                raise DocumentError("The file has changed since the folder was searched. Start again.")
            return document.load_page(self.ref.index)


class TruePages:
    """Searches a folder for pages.

    Args:
        progress: receives what is skipped.

    Attributes:
        all_usable: False once anything unusable was skipped.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.all_usable = True

    def find(self, folder: Path, limit: int | None = None) -> list[TruePage]:
        """List the pages by name, or in the order of the annotation file.

        Args:
            folder: contains scans and their truth, or OmniDocBench.
            limit: most pages to list.

        Raises:
            DocumentError: there is no such folder, or it contains no page to compare.
        """
        try:
            if not folder.is_dir():
                raise DocumentError(f"There is no folder “{folder}”. Check its name and location.")
            annotations = find_annotations(folder)
            found = self._beside_truth(folder) if annotations is None else self._annotated(annotations)
            pages = list(islice(found, limit))
        except OSError as error:
            raise DocumentError(
                f"The folder “{folder}” cannot be searched ({reason_of(error)}). Check its permissions."
            ) from error
        if not pages:
            raise DocumentError(
                f"“{folder}” contains no page to compare: scans need their true text beside them, NAME.md or "
                "NAME.txt, or the annotation file of OmniDocBench; PDF files need pages with text."
            )
        return pages

    def _beside_truth(self, folder: Path) -> Iterator[TruePage]:
        without = 0
        for path in sorted(path for path in folder.iterdir() if looks_like_a_scan(path)):
            references = self._references(path)
            for ref in references:
                try:
                    truth = find_truth(ref, len(references))
                except DocumentError as error:
                    self._leave_out(ref.label, str(error))
                    continue
                if truth is not None and truth.text:
                    yield TruePage(ref, truth.text, truth.path)
                else:
                    without += 1
        if without:
            pages = counted(without, "page")
            self._progress.say(f"Skipped, because their true text is not known: {pages}.")

    def _annotated(self, annotations: Path) -> Iterator[TruePage]:
        without = 0
        for page in read_annotations(annotations):
            if isinstance(page, DocumentError):
                self._leave_out(annotations.name, str(page))
            elif not page.text:
                without += 1
            elif references := self._references(page.picture):
                yield TruePage(references[0], page.text, annotations)
        if without:
            pages = counted(without, "page")
            self._progress.say(f"Skipped, because they have no annotated text: {pages}.")

    def _references(self, path: Path) -> tuple[PageRef, ...]:
        """Return the pages of a file; none if it cannot be opened."""
        try:
            with open_document(path) as document:
                return document.pages
        except PasswordRequired:
            self._leave_out(
                path.name, "The PDF is encrypted. Save it without a password to have it read here."
            )
        except DocumentError as error:
            self._leave_out(path.name, str(error))
        return ()

    def _leave_out(self, name: str, sentence: str) -> None:
        self.all_usable = False
        self._progress.complain(f"{name}: {sentence}")
