"""The pages that are open: their text, who wrote it, and how far their reading is.

Plain state without Qt signals; `session` changes it and tells the panes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.markup import parse_blocks, strip_grounding
from rtocr_gui.ocr.reading import Mode, Reading, ReadSettings, Scaling, StopReason, Task
from rtocr_gui.ui.notices import retry_label
from rtocr_gui.ui.page_model import PageEntry, PageState
from rtocr_gui.ui.shown import BlocksShown, ReadingRecord
from rtocr_gui.units import grouped, percent

PRUNED_READINGS_KEPT = 40
"""Readings of a page at other ratios that are kept for comparison, the newest; those of all tokens stay."""

_STOP_SENTENCES = {
    StopReason.END: "",
    StopReason.CANCELLED: "Stopped before the end.",
    StopReason.LENGTH: "Stopped at the length limit; the page may go on.",
    StopReason.LOOP: "Stopped because the model began to repeat itself; the repetition was left out.",
}


@dataclass(slots=True)
class OpenPage:
    """One open page.

    Attributes:
        ref: which page.
        text: recognised or typed text.
        edited: True where a person changed the text since it was read.
        exported_text: the text that was exported last; None before the first time.
        state: how far its reading is.
        sentence: why the state is what it is; may be empty.
        reading: the numbers of the newest reading; None before the first.
        picture_problem: why it has no picture; empty where it has one, or nobody asked for it yet.
        page_count: how many pages its file has.
        readings: whole readings of it by the model in use, whoever asked for them.
        by_former_model: True where another model than the one in use made the newest reading.
        task: what was asked for when its text was read; None before.
        raw_text: what the model said then, so far, markup and all.
        read_text: the same without the markup, and without what a person changed.
        scaling: how this page alone is scaled; None where it is scaled as all are.
        read_as: as what it was read for its text; another name than `ref` once it was turned since.
        retry: how to scale it instead, where the newest reading failed or ran in circles; None where nobody
            knows a way, and once another reading began.
    """

    ref: PageRef
    text: str = ""
    edited: bool = False
    exported_text: str | None = None
    state: PageState = PageState.UNREAD
    sentence: str = ""
    reading: ReadingRecord | None = None
    picture_problem: str = ""
    page_count: int = 1
    readings: dict[ReadSettings, ReadingRecord] = field(default_factory=dict)
    by_former_model: bool = False
    task: Task | None = None
    raw_text: str = ""
    read_text: str = ""
    scaling: Scaling | None = None
    read_as: PageRef | None = None
    retry: Scaling | None = None
    _former: "OpenPage | None" = None

    def begin(self) -> None:
        """A reading was asked for; the text stays until there is another."""
        self.state, self.sentence, self.retry = PageState.READING, "", None

    def edit(self, text: str) -> None:
        """Take over what a person typed."""
        self.text, self.edited, self._former = text, True, None
        self.state, self.sentence = PageState.EDITED, ""

    def begin_text(self, task: Task) -> None:
        """Make room for text that is about to stream in."""
        if self._former is None:
            self._former = replace(self)
        self.text, self.edited = "", False
        self.task, self.raw_text, self.read_text = task, "", ""

    def stream(self, raw_text: str) -> None:
        """Take what the model said since the last time."""
        self.raw_text += raw_text
        if self.task is not None:
            self.text = self.read_text = strip_grounding(self.raw_text, self.task)

    def finish(self, reading: Reading) -> None:
        """Take over a reading, unless it was stopped and there is something better.

        That is the text before: one that was typed, or read to its end. It comes back whoever asked for the
        reading, the person or the slider that was let go, for Stop takes back what was asked for. A beginning
        is kept where nothing was read before, or a beginning too.
        """
        if reading.stop_reason is StopReason.CANCELLED and self._has_better(reading):
            self.give_up()
            return
        self.begin_text(reading.settings.task)
        self.reading, self.text = self.keep(reading), reading.text
        self.by_former_model, self.read_as = False, reading.ref
        self.raw_text, self.read_text = reading.raw_text, reading.text
        self._former = None
        if reading.stop_reason is StopReason.LOOP:
            self.retry = self._way_out(reading.retry)
        self._tell_end(self.reading)

    def _has_better(self, stopped: Reading) -> bool:
        """True where the text before is worth more than what came until a reading was stopped."""
        before = self._former or self
        return before._is_whole or (before.reading is not None and not stopped.token_ids)

    def _tell_end(self, reading: ReadingRecord) -> None:
        """Say how the reading ended whose text this is."""
        self.state = PageState.STOPPED if reading.stop_reason is StopReason.CANCELLED else PageState.READ
        self.sentence = _STOP_SENTENCES[reading.stop_reason]
        if reading.stop_reason is StopReason.LOOP and self.retry is None:
            self.sentence += " Try another mode or retention."

    def _way_out(self, settings: ReadSettings | None) -> Scaling | None:
        """How to scale the page instead; two ways that both go in circles are not offered in turn."""
        if settings is None or any(_looped_like(settings, before) for before in self.readings.values()):
            return None
        return settings.scaling

    def fail(self, sentence: str, retry: ReadSettings | None = None) -> None:
        """Note that a reading failed; the text is the one from before, or what came until then."""
        if self._former is not None and self._former.text:
            self._give_back()
        self._former = None
        self.state, self.sentence = PageState.FAILED, sentence
        self.retry = retry.scaling if retry is not None else None

    def keep(self, reading: Reading) -> ReadingRecord:
        """Keep a reading to compare others with; one that was stopped compares with nothing."""
        record = ReadingRecord.of(reading)
        if reading.stop_reason is not StopReason.CANCELLED:
            self.readings.pop(reading.settings, None)
            self.readings[reading.settings] = record
        pruned = [settings for settings, kept in self.readings.items() if kept.kept < kept.total]
        for settings in pruned[:-PRUNED_READINGS_KEPT]:
            del self.readings[settings]
        return record

    def forget_readings(self) -> None:
        """Another model is in use, with which these compare no more; the text stays."""
        self.readings.clear()
        self.by_former_model = True
        self.scaling = self.retry = None

    def all_tokens_reading(self, settings: ReadSettings) -> ReadingRecord | None:
        """A reading in the same way that kept every token; None where there is none."""
        return next(
            (
                record
                for asked, record in self.readings.items()
                if record.kept == record.total and replace(asked, pruning=settings.pruning) == settings
            ),
            None,
        )

    def was_read_with(self, settings: ReadSettings) -> bool:
        """True where its newest reading ended by itself, and one more in this way would be just the same."""
        return (
            self.state in (PageState.READ, PageState.EDITED)
            and self.reading is not None
            and self.reading.stop_reason is not StopReason.CANCELLED
            and self.reading.settings == settings
            and not (self.by_former_model or self.is_turned)
        )

    def give_up(self) -> None:
        """Go back to the text and the state before a reading that came to nothing."""
        self._give_back()
        if self.reading is not None and not self.edited and not self.is_turned:
            self._tell_end(self.reading)
        else:
            self.state = PageState.EDITED if self.edited else PageState.UNREAD
            self.sentence = ""

    def rotate(self, degrees: int) -> None:
        """Turn it clockwise: text and scaling stay; readings of how it lay compare with nothing any more."""
        self.ref = self.ref.rotated(degrees)
        self.readings.clear()
        self.picture_problem, self.retry = "", None
        self.give_up()

    @property
    def settled(self) -> "OpenPage":
        """The page with the newest text that is whole: as it was before the reading under way, if it was."""
        return self._former if self._former is not None and self._former._is_whole else self

    @property
    def _is_whole(self) -> bool:
        """True where its text was typed, or read to its end."""
        was_read = self.reading is not None and self.reading.stop_reason is not StopReason.CANCELLED
        return self.edited or was_read

    @property
    def is_beginning(self) -> bool:
        """True where its newest text is still being read and replaces none that is whole."""
        return self._former is not None and self.settled is self

    @property
    def is_exported(self) -> bool:
        """True where its newest whole text is in a file, or there is none."""
        page = self.settled
        return page.text == self.exported_text or not (page.text or page.edited)

    @property
    def read_ref(self) -> PageRef:
        """The page as it lay when its text was read."""
        return self.ref if self._former is not None or self.read_as is None else self.read_as

    @property
    def is_turned(self) -> bool:
        """True where its newest reading is of how it lay before."""
        return self.read_as not in (None, self.ref)

    def _give_back(self) -> None:
        """Take back the text that a reading began to replace."""
        former, self._former = self._former, None
        if former is not None:
            self.text, self.edited = former.text, former.edited
            self.task, self.raw_text, self.read_text = former.task, former.raw_text, former.read_text

    @property
    def shown_state(self) -> PageState:
        """What the list says: a page with neither text nor picture failed."""
        return PageState.FAILED if self._lacks_picture else self.state

    @property
    def _lacks_picture(self) -> bool:
        """True where nothing can be said of the page but that its picture is missing."""
        return self.state is PageState.UNREAD and bool(self.picture_problem)

    @property
    def summary(self) -> str:
        """One line on how the text came about; empty where there is nothing to say."""
        parts = []
        if self.reading is not None:
            kept, total = grouped(self.reading.kept), grouped(self.reading.total)
            how = "automatic" if self.reading.automatic else "set by hand"
            parts += ["Read before it was turned"] if self.is_turned else []
            parts += [
                f"Read from {kept} of {total} tokens ({percent(self.reading.retention)}, {how})",
                self._mode_in_words(self.reading),
                self.reading.model_name,
            ]
        if self.explanation and self.text:
            parts.append(self.explanation)
        if self.edited:
            parts.append("edited by you; Read replaces your text" if self.reading else "typed by you")
        return " · ".join(parts)

    def _mode_in_words(self, reading: ReadingRecord) -> str:
        if self.scaling is not None and self.scaling == reading.settings.scaling:
            return f"{self.scaling.label} (this page only)"
        return reading.mode.value.capitalize()

    @property
    def blocks(self) -> BlocksShown:
        """Parts of the page that were told in what was said so far, or why there are none."""
        if self.read_ref != self.ref:
            return BlocksShown(lack="Read the page as it lies now to see its blocks.")
        return self.read_blocks

    @property
    def read_blocks(self) -> BlocksShown:
        """The same, on the page as it was read."""
        if self.task is None:
            return BlocksShown(lack="Read the page to see its blocks.")
        if not self.task.tells_places:
            return BlocksShown(lack="This task gives no places: choose Document to Markdown.")
        found = parse_blocks(self.raw_text, self.task)
        return BlocksShown(found, self.read_text, "" if found else "The model told no places on this page.")

    @property
    def explanation(self) -> str:
        """Why it is shown in that state, what to mistrust, and the way out that is offered; may be empty."""
        if self._lacks_picture:
            return self.picture_problem
        parts = [self.sentence] if self.sentence else []
        if self.retry is not None:
            parts.append(f"“{retry_label(self.retry)}” in the Read menu tries once more.")
        if self.reading is not None and self.state in (PageState.READ, PageState.STOPPED):
            parts += [] if self.reading.is_legible else [_about_small_print(self.reading)]
        return " ".join(parts)

    @property
    def placeholder(self) -> str:
        """What stands in place of text while there is none."""
        if self.explanation:
            return self.explanation
        return {
            PageState.READING: "Reading…",
            PageState.READ: "No text was found on this page.",
        }.get(self.state, "Not read yet. Press Read.")


class OpenPages:
    """The open pages in the order of the list."""

    def __init__(self) -> None:
        self._pages: dict[PageRef, OpenPage] = {}

    def __len__(self) -> int:
        return len(self._pages)

    def __iter__(self) -> Iterator[OpenPage]:
        return iter(self._pages.values())

    def __contains__(self, ref: PageRef) -> bool:
        return ref in self._pages

    def __getitem__(self, ref: PageRef) -> OpenPage:
        return self._pages[ref]

    def get(self, ref: PageRef | None) -> OpenPage | None:
        """A page that may have been removed meanwhile."""
        return self._pages.get(ref) if ref is not None else None

    def adapt(self, ref: PageRef | None, settings: ReadSettings) -> ReadSettings:
        """The settings that a page is read with, where others are read with these."""
        page = self.get(ref)
        return settings if page is None or page.scaling is None else replace(settings, scaling=page.scaling)

    @property
    def refs(self) -> tuple[PageRef, ...]:
        """All pages in order."""
        return tuple(self._pages)

    def add(self, refs: Iterable[PageRef]) -> None:
        """List all pages of a file at the end; those that are open already stay as they are."""
        pages, there = tuple(refs), {ref.unrotated for ref in self._pages}
        for ref in pages:
            if ref not in there:
                self._pages[ref] = OpenPage(ref, page_count=len(pages))

    def as_open(self, ref: PageRef) -> PageRef:
        """A page as it is open, however it is rotated; as it is named where it is not open."""
        return next((page for page in self._pages if page.unrotated == ref.unrotated), ref)

    def rotate(self, refs: Iterable[PageRef], degrees: int) -> tuple[PageRef, ...]:
        """Turn pages clockwise: they keep place, text and scaling; figures of readings are forgotten.

        Returns:
            The names that they have from now on.
        """
        turned = [self._pages[ref] for ref in refs]
        for page in turned:
            page.rotate(degrees)
        self._pages = {page.ref: page for page in self}
        return tuple(page.ref for page in turned)

    def remove(self, refs: Iterable[PageRef]) -> None:
        """Forget pages."""
        for ref in refs:
            del self._pages[ref]

    def nearest(self, ref: PageRef | None, leaving: Iterable[PageRef]) -> PageRef | None:
        """What to show where pages leave: a page if it stays, else the next that does, or the last before."""
        if ref is None:
            return None
        order, gone = self.refs, set(leaving)
        at = order.index(ref)
        return next((page for page in (*order[at:], *order[:at][::-1]) if page not in gone), None)

    def outdated(self, path: Path, refs: Iterable[PageRef]) -> tuple[PageRef, ...]:
        """Pages of a file that its newest version no longer has, and that nobody edited."""
        current = set(refs)
        return tuple(
            page.ref
            for page in self
            if page.ref.path == path and page.ref.unrotated not in current and not page.edited
        )

    def has_newer(self, ref: PageRef) -> bool:
        """True where a later version of the page's file is open too."""
        return self._newest[ref.path] != ref.sha256

    @property
    def _newest(self) -> dict[Path, str]:
        """Which version of each file was opened last."""
        return {ref.path: ref.sha256 for ref in self._pages}

    def has_file(self, path: Path) -> bool:
        """True while a page of the file is open."""
        return any(ref.path == path for ref in self._pages)

    @property
    def entries(self) -> tuple[PageEntry, ...]:
        """What the page list shows: the page number where a file has several, the folder where it tells.

        A file that was changed and opened again stands twice while pages of the former version are edited.
        """
        newest = self._newest
        folders = _telling_folders(newest)
        pages_of = Counter((ref.path, ref.sha256) for ref in self._pages)
        return tuple(
            PageEntry(
                ref,
                ref.path.name,
                ", ".join(
                    part
                    for part, applies in (
                        (f"Page {ref.index + 1}", pages_of[ref.path, ref.sha256] > 1),
                        ("earlier version", newest[ref.path] != ref.sha256),
                        (f"in {folders.get(ref.path)}", ref.path in folders),
                    )
                    if applies
                ),
            )
            for ref in self._pages
        )


def _telling_folders(paths: Iterable[Path]) -> dict[Path, Path]:
    """The folders of files that share their name with another, as much of them as tells these apart."""
    folders: defaultdict[str, set[Path]] = defaultdict(set)
    for path in paths:
        folders[path.name].add(path.parent)
    telling = {}
    for name, alike in folders.items():
        if len(alike) > 1:
            parts = next(n for n in count(1) if len({folder.parts[-n:] for folder in alike}) == len(alike))
            telling.update({folder / name: Path(*folder.parts[-parts:]) for folder in alike})
    return telling


def _about_small_print(reading: ReadingRecord) -> str:
    """Say that a text is not to be trusted, and what would show the print larger."""
    if reading.larger_mode is not None:
        mode, larger = (each.value.capitalize() for each in (reading.mode, reading.larger_mode))
        return f"The print seems too small for {mode} mode: the text may be wrong. Choose {larger} mode."
    sentence = f"The print seems too small for {reading.model_name}: the text may be wrong."
    if reading.mode.letterboxed:
        return sentence
    return f"{sentence} DeepSeek-OCR, under Model > Models…, reads smaller print."


def _looped_like(settings: ReadSettings, before: ReadingRecord) -> bool:
    """True where a reading went in circles that scaled the page as these settings do, by Auto or by name."""
    was, asked = before.settings.scaling, settings.scaling
    has_tiles = asked.mode is Mode.GUNDAM
    return (
        before.stop_reason is StopReason.LOOP
        and before.mode is asked.mode
        and (was.most_tiles == asked.most_tiles or not has_tiles)
        and replace(before.settings, scaling=asked) == settings
    )
