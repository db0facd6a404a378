"""Finds words in text as it stands on paper: a line may end between them or, with a hyphen, within one.

Knows characters only. Small and capital letters, and straight and curly quotes, are the same here.
"""

import re

_QUOTES = ("'‘’‚‛`´", '"“”„‟«»')
_BROKEN = r"(?:-\n)?"
"""What a scan may have within a word."""


def find_words(text: str, words: str) -> tuple[tuple[int, int], ...]:
    """Find every place where words stand in a text.

    Args:
        text: in which they are looked for.
        words: as a person types them; blanks around them count as nothing, one between them as any.

    Returns:
        Start and end of each place, in characters, in order; none overlaps another.
    """
    parts = [_BROKEN.join(map(_alike, word)) for word in words.split()]
    if not parts:
        return ()
    pattern = re.compile(r"\s+".join(parts), re.IGNORECASE)
    return tuple(match.span() for match in pattern.finditer(text))


def _alike(character: str) -> str:
    quotes = next((each for each in _QUOTES if character in each), character)
    return f"[{re.escape(quotes)}]" if len(quotes) > 1 else re.escape(character)
