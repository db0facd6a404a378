"""What the window tells a person on its own: a sentence, and what they can do about it.

Frozen values. Knows neither how a notice is shown nor how an offer is carried out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rtocr_gui.documents.folders import ScansBelow
from rtocr_gui.documents.labels import counted_pages
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import Scaling
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.state.kept_text import KeptPage, LeftBehind
from rtocr_gui.ui.state.open_pages import RemovedPages
from rtocr_gui.ui.state.shown import PageFailure, Replacing
from rtocr_gui.units import counted, percent

if TYPE_CHECKING:
    from rtocr_gui.ocr.memory.fit import Fit, Proposal


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """An offer to read one page again, scaled differently from the others.

    Attributes:
        ref: the page.
        scaling: how to scale it from now on.
    """

    ref: PageRef
    scaling: Scaling

    @property
    def label(self) -> str:
        """What a button says."""
        return retry_label(self.scaling)

    @property
    def tip(self) -> str:
        """What a button says when it is pointed at."""
        return f"Read this page again: {self.scaling.label}"


@dataclass(frozen=True, slots=True)
class ReadHalves:
    """An offer to split a page and to read its halves.

    Attributes:
        ref: the page.
        beside: True for the left and the right half, False for the top and the bottom half.
    """

    ref: PageRef
    beside: bool
    tip = "Split the page, and read both halves"

    @property
    def label(self) -> str:
        """What a button says."""
        return f"Read in {'left and right' if self.beside else 'top and bottom'} halves"


@dataclass(frozen=True, slots=True)
class LoadModel:
    """An offer to load a model differently, or another model.

    Attributes:
        label: what a button says.
        request: what the offer loads.
    """

    label: str
    request: LoadRequest

    @property
    def tip(self) -> str:
        """What a button says when it is pointed at."""
        return f"Load {self.request.folder}"


@dataclass(frozen=True, eq=False, slots=True)
class BringBack:
    """An offer to list pages again, with text and state.

    Attributes:
        removed: the pages.
    """

    removed: RemovedPages
    label = "Restore"

    @property
    def tip(self) -> str:
        """What a button says when it is pointed at."""
        return f"Put {_named(self.removed)} back in the list, with text and state"


@dataclass(frozen=True, eq=False, slots=True)
class TakeBack:
    """An offer to write again what was replaced on several pages.

    Attributes:
        replaced: what was replaced.
    """

    replaced: Replacing
    label = "Undo"

    @property
    def tip(self) -> str:
        """What a button says when it is pointed at."""
        return f"Put “{self.replaced.words}” back on all these pages"


@dataclass(frozen=True, slots=True)
class RestoreText:
    """An offer to put texts that were left behind back into their pages.

    Attributes:
        left: the texts.
    """

    left: LeftBehind
    label = "Restore"
    tip = "Open the files of this text, and put it back into their pages"


@dataclass(frozen=True, slots=True)
class LeaveText:
    """An offer to leave texts in the file in which they were left behind, and not to offer them again.

    Attributes:
        file: which one.
    """

    file: Path
    label = "Do not offer again"
    tip = "The file stays where it is"


@dataclass(frozen=True, slots=True)
class OpenAgain:
    """An offer to open a file as it is now, in the place of its earlier version.

    Attributes:
        path: the file.
    """

    path: Path
    label = "Open again"

    @property
    def tip(self) -> str:
        """What a button says when it is pointed at."""
        return f"Open {self.path} as it is now"


@dataclass(frozen=True, slots=True)
class OpenSubfolders:
    """An offer to open the scans in the subfolders of a folder, at any depth.

    Attributes:
        folder: which one.
        found: the scans.
    """

    folder: Path
    found: ScansBelow

    @property
    def label(self) -> str:
        """What a button says."""
        return f"Open {counted(len(self.found.files), 'file')}"

    @property
    def tip(self) -> str:
        """What a button says when it is pointed at."""
        subfolders = counted(len({file.parent for file in self.found.files}), "subfolder")
        return f"Open the scans in {subfolders} of {self.folder}"


@dataclass(frozen=True, slots=True)
class EnterPassword:
    """An offer to ask once more for the password of a file, and to open it.

    Attributes:
        path: the file.
    """

    path: Path
    label = "Enter password…"
    tip = "Ask for its password once more, and open it"


@dataclass(frozen=True, slots=True)
class UseAuto:
    """An offer to leave the retention ratio to each page."""

    label = "Use Auto"
    tip = "Let RTPrune choose for each page how many tokens to keep"


@dataclass(frozen=True, slots=True)
class ShowFolder:
    """An offer to look at the folder of a file in the desktop's own program for that.

    Attributes:
        file: which one.
    """

    file: Path
    label = "Show folder"

    @property
    def tip(self) -> str:
        """What a button says when it is pointed at."""
        return f"Open {self.file.parent}"


SessionOffer = (
    ReadAgain
    | LoadModel
    | BringBack
    | TakeBack
    | RestoreText
    | LeaveText
    | OpenAgain
    | OpenSubfolders
    | EnterPassword
    | UseAuto
)
"""What the session carries out."""

Offer = SessionOffer | ReadHalves | ShowFolder


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to say.

    Attributes:
        sentence: what happened.
        offers: what a person can do about it, the best first.
        is_passing: True if all went well and nothing needs to be done: the notice disappears by itself.
        stays_in_view: True if nothing else tells it again: no other notices crowd it out.
        about: the file, or the unrotated page or part, it is about: two of the same name keep a notice each.
        model: folder of the model that it says could not be loaded.
    """

    sentence: str
    offers: tuple[Offer, ...] = ()
    is_passing: bool = False
    stays_in_view: bool = False
    about: Path | PageRef | None = None
    model: Path | None = None

    @property
    def file(self) -> Path | None:
        """The file that it, or its page, is about."""
        return self.about.path if isinstance(self.about, PageRef) else self.about

    @property
    def is_problem(self) -> bool:
        """True if nothing is offered, except to open the file, again or with its password."""
        return all(isinstance(offer, OpenAgain | EnterPassword) for offer in self.offers)

    @property
    def outlives_keys(self) -> bool:
        """True if no stray key may hide it: nothing tells it again, or it alone undoes much in one step."""
        return self.stays_in_view or any(isinstance(offer, TakeBack) for offer in self.offers)

    def is_of(self, pages: set[PageRef]) -> bool:
        """True if it offers to read one of these pages (unrotated), or tells a problem of one."""
        to_read = {offer.ref.unrotated for offer in self.offers if isinstance(offer, ReadAgain | ReadHalves)}
        return bool(pages & to_read) or (self.is_problem and self.about in pages)

    def outdates(self, old: "Notice") -> bool:
        """True if it makes an older notice obsolete."""
        is_way_back = any(isinstance(offer, BringBack | TakeBack) for offer in old.offers)
        says_the_same = self.sentence == old.sentence and self.about == old.about and not is_way_back
        offers_the_same = bool(self.offers) and self.offers == old.offers
        costs_nothing = all(isinstance(offer, ShowFolder) for offer in old.offers)
        is_old_news = self.is_passing and old.is_passing and costs_nothing
        is_same_file = isinstance(self.about, Path) and self.about == old.about
        return says_the_same or offers_the_same or is_old_news or is_same_file


def retry_label(scaling: Scaling) -> str:
    """Name another try: "Read in Base mode", "Read with at most 4 tiles"."""
    if scaling.is_limited:
        return f"Read with at most {scaling.most_tiles} tiles"
    return f"Read in {scaling.phrase}"


def about_page(ref: PageRef, name: str, sentence: str, offers: tuple[Offer, ...] = ()) -> Notice:
    """Say which page a sentence is about."""
    return Notice(f"{name}: {sentence}", offers, about=ref.unrotated)


def about_failure(failure: PageFailure, name: str, offers: tuple[Offer, ...] = ()) -> Notice:
    """Say what could not be done with a page; if its file has to be opened again, offer that."""
    if failure.may_reopen:
        offers = (*offers, OpenAgain(failure.ref.path))
    return about_page(failure.ref, name, failure.sentence, offers)


def about_file(path: Path, sentence: str) -> Notice:
    """Say which file a sentence is about."""
    return Notice(f"{path.name}: {sentence}", about=path)


def about_locked(path: Path, reason: str) -> Notice:
    """Say why a file that needs a password is not open, and offer to ask for it once more."""
    return replace(about_file(path, f"not opened. {reason}"), offers=(EnterPassword(path),))


def about_folder(folder: Path, sentence: str, below: ScansBelow) -> Notice:
    """Say what of a folder is not open, and offer to open the scans in its subfolders, if there are some."""
    offers = (OpenSubfolders(folder, below),) if below.files else ()
    return replace(about_file(folder, sentence), offers=offers)


def about_left_behind(left: LeftBehind) -> Notice:
    """Say at startup where text is that was in no file when the program ended unexpectedly."""
    what, more = "Text that was not exported", ""
    if left.pages:
        what, more = (
            f"The text of {_of_kept(left.pages)}",
            " It can be restored to its pages; the file stays.",
        )
    sentence = f"RTOCR has ended unexpectedly. {what} is in “{left.path}”.{more}"
    return _about_text_in_file(sentence, left)


def about_restored(restored: int, left: LeftBehind) -> Notice:
    """Say how many texts are in their pages again, and offer the others once more.

    Args:
        restored: how many.
        left: the file that has them all, and the others.
    """
    deed = f"Restored the text of {counted(restored, 'page')}." if restored else "No text was restored."
    if not left.pages:
        if not restored:
            deed = "All this text is in its pages already."
        return Notice(f"{deed} It is in “{left.path}” too.", (ShowFolder(left.path),), is_passing=True)
    why = (
        "the page has another text, or its file is gone, has changed or was not opened"
        if len(left.pages) == 1
        else "the pages have another text, or their files are gone, have changed or were not opened"
    )
    sentence = f"{deed} That of {_of_kept(left.pages)} is in “{left.path}” only, because {why}."
    return _about_text_in_file(sentence, left)


def _of_kept(pages: Sequence[KeptPage]) -> str:
    return _one_or_counted(pages[0].label, [page.ref for page in pages])


def _about_text_in_file(sentence: str, left: LeftBehind) -> Notice:
    restore = (RestoreText(left),) if left.pages else ()
    return Notice(sentence, (*restore, ShowFolder(left.path), LeaveText(left.path)), stays_in_view=True)


def about_removed(removed: RemovedPages, deed: str = "Removed") -> Notice:
    """Say which pages left the list by which deed, and offer to bring them back.

    Halves may be read in place of a text that is in no file, which takes longer than a passing notice.
    """
    first = removed.pages[0].ref.unrotated
    passes = deed != "Split" or removed.is_saved
    return Notice(f"{deed} {_named(removed)}.", (BringBack(removed),), is_passing=passes, about=first)


def about_outdated(path: Path, removed: RemovedPages, kept: int) -> Notice:
    """Say what became of the pages of a file that has changed, and offer to bring back those that left.

    Text that is in no file may be wanted much later: the scan that it was read from is gone.

    Args:
        path: the file.
        removed: the pages that left the list; they count if any has text.
        kept: how many stay, as the person typed into them.
    """
    sentence = f"{path.name} has changed and was opened again."
    if kept:
        sentence += f" Kept {counted(kept, 'page')} of its earlier version, with the text that you typed."
    if not removed.has_content:
        return Notice(sentence, is_passing=True)
    sentence += f" Removed {counted(len(removed.pages), 'page')} of its earlier version."
    return replace(about_removed(removed), sentence=sentence, is_passing=removed.is_saved)


def about_samples(removed: RemovedPages) -> Notice:
    """Say that sample pages with text left the list, and offer to bring them back."""
    return replace(about_removed(removed), sentence="The sample pages were removed to make room for yours.")


def about_retention(retention: float) -> Notice:
    """Say at startup that pages are read at a ratio set in an earlier session."""
    sentence = (
        f"Pages are read with {percent(retention)} of their visual tokens, the retention you set last time."
    )
    return Notice(sentence, (UseAuto(),), is_passing=True)


def about_left_out(removed: RemovedPages) -> Notice:
    """Say which pages were not brought back, as they are open anew, and offer it once more."""
    were, them = ("was", "it") if len(removed.pages) == 1 else ("were", "them")
    sentence = (
        f"{_named(removed)} {were} not restored, because the list has {them} again, whole or in parts. "
        f"Remove {them} from the list first."
    )
    return Notice(sentence, (BringBack(removed),), about=removed.pages[0].ref.unrotated)


def about_replaced(replaced: Replacing, left_alone: int) -> Notice:
    """Say what was replaced, and offer to take it back, which may be wanted much later.

    Args:
        replaced: on the pages where it was.
        left_alone: how many other pages have matches.
    """
    deed = (
        f"Replaced “{replaced.words}” with “{replaced.by}”" if replaced.by else f"Deleted “{replaced.words}”"
    )
    sentence = f"{deed}: {replaced.extent}." if replaced.changes else "Nothing was replaced."
    if left_alone:
        sentence += f" Pages being read or waiting, left alone: {left_alone}."
    return Notice(sentence, (TakeBack(replaced),) if replaced.changes else ())


def about_put_back(written: Replacing, left_alone: Replacing) -> Notice:
    """Say where what was replaced was written again, and offer it once more where it was not.

    Args:
        written: on the pages where it was.
        left_alone: on the others.
    """
    words = f"“{written.words}”"
    if written.changes:
        sentence = f"Put {words} back: {written.extent}."
    else:
        sentence = f"{words} was not put back." if left_alone.changes else f"{words} is back already."
    if left_alone.changes:
        sentence += f" Pages changed or removed since, or being read, left alone: {len(left_alone.changes)}."
        return Notice(sentence, (TakeBack(left_alone),))
    return Notice(sentence, is_passing=True)


def _named(removed: RemovedPages) -> str:
    return _one_or_counted(removed.pages[0].name, [page.ref for page in removed.pages])


def _one_or_counted(name: str, refs: Sequence[PageRef]) -> str:
    """Name a page if it is the only one, or say how many they are."""
    return name if len(refs) == 1 else counted_pages(refs)


def refusal(fit: "Fit", asked: LoadRequest, bundled: LoadRequest) -> Notice:
    """Say that a model does not fit into memory, and offer what does.

    Args:
        fit: what it needs, and what would fit.
        asked: what should have been loaded.
        bundled: how the bundled model is loaded.
    """
    offers = [
        LoadModel(proposal.label, bundled if proposal.is_bundled_model else _proposed(proposal, fit, asked))
        for proposal in fit.proposals
    ]
    anyway = LoadModel("Load it anyway, which may slow this computer down", replace(asked, anyway=True))
    return Notice(f"{fit.sentence} It was not loaded.", (*offers, anyway), model=asked.folder)


def _proposed(proposal: "Proposal", fit: "Fit", asked: LoadRequest) -> LoadRequest:
    """Apply a proposal to a request; what it does not change stays as requested, including "auto"."""
    spot = fit.spot
    if proposal.scaling is not None:
        asked = replace(asked, scaling=proposal.scaling, changes_scaling=True)
    if (proposal.device, proposal.precision) == (spot.device, spot.precision):
        return asked
    return replace(
        asked,
        device=asked.device if proposal.device == spot.device else proposal.device,
        precision=proposal.precision,
    )
