"""Guesses how a text continues, so that many tokens can be verified in one decoder pass.

The guesses come from a draft, usually the text of the same page at another retention ratio, and from the
text generated so far. They affect how fast a reading is, not what it says: the caller keeps only tokens
that the decoder itself would have chosen (what rounding can still do is in `decoding`). Sources: speculative
decoding with the target's own greedy choice (Leviathan et al., arXiv 2211.17192) and prompt lookup (n-grams
of the context as the draft; Saxena 2023). Knows token ids and sizes; knows no model.
"""

from array import array
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.machine.threads import NARROW_DECODER
from rtocr_gui.ocr.model.architecture import DecoderSizes

FIRST_GUESS = 32
"""Tokens guessed at the beginning of a draft; doubled after each guess that was right throughout."""

LONGEST_GUESS = 128
GUESS_AFTER_A_DIFFERENCE = 8
"""In tokens, as all lengths here."""

TEXTS_OF_A_PAGE = 16
"""How many texts of a page are kept as drafts."""

ALLOWANCE = 3.0
"""How many decoding steps wrong guesses may cost before right ones have saved any."""

_REARRANGED = 2.5
"""How many times as long a CPU takes to read weights that it rearranges first."""

_EARNED_PER_STEP = 0.02
"""Credit for a step without a guess, in steps: once the allowance is used up, guesses go on at times."""

_LEAST_MATCH, _LEAST_MATCH_FAR_AWAY, _LEAST_MATCH_IN_TEXT = 2, 8, 4
"""How many tokens at the end of the text a place must follow: near the last place in the draft, elsewhere in
it, and in the text itself. Each recent failure, up to `_MOST_FAILURES`, adds one to the first two."""

_MOST_FAILURES = 6
_NEAR_BEFORE, _NEAR_AFTER = 64, 256
_TOKEN_ID = "i"
"""How the tokens of earlier texts are kept: 4 bytes each, where a tuple of integers takes 36."""


def pass_cost(decoder: DecoderSizes, tokens: int, on_cpu: bool = False) -> float:
    """Estimate the time of a decoder pass over several tokens, in passes over one token.

    With few tokens, a pass takes as long as reading the weights it touches, and more tokens touch more
    experts: with E experts of which each token chooses k independently, n tokens touch about
    E (1 - (1 - k/E)^n) of them. Arithmetic adds a little per token.

    A CPU streams large weights past a single token, but first rearranges them for several, which takes
    longer than reading them; and its arithmetic counts. At the published size, in float32, a pass over 9
    tokens takes as long as 8 passes over one, and a pass over 33 as long as 17.

    Args:
        decoder: sizes of the language model.
        tokens: n, at least 1.
        on_cpu: True if it runs on a CPU.

    Returns:
        The time as a multiple of that of a pass over one token, at least 1.
    """
    is_rearranged = on_cpu and tokens > 1 and decoder.width >= NARROW_DECODER
    width = decoder.width
    share = decoder.experts_per_token / max(decoder.experts, 1)
    expert = 3 * width * decoder.expert_width
    always = (
        4 * width * width * decoder.layers
        + 3 * width * decoder.mlp_width * decoder.dense_layers
        + expert * decoder.shared_experts * (decoder.layers - decoder.dense_layers)
        + width * decoder.vocabulary
    )

    def weights(count: int) -> float:
        chosen = decoder.experts * (1 - (1 - share) ** count)
        return always + chosen * expert * (decoder.layers - decoder.dense_layers)

    touched = weights(tokens) / weights(1)
    return _REARRANGED * touched + 0.1 * tokens if is_rearranged else touched + 0.015 * (tokens - 1)


class EarlierTexts:
    """Texts read from one page at several numbers of visual tokens; the latest few are kept.

    Of readings that were stopped early, the longest is kept until one is complete.
    """

    def __init__(self) -> None:
        self._texts: dict[int, array[int]] = {}
        self._begun = array(_TOKEN_ID)

    @property
    def nbytes(self) -> int:
        """Total size of all texts."""
        return sum(text.itemsize * len(text) for text in (self._begun, *self._texts.values()))

    def add(self, kept: int, token_ids: Sequence[int], is_whole: bool) -> None:
        """Add a text.

        Args:
            kept: number of visual tokens it was read from.
            token_ids: the text.
            is_whole: False if it was stopped early.
        """
        if is_whole:
            self._begun = array(_TOKEN_ID)
            self._texts.pop(kept, None)
            self._texts[kept] = array(_TOKEN_ID, token_ids)
            if len(self._texts) > TEXTS_OF_A_PAGE:
                del self._texts[next(iter(self._texts))]
        elif not self._texts and len(token_ids) > len(self._begun):
            self._begun = array(_TOKEN_ID, token_ids)

    def nearest(self, kept: int) -> Sequence[int]:
        """Return the text read from the nearest number of visual tokens; empty if there is none yet."""
        nearest = min(self._texts, key=lambda other: abs(other - kept), default=None)
        return self._begun if nearest is None else self._texts[nearest]


class Drafter:
    """Guesses the next tokens of one text.

    It walks along the draft while the text follows it. After a difference it continues after the replaced
    token; if that is wrong, it searches the draft for the end of the text so far. Without a draft, or past
    its end, it searches the text itself for its own last few tokens. It pauses while wrong guesses have cost
    more than right ones have saved.

    Args:
        draft: token ids of a similar text; may be empty.
        cost: cost of a pass over the given number of tokens, in passes over one.
    """

    def __init__(self, draft: Sequence[int], cost: Callable[[int], float]) -> None:
        self._draft = np.asarray(draft, dtype=np.int64)
        self._history = np.empty(max(2 * len(draft), 256), dtype=np.int64)
        self._history_count = 0
        self._cost = cost
        self._place: int | None = 0
        self._last_place = 0
        self._length = FIRST_GUESS
        self._failures = 0
        self._credit = ALLOWANCE
        self._guess: NDArray[np.int64] = self._draft[:0]
        self._from_draft = False

    def guess(self, room: int) -> list[int]:
        """Guess what follows.

        Args:
            room: most tokens to guess.

        Returns:
            Token ids, possibly none.
        """
        self._guess = self._draft[:0]
        if self._credit >= 0 and room > 0:
            text = self._history[: self._history_count]
            if self._place is None:
                self._place = self._find_place(text)
                self._length = GUESS_AFTER_A_DIFFERENCE
            self._from_draft = self._place is not None and self._place < len(self._draft)
            if self._from_draft:
                self._guess = self._draft[self._place :][: min(self._length, room)]
            else:
                follows = _after_last(text[:-1], text[-_LEAST_MATCH_IN_TEXT:])
                if follows is not None:
                    self._guess = text[follows:][: min(GUESS_AFTER_A_DIFFERENCE, room)]
        guessed: list[int] = self._guess.tolist()
        return guessed

    def judge(self, chosen: Sequence[int]) -> None:
        """Learn what the decoder chose: the right part of the guess, and one token of its own.

        Args:
            chosen: token ids; empty if the pass decided nothing. Without a guess, as for the first token of
                the text, exactly one.
        """
        self._keep(chosen)
        right, guessed = len(chosen) - 1, len(self._guess)
        self._credit += len(chosen) - self._cost(guessed + 1) if guessed else _EARNED_PER_STEP
        if not chosen or self._place is None or (guessed and not self._from_draft):
            return
        place = self._place + right
        self._failures = max(0, self._failures - right)
        if place < len(self._draft) and self._draft[place] == chosen[-1]:
            self._length = min(2 * self._length, LONGEST_GUESS)
        elif guessed and right == 0:
            self._failures = min(self._failures + 1, _MOST_FAILURES)
            self._last_place, self._place = place, None
            return
        else:
            self._length = GUESS_AFTER_A_DIFFERENCE
        self._place = place + 1

    def _keep(self, chosen: Sequence[int]) -> None:
        count = self._history_count + len(chosen)
        if count > len(self._history):
            self._history = np.concatenate([self._history, np.empty(count, dtype=np.int64)])
        self._history[self._history_count : count] = chosen
        self._history_count = count

    def _find_place(self, text: NDArray[np.int64]) -> int | None:
        """Find where the draft continues after the text's last tokens; the nearest place wins."""
        near = max(0, self._last_place - _NEAR_BEFORE)
        window = self._draft[near : self._last_place + _NEAR_AFTER]
        for pool, offset, length in (
            (window, near, _LEAST_MATCH + self._failures),
            (self._draft, 0, _LEAST_MATCH_FAR_AWAY + self._failures),
        ):
            ends = _ends_of(pool, text[-length:]) if len(text) >= length else pool[:0]
            if len(ends):
                nearest = np.abs(ends + offset - self._last_place).argmin()
                return int(ends[nearest] + offset)
        return None


def _ends_of(pool: NDArray[np.int64], passage: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices just after each occurrence of a passage."""
    length = len(passage)
    ends = np.flatnonzero(pool[length - 1 :] == passage[-1]) + length
    for back in range(2, length + 1):
        ends = ends[pool[ends - back] == passage[-back]]
    return ends


def _after_last(pool: NDArray[np.int64], passage: NDArray[np.int64]) -> int | None:
    """Return the index just after the last occurrence of a passage; None if it is too short or not found."""
    ends = _ends_of(pool, passage) if len(passage) == _LEAST_MATCH_IN_TEXT else pool[:0]
    return int(ends[-1]) if len(ends) else None
