"""How two texts differ: similarity, error rates, and the places where they part.

Edit distances are rapidfuzz's, over Unicode characters. Knows no model and no window.
"""

from rapidfuzz.distance import Levenshtein


def similarity(text: str, other: str) -> float:
    """1 minus the edit distance over the length of the longer text, in 0..1; two empty texts are alike."""
    return Levenshtein.normalized_similarity(text, other)


def character_error_rate(text: str, truth: str) -> float:
    """Edit distance over the length of the truth; may exceed 1. Of an empty truth: 0 or 1."""
    if not truth:
        return float(bool(text))
    return Levenshtein.distance(text, truth) / len(truth)
