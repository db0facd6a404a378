"""Which pages are listed, which of them is shown, and the pictures of the page and the list.

Asks the bridge and drops answers that are no longer wanted. Knows neither the model nor widgets.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import Crop, PageRef
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import PageRendered, RequestFailed
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.file_opener import FileOpener
from rtocr_gui.ui.state.open_pages import OpenPages, RemovedPages
from rtocr_gui.ui.state.shown import PageFailure, PasswordQuestion

TELL_MS = 200
"""While files are being opened, the list is told of their pages at most this often: each time it is laid out
anew, which takes long for thousands."""


class PageShelf(QObject):
    """Lists the pages of files that are opened, and shows one of them.

    The first page that comes after a request to open files is shown. If the person types meanwhile (`stay`),
    the shown page stays, and the new ones are only listed. A page whose file has changed and is opened again
    gives way to the one with its number, unless the person typed into it.

    Signals (each carries one frozen value):
        pages_opened (tuple of PageRef): a file was opened, and these pages of it are in the list, or
            `pages_changed` and `pages_listed` follow.
        pages_changed (tuple of PageEntry): the pages in the list, or their order, have changed.
        pages_dropped (tuple of PageRef): these pages are leaving the list, or their file has changed.
        pages_removed (RemovedPages, str): what was removed or exchanged, and the deed: “Removed”, “Split” …
        pages_outdated (Path, RemovedPages, tuple of PageRef): a newer version of a file was opened: these
            pages left the list, and these stay, as the person typed into them.
        pages_rotated (dict of PageRef to PageRef): the new refs of these pages; `pages_changed` follows.
        pages_exchanged (dict of PageRef to tuple of PageRef): what is listed in the place of these pages;
            `pages_dropped` and `pages_changed` follow.
        pages_moved (tuple of PageRef): all pages in their new order; `pages_changed` follows.
        selection_wanted (tuple of PageRef): these pages are to be selected in the list.
        pages_listed (tuple of PageRef): these pages are listed again, or with new refs, with text and state.
        page_selected (PageRef or None): this page is shown from now on; its picture follows.
        selection_changed (tuple of PageRef): these pages are selected.
        rendering_changed (bool): True while the shown page is being rendered.
        page_rendered (PageRendered): the picture of the shown page.
        page_failed (PageFailure): why the shown page has no picture.
        thumbnail_rendered (PageRendered): the picture of a page in the list.

    Args:
        bridge: renders pages, and closes files.
        opener: opens files.
        pages: the open pages.
        parent: Qt parent.
    """

    pages_opened = Signal(object)
    pages_changed = Signal(object)
    pages_dropped = Signal(object)
    pages_removed = Signal(object, str)
    pages_outdated = Signal(object, object, object)
    pages_rotated = Signal(object)
    pages_exchanged = Signal(object)
    pages_moved = Signal(object)
    selection_wanted = Signal(object)
    pages_listed = Signal(object)
    page_selected = Signal(object)
    selection_changed = Signal(object)
    rendering_changed = Signal(bool)
    page_rendered = Signal(object)
    page_failed = Signal(object)
    thumbnail_rendered = Signal(object)

    def __init__(
        self, bridge: EngineBridge, opener: FileOpener, pages: OpenPages, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._opener = opener
        self._pages = pages
        self._selected: tuple[PageRef, ...] = ()
        self._selects_opened = False
        self._renewed: Path | None = None
        self._render_id = 0
        self._picture_failed = False
        self._appended: list[PageRef] = []
        self._telling = one_shot(self, TELL_MS, self._tell_pages)
        opener.requested.connect(self._move_on)
        opener.changed.connect(self._end_opening)
        opener.opened.connect(self._add)
        opener.password_needed.connect(self._close_locked)
        opener.refused.connect(self._close_unused)
        bridge.page_rendered.connect(self._pass_picture)
        bridge.thumbnail_rendered.connect(self.thumbnail_rendered)
        bridge.request_failed.connect(self._report_picture)

    @property
    def refs(self) -> tuple[PageRef, ...]:
        """The open pages in the order of the list."""
        return self._pages.refs

    @property
    def current(self) -> PageRef | None:
        """The shown page."""
        return self._pages.shown

    @property
    def selected(self) -> tuple[PageRef, ...]:
        """The pages that are selected in the list; if there are none, the shown one."""
        return self._selected or ((self._pages.shown,) if self._pages.shown is not None else ())

    @Slot()
    def _move_on(self) -> None:
        """Show the first page of the files that open next: the person wants to see it."""
        self._selects_opened = True

    @Slot(int)
    def _end_opening(self, files_left: int) -> None:
        if not files_left:
            self.stay()  # all were refused, or are listed by now

    def stay(self) -> None:
        """Keep showing this page when pending files open: the person is typing into its text."""
        self._selects_opened, self._renewed = False, None

    def open_anew(self, path: Path) -> None:
        """Open a file as it is now; the page of it that is shown gives way to the one with its number."""
        shown = self._pages.shown
        if shown is not None and shown.path == path:
            self._renewed = path
        self._opener.open_anew(path)

    @Slot(object)
    def select(self, ref: PageRef | None) -> None:
        """Show another page; None for no page."""
        if ref != self._pages.shown or ref is None:
            self._show(ref)

    @Slot(object)
    def set_selection(self, refs: tuple[PageRef, ...]) -> None:
        """Set the pages that are selected in the list."""
        self._selected = refs
        self.selection_changed.emit(self.selected)

    def show_neighbour(self, *, down: bool) -> None:
        """Show the next or the previous page of the list, if there is one."""
        refs, shown = self._pages.refs, self._pages.shown
        if shown is not None:
            neighbour = refs.index(shown) + (1 if down else -1)
            if 0 <= neighbour < len(refs):
                self._show(refs[neighbour])

    def remove(self, refs: Iterable[PageRef]) -> None:
        """Remove pages from the list; their files stay where they are."""
        self.pages_removed.emit(self.take_out(refs), "Removed")

    def take_out(self, refs: Iterable[PageRef]) -> RemovedPages:
        """Remove pages as `remove` does, but emit no `pages_removed`; return them, to be put back."""
        leaving = tuple(ref for ref in refs if ref in self._pages)  # some may be gone: the file has changed
        shown = self._pages.nearest(self._pages.shown, leaving)
        self.pages_dropped.emit(leaving)
        removed = self._pages.remove(leaving)
        for path in {ref.path for ref in leaving}:
            self._close_unused(path)
        self._tell_pages()
        if shown != self._pages.shown:
            self._show(shown)
        return removed

    def put_back(self, removed: RemovedPages, *, show: bool = True) -> RemovedPages:
        """List pages again, except those that were opened again and hold text by now.

        Args:
            removed: the pages.
            show: show the first; otherwise the shown page stays, which must not be blank.

        Returns:
            Those that were left out.
        """
        listed = {ref.path for ref in self._pages.refs}
        twins = self._pages.blank_twins(removed)
        self.pages_dropped.emit(twins)
        self._pages.remove(twins)
        back = self._pages.put_back(removed)
        for path in {ref.path for ref in back} - listed:
            self._opener.open_again(path)
        self._tell_pages()
        self.pages_listed.emit(back)
        if back and show:
            self._show(back[0])
        there = set(back)
        return replace(removed, pages=tuple(page for page in removed.pages if page.ref not in there))

    @Slot(object)
    def _close_unused(self, path: Path) -> None:
        if not self._pages.has_file(path) and not self._opener.is_opening(path):
            self._bridge.close_document(path)

    @Slot(object)
    def _close_locked(self, question: PasswordQuestion) -> None:
        self._close_unused(question.path)

    def rotate(self, degrees: int, *, whole_file: bool = False) -> None:
        """Turn the selected pages, or all of the shown page's file, clockwise; files stay as they are."""
        shown = self._pages.shown
        if shown is None:
            return
        turning = self._of_same_file(shown) if whole_file else self.selected
        names = dict(zip(turning, self._pages.rotate(turning, degrees), strict=True))
        self._pages.shown = names.get(shown, shown)
        self._selected = tuple(names.get(ref, ref) for ref in self._selected)
        self.pages_rotated.emit(names)
        self._tell_pages()
        self.pages_listed.emit(tuple(names.values()))
        if shown in names:
            self._show(self._pages.shown)

    @property
    def to_join(self) -> tuple[PageRef, ...]:
        """The selected halves, and those in the list that go with them."""
        wanted = {ref.joined.unrotated for ref in self.selected if ref.half is not None}
        return tuple(ref for ref in self._pages.refs if not wanted.isdisjoint(ref.cut_from))

    def split(self, refs: Iterable[PageRef], *, beside: bool) -> None:
        """List the halves of pages in their place; files stay as they are.

        Args:
            refs: pages; those that have left the list since are ignored.
            beside: True for the left and the right half, False for the top and the bottom half.
        """
        self._exchange({ref: ref.halves(beside=beside) for ref in refs if ref in self._pages}, "Split")

    def join(self, refs: Iterable[PageRef]) -> None:
        """List pages in the place of their halves, and the halves of these, each rotated as its first part.

        Args:
            refs: halves, as from `to_join`; those that have left the list since are ignored.
        """
        halves = tuple(ref for ref in refs if ref in self._pages)
        wanted = {ref.joined.unrotated for ref in halves}
        joined, pages = dict[PageRef, PageRef](), dict[PageRef, tuple[PageRef, ...]]()
        for ref in halves:
            page = next(page for page in ref.cut_from if page in wanted)
            pages[ref] = (joined.setdefault(page, page.rotated(ref.rotation_deg)),)
        self._exchange(pages, "Joined")

    def crop(self, refs: Iterable[PageRef], crop: Crop) -> None:
        """List the same part of each of these pages in its place; files stay as they are.

        Args:
            refs: pages; those that have left the list since are ignored.
            crop: the part, as each page is rotated.
        """
        self._exchange({ref: (ref.cropped(crop),) for ref in refs if ref in self._pages}, "Cropped")

    @property
    def to_uncrop(self) -> tuple[PageRef, ...]:
        """The selected pages that were cropped, and not split after that."""
        return tuple(ref for ref in self.selected if ref.is_cropped)

    def uncrop(self, refs: Iterable[PageRef]) -> None:
        """List what pages were cropped from in their place.

        Args:
            refs: pages, as from `to_uncrop`; those that have left the list since are ignored.
        """
        self._exchange({ref: (ref.uncropped,) for ref in refs if ref in self._pages}, "Uncropped")

    def _exchange(self, others: Mapping[PageRef, tuple[PageRef, ...]], deed: str) -> None:
        parts = tuple(dict.fromkeys(ref for parts in others.values() for ref in parts))
        removed = self._pages.exchange(others)
        self.pages_exchanged.emit(others)
        self.pages_dropped.emit(tuple(others))
        self._tell_pages()
        self.pages_listed.emit(parts)
        shown = self._pages.shown
        if shown is not None and shown in others:
            self._show(others[shown][0])
        self.selection_wanted.emit(parts)
        self.pages_removed.emit(removed, deed)

    @Slot(object)
    def move_selected(self, before: PageRef | None) -> None:
        """Move the selected pages before another, or to the end if that is None."""
        former = self._pages.refs
        self._pages.move(self.selected, before)
        self._tell_moved(former)

    def sort_as(self, refs: Sequence[PageRef]) -> None:
        """Put pages that are listed in this order, in the places that they have together."""
        former = self._pages.refs
        self._pages.sort_as(refs)
        self._tell_moved(former)

    def step_selected(self, *, down: bool) -> None:
        """Swap the selected pages with the one above or below."""
        former = self._pages.refs
        self._pages.step(self.selected, down=down)
        self._tell_moved(former)

    def _tell_moved(self, former: tuple[PageRef, ...]) -> None:
        if self._pages.refs != former:
            self.pages_moved.emit(self._pages.refs)
            self._tell_pages()

    def _of_same_file(self, shown: PageRef) -> tuple[PageRef, ...]:
        return tuple(ref for ref in self._pages.refs if (ref.path, ref.sha256) == (shown.path, shown.sha256))

    @Slot()
    def _tell_pages(self) -> None:
        self._telling.stop()
        selected, appended = set(self._selected), tuple(self._appended)
        self._selected = tuple(ref for ref in self._pages.refs if ref in selected)
        self._appended.clear()
        self.pages_changed.emit(self._pages.entries)
        if appended:
            self.pages_listed.emit(appended)

    def _tell_added(self, refs: Iterable[PageRef], *, at_once: bool) -> None:
        """Tell of pages at the end of the list, if more files are coming soon and of all of them together.

        Args:
            refs: the pages; none if those of a file that was opened again were all there.
            at_once: True to tell now, as others have left the list.
        """
        self._appended += refs
        if at_once or not self._opener.is_busy:
            self._tell_pages()
        elif not self._telling.isActive():
            self._telling.start()

    @Slot(object)
    def want_thumbnail(self, ref: PageRef) -> None:
        """Render the thumbnail of a page that came into view."""
        if ref in self._pages:
            self._bridge.render_thumbnail(ref)

    def _show(self, ref: PageRef | None) -> None:
        if self._appended:
            self._tell_pages()
        self._pages.shown, self._picture_failed = ref, False
        self._bridge.stop(self._render_id)
        self._render_id = self._bridge.render_page(ref) if ref is not None else 0
        self.rendering_changed.emit(ref is not None)
        self.page_selected.emit(ref)

    @Slot(object, object, bool)
    def _add(self, path: Path, opened: tuple[PageRef, ...], again: bool) -> None:
        if again:
            self._close_unused(path)
            self._tell_pages()  # the wanted ones are listed already, but need their pictures
            shown = self._pages.shown
            if shown is not None and shown.path == path and self._picture_failed:
                self._show(shown)
        else:
            self._list(path, opened)

    def _list(self, path: Path, opened: tuple[PageRef, ...]) -> None:
        former = [page.ref for page in self._pages.of_file(path)]
        there = set(opened)
        self.pages_dropped.emit(tuple(ref for ref in former if ref.whole not in there))
        outdated, added = self._pages.renew(opened, self._pages.outdated(path, opened))
        self._tell_added(added, at_once=bool(outdated.pages))
        self._show_opened(path, opened)
        if added == opened:
            stay = tuple(ref for ref in former if ref in self._pages)
            self.pages_outdated.emit(path, outdated, stay)
        self.pages_opened.emit(opened)

    def _show_opened(self, path: Path, opened: tuple[PageRef, ...]) -> None:
        """Show a page of a file that was opened, if it was opened for that or the shown page is of it."""
        shown, gives_way = self._pages.shown, path == self._renewed
        if gives_way:
            self._renewed = None
        if self._selects_opened or shown is None:
            self._selects_opened = False
            self._show(self._pages.as_open(opened[0]))
        elif shown.whole in opened:
            self._show(shown)
        elif shown not in self._pages or (shown.path == path and gives_way):
            self._show(self._pages.as_open(opened[min(shown.index, len(opened) - 1)]))
        elif shown.path == path and self._picture_failed:
            self._show(shown)  # there is a newer version by now, and only its text is left

    @Slot(object)
    def _pass_picture(self, reply: PageRendered) -> None:
        if reply.request_id == self._render_id:
            self.rendering_changed.emit(False)
            self.page_rendered.emit(reply)

    @Slot(object)
    def _report_picture(self, failure: RequestFailed) -> None:
        shown = self._pages.shown
        if failure.request_id == self._render_id and shown is not None:
            self._picture_failed = True
            self.rendering_changed.emit(False)
            self.page_failed.emit(PageFailure.of(shown, failure))
