r"""Finds the formulae of a text: what stands between \( and \), between \[ and \], or between $$ and $$.

Finding all of them takes no longer than reading the text, however many begin and never end. Knows neither
Markdown nor HTML.
"""

import re
from collections.abc import Iterator

DISPLAYED = {r"\[": r"\]", "$$": "$$"}
"""What begins formulae that stand by themselves, with what ends them."""

_ENDS = {r"\(": r"\)", **DISPLAYED}
_BEGIN = re.compile(r"\\[(\[]|(?<![\\$])\$\$(?!\$)")


class Formulae:
    """The formulae of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._last_ends = {end: text.rfind(end) for end in _ENDS.values()}

    def end_of(self, begin: int) -> int | None:
        """Return where the formula ends that begins at an index; None if none begins there."""
        found = _BEGIN.match(self._text, begin)
        if found is None:
            return None
        end = _ENDS[found[0]]
        if self._last_ends[end] < begin + 2:
            return None
        return self._text.index(end, begin + 2) + 2

    def pieces(self) -> Iterator[str]:
        """Yield the whole text in pieces, of which every second one is a formula; the others may be empty."""
        done = 0
        for found in _BEGIN.finditer(self._text):
            end = self.end_of(found.start()) if found.start() >= done else None
            if end is not None:
                yield self._text[done : found.start()]
                yield self._text[found.start() : end]
                done = end
        yield self._text[done:]
