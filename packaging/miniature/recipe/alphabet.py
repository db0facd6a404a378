"""The characters that pages hold and that the dense labels tell apart. Knows nothing else."""

import unicodedata

LETTERS_WITH_MARKS = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝÐÞßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿðþŒœ"
SIGNS = "¡¿«»£§©°±·×–—‘’“”„•…€"
ALPHABET = "".join(map(chr, range(32, 127))) + LETTERS_WITH_MARKS + SIGNS

NOTHING = 0
"""The class of a place without a character; that of ALPHABET[i] is i + 1."""

CLASS_COUNT = len(ALPHABET) + 1
CLASS_OF = {character: index + 1 for index, character in enumerate(ALPHABET)}

_KNOWN = frozenset(ALPHABET)


def keep_known(text: str) -> str:
    """Text with single spaces and only characters of `ALPHABET`: words with others are left out."""
    words = unicodedata.normalize("NFC", text).replace("\u2011", "-").split()
    return " ".join(word for word in words if _KNOWN.issuperset(word))
