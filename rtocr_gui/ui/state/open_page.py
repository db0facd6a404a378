"""One open page: its text, who wrote it, and the state of its reading.

Plain state without Qt signals; `session` and its controllers change it. `page_words` puts it into words.
"""

from dataclasses import dataclass, field, replace

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.export.figures import figures_of
from rtocr_gui.ocr.reading import Reading, ReadSettings, Scaling, StopReason, Task
from rtocr_gui.ocr.text.markup import parse_blocks, strip_grounding
from rtocr_gui.ui.state.kept_readings import KeptReadings
from rtocr_gui.ui.state.page_entry import PageState, TextOrigin
from rtocr_gui.ui.state.saved_text import ExportedFile, SavedText
from rtocr_gui.ui.state.shown import BlocksShown

_STOP_SENTENCES = {
    StopReason.END: "",
    StopReason.CANCELLED: "Stopped before the end.",
    StopReason.LENGTH: "Stopped at the length limit: the page may have more text, or less than this.",
    StopReason.LOOP: "Stopped because the model began to repeat itself; the repetition was left out.",
}
_RESTORED = {
    TextOrigin.READ: (PageState.READ, "Restored, as it was read before RTOCR ended."),
    TextOrigin.READ_IN_DOUBT: (PageState.CHECK, "Restored; the text may be wrong or incomplete."),
    TextOrigin.READ_IN_PART: (PageState.STOPPED, "Restored; the page was not read to its end."),
}


@dataclass(slots=True)
class OpenPage:
    """One open page.

    Attributes:
        ref: which page.
        text: recognised or typed text.
        edited: True if a person has changed the text since it was read.
        saved: where its text is besides the window.
        state: the state of its reading; the list shows `shown_state`.
        sentence: why the state is what it is; may be empty.
        reading: the newest reading; None before the first.
        restored: where its text is from, if that was restored and no reading is known; None otherwise.
        picture_problem: why it has no picture; empty if it has one, or none has been requested yet.
        page_count: how many pages its file has.
        readings: those that can be compared.
        by_former_model: True if the newest reading was made by another model than the one in use.
        task: the task its text was read with; None before.
        raw_text: what the model has emitted for that text so far, including markup.
        read_text: the same without the markup, and without the person's changes.
        scaling: how this page alone is scaled; None if it is scaled like all others.
        read_as: the page as it was when its text was read; differs from `ref` once it has been rotated.
    """

    ref: PageRef
    text: str = ""
    edited: bool = False
    saved: SavedText = field(default_factory=SavedText)
    state: PageState = PageState.UNREAD
    sentence: str = ""
    reading: Reading | None = None
    restored: TextOrigin | None = None
    picture_problem: str = ""
    page_count: int = 1
    readings: KeptReadings = field(default_factory=KeptReadings)
    by_former_model: bool = False
    task: Task | None = None
    raw_text: str = ""
    read_text: str = ""
    scaling: Scaling | None = None
    read_as: PageRef | None = None
    _replaced: frozenset[str] = frozenset()  # texts in which only words were replaced or lines joined
    _former: "OpenPage | None" = None
    _failure: str | None = None
    _way_out: Scaling | None = None

    @property
    def name(self) -> str:
        """Its label, without the page number if it is the only page of its file."""
        return self.ref.label if self.page_count > 1 else self.ref.label_without_number

    def begin(self) -> None:
        """Note that a reading was requested; the text stays until new text comes."""
        self.state, self.sentence = PageState.READING, ""

    def edit(self, text: str, *, by_hand: bool = True) -> None:
        """Take over what a person typed; going back to the text as read, or to none, is no edit.

        Args:
            text: all of it.
            by_hand: False if words were replaced or lines joined, wherever there were any.
        """
        if not (by_hand or self.corrected):
            self._replaced |= {text}
        self.text, self._former, self._failure = text, None, None
        is_read_text_lost = self.restored is not None and not self.read_text
        self.edited = is_read_text_lost or text != self.read_text
        self._tell_state()

    def restore(self, text: str, origin: TextOrigin, *, is_exported: bool) -> None:
        """Take over the text that the page had before the program ended.

        Args:
            text: its text.
            origin: where that was from.
            is_exported: whether it was in a file.
        """
        if is_exported:
            self.saved.note_exported(text, ExportedFile())
        match origin:
            case TextOrigin.TYPED:
                self.edit(text)
            case TextOrigin.TYPED_IN_PART:
                self.restored, self.read_as = TextOrigin.READ_IN_PART, self.ref
                self.edit(text)
            case _:
                self.restored, self.read_as = origin, self.ref
                self.text = self.read_text = text
                self._tell_state()

    @property
    def corrected(self) -> bool:
        """True if a person has typed in the text, and did not only have words replaced or lines joined."""
        return self.edited and self.text not in self._replaced

    @property
    def was_read(self) -> bool:
        """True if it was read, now or before the program was started."""
        return self._read_origin is not None

    @property
    def _read_origin(self) -> TextOrigin | None:
        """What its newest reading, or the one before the program ended, came to; None if there was none."""
        if self.reading is None:
            return self.restored
        if self.reading.stop_reason is StopReason.CANCELLED:
            return TextOrigin.READ_IN_PART
        is_sound = self.reading.stop_reason is StopReason.END and self.reading.doubt is None
        return TextOrigin.READ if is_sound else TextOrigin.READ_IN_DOUBT

    @property
    def origin(self) -> TextOrigin:
        """Where its text is from."""
        if self.edited:
            return TextOrigin.TYPED_IN_PART if self.is_cut else TextOrigin.TYPED
        reading = self.text_reading
        is_as_read = self._former is None if reading is None else self.text == reading.text
        origin = (self._read_origin if is_as_read else None) or TextOrigin.READ_IN_PART
        return TextOrigin.READ_IN_DOUBT if origin is TextOrigin.READ and self.is_turned else origin

    def begin_text(self, task: Task) -> None:
        """Make room for text that is about to stream in."""
        if self._former is None:
            self._former = replace(self)
        self.text, self.edited, self._replaced = "", False, frozenset()
        self.task, self.raw_text, self.read_text = task, "", ""

    def stream(self, raw_text: str) -> None:
        """Append what the model has emitted since the last call."""
        self.raw_text += raw_text
        if self.task is not None:
            self.text = self.read_text = strip_grounding(self.raw_text, self.task)

    def finish(self, reading: Reading) -> None:
        """Take over a reading, unless it was stopped and there is something better.

        Better is an earlier text that was typed or read to its end. It is restored whether the person or
        the released slider requested the reading, as Stop undoes the request. A partial reading is kept if
        nothing was read before, or only another partial one.
        """
        if reading.stop_reason is StopReason.CANCELLED and self._has_better(reading):
            self.give_up()
            return
        self.begin_text(reading.settings.task)
        self.readings.keep(reading)
        self.reading, self.restored, self.text = reading, None, reading.text
        self.by_former_model, self.read_as = False, reading.ref
        self.raw_text, self.read_text = reading.raw_text, reading.text
        self._former = self._failure = None
        self._way_out = self._another_way(reading.retry)
        self._tell_end(reading)

    def _has_better(self, stopped: Reading) -> bool:
        """True if the earlier text is worth more than what came before a reading was stopped."""
        before = self._former or self
        return before._is_whole or (before.was_read and not stopped.token_ids)

    def _tell_end(self, reading: Reading) -> None:
        """Set the state and the sentence to how the reading of this text ended."""
        self.state = PageState.STOPPED if reading.stop_reason is StopReason.CANCELLED else PageState.READ
        self.sentence = _STOP_SENTENCES[reading.stop_reason]
        if reading.stop_reason is StopReason.LOOP and self._way_out is None:
            self.sentence += " Try another mode or retention."

    @property
    def retry_scaling(self) -> Scaling | None:
        """How to scale it instead if the newest reading failed or looped; None if there is no other way."""
        return None if self.state is PageState.READING else self._way_out

    def _another_way(self, settings: ReadSettings | None) -> Scaling | None:
        """How to scale the page instead; two ways that both loop are not offered in turn."""
        if settings is None or self.readings.has_looped(settings):
            return None
        return settings.scaling

    def fail(self, sentence: str, retry: ReadSettings | None = None) -> None:
        """Note that a reading failed; the earlier text is restored, or else what came so far stays."""
        if self._former is not None and self._former.has_content:
            self._give_back()
        self._former = None
        self._failure, self._way_out = sentence, retry.scaling if retry is not None else None
        self._tell_state()

    @property
    def is_too_long(self) -> bool:
        """True if its newest reading stopped at the length limit: its halves could be read instead."""
        if self.state is not PageState.READ or self.reading is None:
            return False
        return self.reading.stop_reason is StopReason.LENGTH

    @property
    def has_failed(self) -> bool:
        """True if its picture or its newest reading failed, and nothing else was offered."""
        return self._way_out is None and bool(self._failure or self.picture_problem)

    def forgive(self) -> None:
        """Forget what failed: its file was opened again."""
        self._failure, self.picture_problem = None, ""
        if self.state is PageState.FAILED:
            self._tell_state()

    def forget_readings(self) -> None:
        """Drop all readings, as another model is in use; the text stays."""
        self.readings.forget()
        self.by_former_model = True
        self.scaling = self._way_out = None

    def was_read_with(self, settings: ReadSettings) -> bool:
        """True if its newest reading ended by itself, and another with these settings would be the same.

        How a restored text was read is not known: it counts as read with any settings.
        """
        if self.is_turned or self.state not in (PageState.READ, PageState.EDITED):
            return False
        if self.reading is None:
            return self.restored is TextOrigin.READ
        is_whole = self._read_origin is not TextOrigin.READ_IN_PART
        return is_whole and self.reading.settings == settings and not self.by_former_model

    def give_up(self) -> None:
        """Restore the text and the state from before a reading that was given up."""
        self._give_back()
        self._tell_state()

    def _tell_state(self) -> None:
        """Set the state and the sentence of a page that is not being read.

        That its text is cut or in doubt is told of an edited one too, the latter until it is corrected.
        """
        self.state, self.sentence = PageState.UNREAD, ""
        if self._failure is not None:
            self.state, self.sentence = PageState.FAILED, self._failure
            return
        if not self.is_turned and self.reading is not None:
            self._tell_end(self.reading)
        elif not self.is_turned and self.restored is not None:
            self.state, self.sentence = _RESTORED[self.restored]
        elif not self.is_turned and self.is_cut:
            self.state, self.sentence = PageState.STOPPED, "The page was not read to its end."
        if self.edited:
            self.state = PageState.EDITED
            if not (self.is_cut or self.is_mistrusted):
                self.sentence = ""

    def rotate(self, degrees: int) -> None:
        """Turn it clockwise: text and scaling stay; readings of the former rotation are not comparable."""
        self.ref = self.ref.rotated(degrees)
        self.readings.forget()
        self.picture_problem, self._way_out, self._failure = "", None, None
        self.give_up()

    @property
    def settled(self) -> "OpenPage":
        """The page with its newest complete text: from before the current reading, if that was complete."""
        return self._former if self._former is not None and self._former._is_whole else self

    @property
    def _is_whole(self) -> bool:
        """True if its text was typed, or read to its end."""
        return self.edited or self._read_origin in (TextOrigin.READ, TextOrigin.READ_IN_DOUBT)

    @property
    def is_cut(self) -> bool:
        """True if its text was read, but not to the end of the page, even if it was edited since."""
        if self.restored is not None:
            return self.restored is TextOrigin.READ_IN_PART
        if self.reading is None:
            return bool(self.read_text)
        return self.reading.stop_reason is not StopReason.END or self.read_text != self.reading.text

    @property
    def is_beginning(self) -> bool:
        """True if its newest text is still being read and does not replace a complete one."""
        return self._former is not None and self.settled is self

    @property
    def is_saved(self) -> bool:
        """True if its newest complete text is in a file, or on the clipboard as it was read, or is empty."""
        page = self.settled
        return self.saved.holds(page.text) or not (page.text or page.edited)

    @property
    def has_content(self) -> bool:
        """True if there is something of it to export: its newest complete text, or figures."""
        page = self.settled
        if page.text or page.edited or page.reading is None:
            return bool(page.text)
        return bool(figures_of(page.reading.blocks))

    @property
    def is_blank(self) -> bool:
        """True if it holds no text (not even deliberately cleared text) and is not being read."""
        return not (self.text or self.edited or self.state is PageState.READING)

    @property
    def read_ref(self) -> PageRef:
        """The page in the rotation in which its text was read."""
        return self.ref if self._former is not None or self.read_as is None else self.read_as

    @property
    def text_reading(self) -> Reading | None:
        """The reading that its text comes from; None before that has ended, also if there was one before."""
        return self.reading if self._former is None else None

    @property
    def comparable_reading(self) -> tuple[Reading | None, str]:
        """The newest reading, if its figures are those of the page as it is now; else None, and why."""
        if self.reading is None:
            return None, "Not read yet: press Read to measure."
        if self.by_former_model or self.is_turned:
            how = "by another model" if self.by_former_model else "before it was rotated"
            return None, f"Read {how}: press Read to measure."
        return self.reading, ""

    @property
    def unsure_words(self) -> tuple[tuple[int, int], ...]:
        """The words of `read_text` that the model was unsure of; none before its reading has ended."""
        return self.text_reading.unsure_words if self.text_reading is not None else ()

    @property
    def is_turned(self) -> bool:
        """True if it has been rotated since its newest reading."""
        return self.read_as not in (None, self.ref)

    def _give_back(self) -> None:
        """Restore the text that a reading began to replace."""
        former, self._former = self._former, None
        if former is not None:
            self.text, self.edited, self._replaced = former.text, former.edited, former._replaced
            self.task, self.raw_text, self.read_text = former.task, former.raw_text, former.read_text

    @property
    def shown_state(self) -> PageState:
        """The state shown in the list: a page with neither text nor picture has failed.

        One that was read is shown as such, or as edited, only where nothing is known against its text.
        """
        if self.lacks_picture:
            return PageState.FAILED
        if self.is_mistrusted:
            return PageState.CHECK
        if self.state is PageState.READ and self.reading is not None and not self.has_content:
            return PageState.EMPTY
        return self.state

    @property
    def is_mistrusted(self) -> bool:
        """True if its text is known to be cut or in doubt, and the person has not corrected it since."""
        if self.state not in (PageState.READ, PageState.EDITED) or self.corrected or self.is_turned:
            return False
        return self.is_cut or self._read_origin is TextOrigin.READ_IN_DOUBT

    @property
    def lacks_picture(self) -> bool:
        """True if all that can be said about the page is that its picture is missing."""
        return self.state is PageState.UNREAD and bool(self.picture_problem)

    @property
    def blocks(self) -> BlocksShown:
        """The blocks that the model has reported on the page so far, or why there are none."""
        if self.read_ref != self.ref:
            return BlocksShown(lack="The page was rotated. Read it again to see its blocks.")
        return self.read_blocks

    @property
    def read_blocks(self) -> BlocksShown:
        """The same, on the page as it was read."""
        if self.task is None:
            return BlocksShown(lack="Read the page to see its blocks.")
        if not self.task.tells_places:
            return BlocksShown(
                lack="This task gives no positions. “Document to Markdown” does, if the model supports it."
            )
        if self.reading is not None and self.reading.raw_text == self.raw_text:
            found = self.reading.blocks
        else:
            found = parse_blocks(self.raw_text, self.task)
        return BlocksShown(
            found, self.read_text, "" if found else "The model gave no positions on this page."
        )
