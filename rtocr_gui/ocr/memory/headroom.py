"""Checks whether there is memory for a page before it is begun, and explains when memory ran out.

On a CPU, the system grants memory that it does not have and kills the program once it is used, so the need is
computed first. Graphics cards refuse what they do not have. Knows the loaded model and what is free; chooses
no settings itself.
"""

from rtocr_gui.ocr.machine.devices import free_bytes, give_memory_back, name_precision
from rtocr_gui.ocr.memory.gentler import after_memory_ran_out, smaller_views
from rtocr_gui.ocr.memory.need import MemoryNeed, View, memory_need
from rtocr_gui.ocr.model.checkpoint import Checkpoint
from rtocr_gui.ocr.reading import OutOfMemory, ReadSettings
from rtocr_gui.units import size_in_words

LIKELY_TEXT = 2048
"""Text length in tokens that hardly any page exceeds; requiring room for the longest would be too strict."""

_LESS = 0.9
"""Most of what was too much that may be tried instead, as a share, even where more seems to be free."""


class Headroom:
    """Compares what pages need with what is free beside a model.

    Args:
        checkpoint: the model.
        at_own_risk: True if the user loaded a model that does not fit: then no page is refused in advance, as
            none would be read.
    """

    def __init__(self, checkpoint: Checkpoint, at_own_risk: bool = False) -> None:
        self._checkpoint = checkpoint
        self._at_own_risk = at_own_risk
        self._device = checkpoint.model.device

    def check(self, view: View, is_encoded: bool, settings: ReadSettings | None = None) -> None:
        """Refuse a page for which there is not enough memory.

        Args:
            view: how the page is shown to the model.
            is_encoded: True if its encoding is cached.
            settings: the requested settings, to offer gentler ones; None to offer none.

        Raises:
            OutOfMemory: it runs on a CPU, and less memory is free than the page needs.
        """
        if self._device.type != "cpu" or self._at_own_risk:
            return
        need = self._need(view).reading if is_encoded else self._need(view).page
        if free_bytes(self._device) < need:
            give_memory_back(self._device)
            if free_bytes(self._device) < need:
                raise self.refusal(view, settings)

    def refusal(self, view: View, settings: ReadSettings | None) -> OutOfMemory:
        """Make an error that states what a page needs and what is free, and offers settings that need less.

        Args:
            view: how the page for which there was not enough memory was shown to the model.
            settings: the requested settings, to offer gentler ones; None to offer none.
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
        if free < need:  # otherwise it ran out for another reason, such as fragmentation
            figures = f": that takes {size_in_words(need)} on top of the model; {size_in_words(free)} is free"
        smaller = ["choose a smaller mode"] if any(smaller_views(view, modes)) else []
        fewer = [] if figures else ["read fewer pages at a time"]
        *others, last = *smaller, *fewer, "close other programs"
        ways = f"{', '.join(others)}, or {last}" if others else last
        return OutOfMemory(
            f"There is not enough memory to read this page in {view.phrase}{figures}. "
            f"{ways[0].upper()}{ways[1:]}.",
            retry,
        )

    def _need(self, view: View) -> MemoryNeed:
        model = self._checkpoint.model
        precision = name_precision(model.dtype)
        return memory_need(self._checkpoint.architecture, 0, view, precision, str(self._device), LIKELY_TEXT)
