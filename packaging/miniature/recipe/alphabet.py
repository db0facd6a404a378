"""The characters that pages contain and that the dense labels distinguish. Knows nothing else."""

import unicodedata

LETTERS_WITH_MARKS = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝÐÞßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿðþŒœ"
SIGNS = "¡¿«»£§©°±·×–—‘’“”„•…€"
ALPHABET = "".join(map(chr, range(32, 127))) + LETTERS_WITH_MARKS + SIGNS

NOTHING = 0
"""Class of a place without a character; the class of ALPHABET[i] is i + 1."""

CLASS_COUNT = len(ALPHABET) + 1
CLASS_OF = {character: index + 1 for index, character in enumerate(ALPHABET)}

_KNOWN = frozenset(ALPHABET)


def keep_known(text: str) -> str:
    """Return a text with single spaces, without words that contain characters outside `ALPHABET`."""
    words = unicodedata.normalize("NFC", text).replace("\u2011", "-").split()
    return " ".join(word for word in words if _KNOWN.issuperset(word))
