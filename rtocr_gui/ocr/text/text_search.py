"""Finds words in text as printed: a line may end between words or, with a hyphen, within one.

Knows characters only. Ignores case, and the difference between straight and curly quotes, between hyphens,
and between a letter with an accent and a letter that one follows.
"""

import itertools
import re
import unicodedata

_QUOTES = {
    **dict.fromkeys("'‘’‚‛`´", "['‘’‚‛`´]"),
    **dict.fromkeys('"“”„‟«»', '["“”„‟«»]'),
}
_HYPHEN = "[-\u00ad\u2010\u2011\u2013]"
_CHINESE_OR_JAPANESE = re.compile(
    "[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_BROKEN = f"(?:{_HYPHEN}\n|\u00ad)?"
"""What a scan may contain between two letters of a word."""

_BROKEN_ANYWHERE = f"(?:{_HYPHEN}?\n)?"


def find_occurrences(text: str, words: str) -> tuple[tuple[int, int], ...]:
    """Find all occurrences of words in a text.

    Args:
        text: the text to search.
        words: as typed by a person; surrounding whitespace is ignored, and whitespace between words matches
            any whitespace.

    Returns:
        Start and end of each occurrence in characters, in order and without overlap.
    """
    patterns = [_pattern(word) for word in words.split()]
    if not patterns:
        return ()
    found = re.compile(r"\s+".join(patterns), re.IGNORECASE)
    return tuple(match.span() for match in found.finditer(text))


def replacement(found: str, words: str, by: str) -> str:
    """Return what to write in the place of an occurrence of words.

    Words typed in lower case occur in any case: the replacement, if typed so too, is written in that case.

    Args:
        found: the occurrence, as `find_occurrences` finds it.
        words: what was searched for.
        by: what to write instead, as typed.
    """
    if found == found.lower() or words != words.lower() or by != by.lower():
        return by
    if found == found.upper() and len(found) > 1:
        return by.upper()
    return by[:1].upper() + by[1:] if found[:1].isupper() else by


def is_chinese_or_japanese(text: str) -> bool:
    """True if a text begins with a letter of a script that has no blanks between words."""
    return _CHINESE_OR_JAPANESE.match(text) is not None


def _pattern(word: str) -> str:
    # No break is allowed next to a word's own hyphen: the number of ways to match would explode.
    parts = map(_clusters, re.split(_HYPHEN, word))
    return f"{_HYPHEN}\n?".join(map(_unbroken, parts))


def _unbroken(part: list[str]) -> str:
    """A pattern for a word without hyphens; where a line ends, Chinese and Japanese need none."""
    pattern = _alike(part[0]) if part else ""
    for before, after in itertools.pairwise(part):
        needs_none = is_chinese_or_japanese(before) and is_chinese_or_japanese(after)
        pattern += (_BROKEN_ANYWHERE if needs_none else _BROKEN) + _alike(after)
    return pattern


def _clusters(part: str) -> list[str]:
    """Split into characters with the accents that follow them."""
    clusters: list[str] = []
    for character in part:
        if clusters and unicodedata.combining(character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _alike(cluster: str) -> str:
    """A pattern for a character, as it is written and with its accents composed with it or following it."""
    if cluster in _QUOTES:
        return _QUOTES[cluster]
    composed, decomposed = (unicodedata.normalize(form, cluster) for form in ("NFC", "NFD"))
    return "|".join(map(re.escape, dict.fromkeys((cluster, composed, decomposed)))).join(("(?:", ")"))
