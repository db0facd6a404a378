"""Endless repetition, the first complaint about this model: what is banned, and when to give up.

Pure NumPy on generated token ids. Knows no model and no text.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST_PERIOD = 200
"""Longest repeated passage, in tokens, that is recognised as a loop."""

BAN_SPAN = 300
"""How many tokens back a choice that the ban changed still counts."""

BANS_OF_A_LOOP = 6
"""So many changed choices within `BAN_SPAN` are a loop: few enough that every period which the default ban
of 30-grams within 90 tokens can hit, 61 at most, comes to that number."""

_LEAST_REPETITIONS = 3
_LEAST_TOKENS = 150


def banned_tokens(token_ids: Sequence[int], size: int, window: int) -> NDArray[np.int64]:
    """Find the tokens that would complete an n-gram which stands in the window already.

    The rule of DeepSeek-OCR's own n-gram processor, applied to generated tokens only.

    Args:
        token_ids: generated so far.
        size: n, at least 2.
        window: how many tokens back an n-gram may begin.

    Returns:
        Token ids, possibly with duplicates, possibly none.
    """
    recent = np.asarray(token_ids[-window:], dtype=np.int64)
    if len(recent) < size:
        return np.empty(0, dtype=np.int64)
    ngrams = np.lib.stride_tricks.sliding_window_view(recent, size)
    repeats_the_end = (ngrams[:, :-1] == recent[len(recent) - size + 1 :]).all(axis=1)
    banned: NDArray[np.int64] = ngrams[repeats_the_end, -1]
    return banned


def is_held_from_looping(changed_at: Sequence[int], count: int) -> bool:
    """Tell whether a text would repeat itself if the ban did not keep changing it.

    A ban puts a foreign token into every loop, so that the loop has no exact period any more.

    Args:
        changed_at: ascending indices of the generated tokens that the ban chose.
        count: tokens generated so far.

    Returns:
        True where the ban changed at least `BANS_OF_A_LOOP` of the last `BAN_SPAN` tokens.
    """
    return len(changed_at) >= BANS_OF_A_LOOP and changed_at[-BANS_OF_A_LOOP] >= count - BAN_SPAN


def is_looping(token_ids: Sequence[int]) -> bool:
    """Tell whether the text ends in a passage that repeats itself without change.

    Args:
        token_ids: generated so far.

    Returns:
        True where the end has a period of at most `LONGEST_PERIOD` tokens over at least three periods
        and at least 150 tokens.
    """
    if len(token_ids) < _LEAST_TOKENS:
        return False
    compared = (_LEAST_REPETITIONS - 1) * LONGEST_PERIOD
    backwards = np.full(compared + LONGEST_PERIOD, -1, dtype=np.int64)
    recent = np.asarray(token_ids[-len(backwards) :], dtype=np.int64)[::-1]
    backwards[: len(recent)] = recent
    periods = np.arange(1, LONGEST_PERIOD + 1)
    earlier = np.lib.stride_tricks.sliding_window_view(backwards, compared)[1:]  # (period, token)
    differs = (earlier != backwards[:compared]) | (earlier < 0)
    equal_run = np.where(differs.any(axis=1), differs.argmax(axis=1), compared)
    needed = np.maximum(_LEAST_REPETITIONS * periods, _LEAST_TOKENS) - periods
    return bool(np.any(equal_run >= needed))
