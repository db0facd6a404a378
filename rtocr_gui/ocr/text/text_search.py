"""Finds words in text as it stands on paper: a line may end between them or, with a hyphen, within one.

Knows characters only. Small and capital letters, straight and curly quotes, short dashes are the same here.
"""

import re

_QUOTES = {
    **dict.fromkeys("'‘’‚‛`´", "['‘’‚‛`´]"),
    **dict.fromkeys('"“”„‟«»', '["“”„‟«»]'),
}
_HYPHEN = "[-\u00ad\u2010\u2011\u2013]"
_BROKEN = f"(?:{_HYPHEN}\n)?"
"""What a scan may have between two letters of a word."""


def find_words(text: str, words: str) -> tuple[tuple[int, int], ...]:
    """Find every place where words stand in a text.

    Args:
        text: in which they are looked for.
        words: as a person types them; blanks around them count as nothing, one between them as any.

    Returns:
        Start and end of each place, in characters, in order; none overlaps another.
    """
    patterns = [_pattern(word) for word in words.split()]
    if not patterns:
        return ()
    found = re.compile(r"\s+".join(patterns), re.IGNORECASE)
    return tuple(match.span() for match in found.finditer(text))


def _pattern(word: str) -> str:
    # No word is broken beside a hyphen of its own: it would be searched in ever more ways.
    return f"{_HYPHEN}\n?".join(_BROKEN.join(map(_alike, part)) for part in re.split(_HYPHEN, word))


def _alike(character: str) -> str:
    return _QUOTES.get(character) or re.escape(character)
