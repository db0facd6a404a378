"""The pages of a folder whose text is known: scans with their truth beside them, or OmniDocBench.

Everything that cannot be used is told once and left out. Knows no model.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rtocr_gui.cli.progress import Progress
from rtocr_gui.documents.loading import SUPPORTED_SUFFIXES, open_document
from rtocr_gui.documents.omnidocbench import find_annotations, read_annotations
from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.documents.truth import find_truth
from rtocr_gui.errors import DocumentError
from rtocr_gui.units import counted


@dataclass(frozen=True, slots=True)
class TruePage:
    """A page to read, and what it says.

    Attributes:
        ref: which page.
        truth: its text, not empty.
        source: the file that the text comes from.
    """

    ref: PageRef
    truth: str
    source: Path

    def load(self) -> PageImage:
        """Open the page, which must still be the one that was found.

        Raises:
            DocumentError: it cannot be opened, is gone or has changed.
        """
        with open_document(self.ref.path) as document:
            if document.pages[0].sha256 != self.ref.sha256:
                raise DocumentError("The file has changed since the folder was looked through. Start again.")
            return document.load_page(self.ref.index)


class TruePages:
    """Looks a folder through.

    Args:
        progress: where it is told what is left out.

    Attributes:
        all_usable: False once something had to be left out that cannot be used.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.all_usable = True

    def find(self, folder: Path, limit: int | None = None) -> list[TruePage]:
        """List the pages by name, or in the order of the annotation file.

        Args:
            folder: holds scans and their truth, or OmniDocBench.
            limit: how many pages at most.

        Raises:
            DocumentError: there is no such folder, or it holds no page to compare.
        """
        try:
            if not folder.is_dir():
                raise DocumentError(f"There is no folder “{folder}”. Check its name and place.")
            annotations = find_annotations(folder)
            found = self._beside_truth(folder) if annotations is None else self._annotated(annotations)
            pages = list(islice(found, limit))
        except OSError as error:
            raise DocumentError(
                f"The folder “{folder}” cannot be looked through ({error.strerror}). Check who may read it."
            ) from error
        if not pages:
            raise DocumentError(
                f"“{folder}” holds no page to compare: scans need their true text beside them, NAME.md or "
                "NAME.txt, or the annotation file of OmniDocBench."
            )
        return pages

    def _beside_truth(self, folder: Path) -> Iterator[TruePage]:
        without = 0
        for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUPPORTED_SUFFIXES):
            references = self._references(path)
            for ref in references:
                try:
                    truth = find_truth(path, ref.index, len(references))
                except DocumentError as error:
                    self._leave_out(ref.label, str(error))
                    continue
                if truth is not None and truth.text:
                    yield TruePage(ref, truth.text, truth.path)
                else:
                    without += 1
        if without:
            pages = counted(without, "page")
            self._progress.say(f"Left out, for the true text is not known: {pages}.")

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
            self._progress.say(f"Left out, for no text is marked there: {pages}.")

    def _references(self, path: Path) -> tuple[PageRef, ...]:
        """The pages of a file; none where it cannot be opened."""
        try:
            with open_document(path) as document:
                return document.pages
        except DocumentError as error:
            self._leave_out(path.name, str(error))
            return ()

    def _leave_out(self, name: str, sentence: str) -> None:
        self.all_usable = False
        self._progress.complain(f"{name}: {sentence}")
