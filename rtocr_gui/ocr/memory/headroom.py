"""Whether there is memory for a page: asked before it is begun, and told when it ran out.

A processor is promised memory that is not there, and the system ends the program once it is used; so the
need is computed first. Graphics cards refuse what they do not have. Knows the loaded model and what is free;
decides on no settings itself.
"""

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.machine.devices import free_bytes, give_memory_back, name_precision
from rtocr_gui.ocr.memory.gentler import after_memory_ran_out, smaller_views
from rtocr_gui.ocr.memory.need import MemoryNeed, View, memory_need
from rtocr_gui.ocr.model.checkpoint import Checkpoint
from rtocr_gui.ocr.reading import OutOfMemory, ReadSettings
from rtocr_gui.units import size_in_words

LIKELY_TEXT = 2048
"""Tokens of a text that hardly a page exceeds. To ask for room for the longest text would refuse too many."""

_LESS = 0.9


class Headroom:
    """Compares what pages take with what is free beside a model.

    Args:
        checkpoint: the model.
        at_own_risk: True where a person had a model loaded that does not fit: then no page is refused
            beforehand, for none would be read.
    """

    def __init__(self, checkpoint: Checkpoint, at_own_risk: bool = False) -> None:
        self._checkpoint = checkpoint
        self._at_own_risk = at_own_risk
        self._device = checkpoint.model.device

    def check(
        self, page: PageImage, view: View, is_encoded: bool, settings: ReadSettings | None = None
    ) -> None:
        """Refuse a page for which there is no memory.

        Args:
            page: to be encoded and read.
            view: how it is shown to the model.
            is_encoded: True where what came of that is kept.
            settings: what is asked of it, to offer gentler ones; None to offer none.

        Raises:
            OutOfMemory: the CPU has less than the page takes.
        """
        if self._device.type != "cpu" or self._at_own_risk:
            return
        need = self._need(view).reading if is_encoded else self._need(view).page
        if free_bytes(self._device) < need:
            give_memory_back(self._device)
            if free_bytes(self._device) < need:
                raise self.refusal(page, view, settings)

    def refusal(self, page: PageImage, view: View, settings: ReadSettings | None) -> OutOfMemory:
        """Tell what a page takes and what is free, and offer settings that need less.

        Args:
            page: for which there was no memory.
            view: how it was shown to the model.
            settings: what was asked of it, to offer gentler ones; None to offer none.
        """
        give_memory_back(self._device)
        free, need = free_bytes(self._device), self._need(view).page
        most = min(free, round(_LESS * need))
        retry, modes = None, self._checkpoint.info.modes
        if settings is not None:
            retry = after_memory_ran_out(
                settings, view, modes, lambda smaller: self._need(smaller).page <= most
            )
        figures = ""
        if free < need:  # else it ran out for another reason, such as free memory that lies in pieces
            figures = f": that takes {size_in_words(need)} beside the model; {size_in_words(free)} are free"
        smaller = ["choose a smaller mode"] if any(smaller_views(view, modes)) else []
        fewer = [] if figures else ["read fewer pages at a time"]
        *others, last = *smaller, *fewer, "close other programs"
        ways = f"{', '.join(others)}, or {last}" if others else last
        return OutOfMemory(
            f"There is not enough memory to read {page.ref.label} in mode {view.label}{figures}. "
            f"{ways[0].upper()}{ways[1:]}.",
            retry,
        )

    def _need(self, view: View) -> MemoryNeed:
        model = self._checkpoint.model
        precision = name_precision(model.dtype)
        return memory_need(self._checkpoint.architecture, 0, view, precision, str(self._device), LIKELY_TEXT)
