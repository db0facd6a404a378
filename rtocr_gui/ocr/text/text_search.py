"""Finds words in text as printed: a line may end between words or, with a hyphen, within one.

Knows characters only. Ignores case, and the difference between straight and curly quotes, between hyphens,
and between a letter with an accent and a letter that one follows.
"""

import re
import unicodedata

_QUOTES = {
    **dict.fromkeys("'‘’‚‛`´", "['‘’‚‛`´]"),
    **dict.fromkeys('"“”„‟«»', '["“”„‟«»]'),
}
_HYPHEN = "[-\u00ad\u2010\u2011\u2013]"
_BROKEN = f"(?:{_HYPHEN}\n)?"
"""What a scan may contain between two letters of a word."""


def find_words(text: str, words: str) -> tuple[tuple[int, int], ...]:
    """Find all occurrences of words in a text.

    Args:
        text: the text to search.
        words: as typed by a person; surrounding whitespace is ignored, and whitespace between words matches
            any whitespace.

    Returns:
        Start and end of each occurrence in characters, in order and without overlap.
    """
    patterns = [_pattern(word) for word in unicodedata.normalize("NFC", words).split()]
    if not patterns:
        return ()
    found = re.compile(r"\s+".join(patterns), re.IGNORECASE)
    return tuple(match.span() for match in found.finditer(text))


def _pattern(word: str) -> str:
    # No break is allowed next to a word's own hyphen: the number of ways to match would explode.
    return f"{_HYPHEN}\n?".join(_BROKEN.join(map(_alike, part)) for part in re.split(_HYPHEN, word))


def _alike(character: str) -> str:
    parts = unicodedata.normalize("NFD", character)
    return _QUOTES.get(character) or (
        re.escape(character) if parts == character else f"(?:{character}|{re.escape(parts)})"
    )
