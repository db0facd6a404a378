"""The pages that are open, in the order of the list.

Plain state without Qt signals; `session` and its controllers change it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TypeAlias

from rtocr_gui.documents.labels import full_name, telling_folders, turns_apart
from rtocr_gui.documents.pages import Half, PageRef
from rtocr_gui.ocr.reading import ReadSettings
from rtocr_gui.ui.state.kept_text import KeptPage
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.page_entry import PageEntry, PageState

_order = attrgetter("reading_order")

_Place: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, as shares of width and height, in 0..1."""


@dataclass(frozen=True, eq=False, slots=True)
class RemovedPages:
    """Pages that were removed from the list together.

    Attributes:
        pages: the pages in the order of the list, as they were before a reading under way.
        model: the number of the model that was in use.
    """

    pages: tuple[OpenPage, ...]
    model: int

    @property
    def has_content(self) -> bool:
        """True if any of them has text or figures, which a reading took time for."""
        return any(page.has_content for page in self.pages)

    @property
    def is_saved(self) -> bool:
        """True if the text of all of them is in a file, or they have none."""
        return all(page.is_saved for page in self.pages)


class OpenPages:
    """The open pages in the order of the list.

    Attributes:
        shown: the one that is shown; None for none. `PageShelf` alone changes it.
    """

    def __init__(self) -> None:
        self.shown: PageRef | None = None
        self._pages: dict[PageRef, OpenPage] = {}
        self._files: dict[Path, list[OpenPage]] = {}  # the pages of each that are in the list
        self._places: dict[PageRef, None] = {}  # of all pages and parts, unrotated, including removed ones
        self._opened: dict[tuple[Path, str], None] = {}  # versions of files, the last one opened at the end
        self._model = 0  # how many models were in use before this one

    def __len__(self) -> int:
        return len(self._pages)

    def __iter__(self) -> Iterator[OpenPage]:
        return iter(self._pages.values())

    def __contains__(self, ref: PageRef) -> bool:
        return ref in self._pages

    def __getitem__(self, ref: PageRef) -> OpenPage:
        return self._pages[ref]

    def get(self, ref: PageRef | None) -> OpenPage | None:
        """The page, or None if it is not open (any more)."""
        return self._pages.get(ref) if ref is not None else None

    @property
    def shown_page(self) -> OpenPage | None:
        """The page that is shown; None for none."""
        return self.get(self.shown)

    @property
    def shown_text(self) -> str:
        """Its text, including corrections; empty for none."""
        page = self.shown_page
        return page.text if page is not None else ""

    def around(self, *, forward: bool) -> tuple[PageRef, ...]:
        """All pages in the order in which a search goes on after the shown one, which is the last."""
        refs = self.refs if forward else self.refs[::-1]
        at = 0 if self.shown is None else refs.index(self.shown) + 1
        return refs[at:] + refs[:at]

    def adapt(self, ref: PageRef | None, settings: ReadSettings) -> ReadSettings:
        """The settings that a page is read with when others are read with these."""
        page = self.get(ref)
        return settings if page is None or page.scaling is None else replace(settings, scaling=page.scaling)

    @property
    def refs(self) -> tuple[PageRef, ...]:
        """All pages in order."""
        return tuple(self._pages)

    def add(self, refs: Iterable[PageRef]) -> tuple[PageRef, ...]:
        """Add all pages of a file at the end; those already open, if only in part, stay as they are.

        Returns:
            The pages added.
        """
        pages = tuple(refs)
        there = {page.ref.whole for path in {ref.path for ref in pages} for page in self.of_file(path)}
        added = tuple(ref for ref in pages if ref not in there)
        for ref in added:
            page = self._pages[ref] = OpenPage(ref, page_count=len(pages))
            self._files.setdefault(ref.path, []).append(page)
            self._places.pop(ref, None)
            self._places[ref] = None
        for version in {(ref.path, ref.sha256) for ref in pages}:
            self._opened.pop(version, None)
            self._opened[version] = None
        return added

    def renew(
        self, refs: Iterable[PageRef], outdated: Sequence[PageRef]
    ) -> tuple[RemovedPages, tuple[PageRef, ...]]:
        """Add the pages of a file in the place of those of its earlier version, if there are any.

        Args:
            refs: all pages of the file.
            outdated: the pages that they replace. If there are none, but others of an earlier version are
                listed, the new ones follow those.

        Returns:
            What was removed, and the pages added.
        """
        pages, order, leaving = tuple(refs), self.refs, set(outdated)
        former = [page.ref for page in self.of_file(pages[0].path)]
        if outdated:
            at = order.index(outdated[0])
        elif former and {ref.whole for ref in former}.isdisjoint(pages):
            at = 1 + max(map(order.index, former))
        else:
            at = len(order)
        following = next((ref for ref in order[at:] if ref not in leaving), None)
        removed, added = self.remove(outdated), self.add(pages)
        if at < len(order):
            self.move(added, following)
        return removed, added

    def as_open(self, ref: PageRef) -> PageRef:
        """The open page, however rotated, or the first open part of it, that this refers to; else itself."""
        return next((page for page in self._pages if page.overlaps(ref)), ref)

    def rotate(self, refs: Iterable[PageRef], degrees: int) -> tuple[PageRef, ...]:
        """Turn pages clockwise: they keep place, text and scaling; their readings are dropped.

        Parts of a page that follow each other and are turned together are put in the order in which they are
        now read.

        Returns:
            Their new refs, in the order given.
        """
        turned = [self._pages[ref] for ref in refs]
        for page in turned:
            page.rotate(degrees)
        self._pages = {page.ref: page for page in self}
        names = tuple(page.ref for page in turned)
        self._order_parts(set(names))
        return names

    def _order_parts(self, turned: set[PageRef]) -> None:
        def page_of(ref: PageRef) -> PageRef:
            return replace(ref, cuts=()) if ref in turned else ref

        runs = (run for _, run in groupby(self.refs, page_of))
        order = [ref for run in runs for ref in sorted(run, key=_order)]
        if order != list(self._pages):
            self._arrange(order)

    def exchange(self, others: Mapping[PageRef, tuple[PageRef, ...]]) -> RemovedPages:
        """List other parts of the same pages in the place of these, each part once."""
        order = dict.fromkeys(new for ref in self._pages for new in others.get(ref, (ref,)))
        counts = {new: self._pages[ref].page_count for ref, parts in others.items() for new in parts}
        parts_of = {ref.unrotated: [new.unrotated for new in parts] for ref, parts in others.items()}
        former = {new for parts in parts_of.values() for new in parts}  # listed before, elsewhere
        kept = (place for place in self._places if place not in former)
        self._places = dict.fromkeys(each for place in kept for each in (place, *parts_of.get(place, ())))
        removed = self.remove(others)
        self._pages = {ref: self._pages.get(ref) or OpenPage(ref, page_count=counts[ref]) for ref in order}
        self._sort_by_file()
        return removed

    def move(self, refs: Iterable[PageRef], before: PageRef | None) -> None:
        """Move pages before another, or to the end if that is None; they keep their order."""
        order, moving = self.refs, set(refs)
        at = len(order) if before is None else order.index(before)
        above = (ref for ref in order[:at] if ref not in moving)
        below = (ref for ref in order[at:] if ref not in moving)
        self._arrange((*above, *(ref for ref in order if ref in moving), *below))

    def sort_as(self, refs: Sequence[PageRef]) -> None:
        """Put pages in this order, in the places that they have together; all others stay where they are."""
        sorted_refs, among = iter(refs), set(refs)
        self._arrange([next(sorted_refs) if ref in among else ref for ref in self.refs])

    def step(self, refs: Iterable[PageRef], *, down: bool) -> None:
        """Swap each page with the one above or below, unless that is one of them."""
        order, moving = list(self.refs)[:: -1 if down else 1], set(refs)
        for at in range(1, len(order)):
            if order[at] in moving and order[at - 1] not in moving:
                order[at - 1 : at + 1] = order[at], order[at - 1]
        self._arrange(order[:: -1 if down else 1])

    def _arrange(self, order: Iterable[PageRef]) -> None:
        """Put the pages in another order; the place of a removed one stays before the page that followed."""
        listed = {ref.unrotated for ref in self._pages}
        followed: dict[PageRef, list[PageRef]] = {}
        removed: list[PageRef] = []
        for place in self._places:
            if place in listed:
                followed[place], removed = removed, []
            else:
                removed.append(place)
        self._pages = {ref: self._pages[ref] for ref in order}
        places = (place for ref in self._pages for place in (*followed[ref.unrotated], ref.unrotated))
        self._places = dict.fromkeys((*places, *removed))

    def remove(self, refs: Iterable[PageRef]) -> RemovedPages:
        """Remove pages from the list; their places are kept."""
        leaving = set(refs)
        removed = tuple(page for page in self if page.ref in leaving) if leaving else ()
        for page in removed:
            del self._pages[page.ref]
            if page.state is PageState.READING:
                page.give_up()
        if removed:
            self._sort_by_file()
        return RemovedPages(removed, self._model)

    def blank_twins(self, removed: RemovedPages) -> tuple[PageRef, ...]:
        """The open pages that removed ones can replace: still blank, and showing nothing else."""
        listed, twins = _by_page(self._pages), list[PageRef]()
        for page, parts in _by_page(one.ref for one in removed.pages).items():
            shown = [ref for ref in listed.get(page, ()) if any(map(ref.overlaps, parts))]
            if all(self._pages[ref].is_blank and _are_all_of(parts, ref) for ref in shown):
                twins += shown
        return tuple(twins)

    def put_back(self, removed: RemovedPages) -> tuple[PageRef, ...]:
        """List pages again in their places. The clipboard may hold something else than their text by now.

        Returns:
            The pages listed; not those that have been opened again since, if only in part.
        """
        listed = _by_page(self._pages)
        back = {page.ref.unrotated: page for page in removed.pages if not _overlapping(page.ref, listed)}
        there = {page.ref.unrotated: page for page in self} | back
        self._pages = {there[place].ref: there[place] for place in self._places if place in there}
        self._sort_by_file()
        for page in back.values():
            page.saved.copied = None
            if removed.model != self._model:
                page.forget_readings()
        return tuple(page.ref for page in back.values())

    def left_behind(self, texts: Collection[KeptPage]) -> RemovedPages:
        """Return pages with texts that a person had before the program ended, to be put back.

        A text is left out if the list has no page of its file, or other text in its place. A half brings
        the other, blank, if the list has the page in another form.

        Args:
            texts: of pages and parts that do not overlap.
        """
        listed, parts = _by_page(self._pages), _by_page(kept.ref for kept in texts)
        found, follows = dict[PageRef, OpenPage](), dict[PageRef, PageRef]()
        for kept in texts:
            ref = kept.ref
            there, shown = listed.get(ref.whole, []), _overlapping(ref, listed)
            if not there or not all(self._pages[other].is_blank for other in shown):
                continue
            others = [other for other in ref.other_halves if any(map(other.overlaps, shown))]
            taken = [*parts[ref.whole], *(other for other in there if other not in shown)]
            blank = [other for other in others if not any(map(other.overlaps, taken))]
            parts[ref.whole] += blank
            count = self._pages[there[0]].page_count
            found |= {part: OpenPage(part, page_count=count) for part in (ref, *blank)}
            found[ref].restore(kept.text, kept.origin, is_exported=kept.is_exported)
            follows |= dict.fromkeys((ref, *blank), shown[0].unrotated if shown else ref.whole)
        self._make_places(follows)
        order = _with_blank_parts([kept.ref for kept in texts if kept.ref in found], found)
        return RemovedPages(tuple(found[ref] for ref in order), self._model)

    def _make_places(self, follows: Mapping[PageRef, PageRef]) -> None:
        """Make places for parts that never were in the list, each after another, as they are read."""
        new = defaultdict[PageRef, list[PageRef]](list)
        for ref in sorted(follows, key=_order):
            if ref.unrotated not in self._places:
                new[follows[ref]].append(ref.unrotated)
        places = (each for place in self._places for each in (place, *new.get(place, ())))
        self._places = dict.fromkeys(places)

    def forget_readings(self) -> None:
        """Another model is in use: drop all readings, those of removed pages too."""
        self._model += 1
        for page in self:
            page.forget_readings()

    def nearest(self, ref: PageRef | None, leaving: Iterable[PageRef]) -> PageRef | None:
        """What to show when pages leave: `ref` if it stays, else the next that does, or the last before."""
        if ref is None:
            return None
        order, gone = self.refs, set(leaving)
        at = order.index(ref)
        return next((page for page in (*order[at:], *order[:at][::-1]) if page not in gone), None)

    def outdated(self, path: Path, refs: Iterable[PageRef]) -> tuple[PageRef, ...]:
        """Unedited pages of a file that its newest version no longer has."""
        current = set(refs)
        return tuple(
            page.ref for page in self.of_file(path) if page.ref.whole not in current and not page.edited
        )

    def has_newer(self, ref: PageRef) -> bool:
        """True if a later version of the page's file is open too."""
        return self._newest[ref.path] != ref.sha256

    @property
    def _newest(self) -> dict[Path, str]:
        """The version of each file that was opened last, among those with pages in the list."""
        there = {(ref.path, ref.sha256) for ref in self._pages}
        return dict(version for version in self._opened if version in there)

    def has_file(self, path: Path) -> bool:
        """True while a page of the file is open."""
        return path in self._files

    def of_file(self, path: Path) -> tuple[OpenPage, ...]:
        """The open pages of a file, in no certain order; quick, as it is asked for with each file opened."""
        return tuple(self._files.get(path, ()))

    def name_of(self, ref: PageRef) -> str:
        """Name a page so that it is told apart from all others that are open."""
        page = self.get(ref)
        alike = [path for path in self._files if path.name == ref.path.name]
        name = ref.label if page is None else page.name
        beside = () if ref.half is None else self.of_file(ref.path)
        return full_name(name, ref, telling_folders(alike), turns_apart(other.ref for other in beside))

    def _sort_by_file(self) -> None:
        self._files = {}
        for page in self:
            self._files.setdefault(page.ref.path, []).append(page)

    @property
    def entries(self) -> tuple[PageEntry, ...]:
        """What the page list shows: page number, part and folder, each only if it tells pages apart.

        A file that was changed and opened again is listed twice while pages of the former version are edited.
        """
        newest = self._newest
        folders, turns = telling_folders(newest), turns_apart(self._pages)
        pages_of = Counter((ref.path, ref.sha256) for ref in {ref.whole for ref in self._pages})
        return tuple(
            PageEntry(
                ref,
                ref.path.name,
                ", ".join(
                    part
                    for part, applies in (
                        (f"Page {ref.index + 1}", pages_of[ref.path, ref.sha256] > 1),
                        (", ".join(ref.cut_names), ref.cuts),
                        (turns.get(ref, ""), ref in turns),
                        ("earlier version", newest[ref.path] != ref.sha256),
                        (f"in {folders.get(ref.path)}", ref.path in folders),
                    )
                    if applies
                ),
            )
            for ref in self._pages
        )


def _by_page(refs: Iterable[PageRef]) -> Mapping[PageRef, list[PageRef]]:
    """Group pages and their parts by the page as it is in its file."""
    grouped: defaultdict[PageRef, list[PageRef]] = defaultdict(list)
    for ref in refs:
        grouped[ref.whole].append(ref)
    return grouped


def _with_blank_parts(texts: Sequence[PageRef], parts: Iterable[PageRef]) -> Iterator[PageRef]:
    """Yield parts with texts in their order, and each blank one beside the text that is read before it."""
    beside = {ref: [ref] for ref in texts}
    for of_page in _by_page(parts).values():
        in_order = sorted(of_page, key=_order)
        text = next(ref for ref in in_order if ref in beside)
        for ref in in_order:
            if ref in beside:
                text = ref
            else:
                beside[text].append(ref)
    for refs in beside.values():
        yield from sorted(refs, key=_order)


def _are_all_of(parts: Iterable[PageRef], ref: PageRef) -> bool:
    """True if parts of a page that do not overlap show all of another; a crop counts as what it is of."""
    place = _place_of(ref)
    return sum(_shared(place, _place_of(part)) for part in parts) == _shared(place, place)


def _shared(one: _Place, other: _Place) -> float:
    """Share of the page that lies in both places: exact, as is all that comes of halving."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _place_of(ref: PageRef) -> _Place:
    """Where a part is on its page, as if all halves were equal."""
    left, top, right, bottom = 0.0, 0.0, 1.0, 1.0
    for cut in ref.cuts:
        x, y = (left + right) / 2, (top + bottom) / 2
        match cut:
            case Half.LEFT:
                right = x
            case Half.RIGHT:
                left = x
            case Half.TOP:
                bottom = y
            case Half.BOTTOM:
                top = y
    return left, top, right, bottom


def _overlapping(ref: PageRef, by_page: Mapping[PageRef, list[PageRef]]) -> list[PageRef]:
    return [other for other in by_page.get(ref.whole, ()) if ref.overlaps(other)]
