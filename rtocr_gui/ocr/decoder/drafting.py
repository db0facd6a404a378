"""Guesses how a text goes on, so that many tokens can be verified in one pass of the decoder.

The guesses come from a draft, as a rule what the same page said at another retention ratio, and from
what was said already. They decide how quick a reading is, never what it says: whoever asks for them
keeps only tokens that the decoder itself would have chosen. Sources: speculative decoding with the
target's own greedy choice (Leviathan et al., arXiv 2211.17192) and prompt lookup (n-grams of the context
as the draft; Saxena 2023). Knows token ids and sizes; knows no model.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.machine.threads import NARROW_DECODER
from rtocr_gui.ocr.model.architecture import DecoderSizes

FIRST_GUESS = 32
"""Tokens guessed at the beginning of a draft; doubled as long as all are right."""

LONGEST_GUESS = 128
GUESS_AFTER_A_DIFFERENCE = 8
TEXTS_OF_A_PAGE = 16
ALLOWANCE = 3.0
"""How many decoding steps wrong guesses may cost, before right ones have saved any."""

_REARRANGED = 2.5
_EARNED_PER_STEP = 0.02
_LEAST_MATCH = 2
_LEAST_MATCH_FAR_AWAY = 8
_LEAST_MATCH_IN_TEXT = 4
_MOST_FAILURES = 6
_NEAR_BEFORE, _NEAR_AFTER = 64, 256


def pass_cost(decoder: DecoderSizes, tokens: int, on_cpu: bool = False) -> float:
    """Estimate a pass of the decoder over several tokens, in passes over one.

    At few tokens a pass takes as long as reading the weights it touches: the more tokens, the more
    experts. With E experts of which each token takes k, n tokens touch E (1 - (1 - k/E)^n) of them if they
    choose alike. Arithmetic adds a little for each token.

    A CPU streams large weights past one token, but rearranges them first where there are several, which
    takes longer than reading them; and its arithmetic counts. At the published size, in float32, a pass
    over 9 tokens takes as long as 8 passes over one, over 33 as long as 17.

    Args:
        decoder: sizes of the language model.
        tokens: n, at least 1.
        on_cpu: whether it runs there.
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
    """What was said of one page at several numbers of visual tokens; the newest few are kept.

    Of readings that were stopped before their end, the longest serves until one came to its end.
    """

    def __init__(self) -> None:
        self._said: dict[int, tuple[int, ...]] = {}
        self._begun: tuple[int, ...] = ()

    @property
    def token_count(self) -> int:
        """Tokens of all texts together."""
        return len(self._begun) + sum(map(len, self._said.values()))

    def add(self, kept: int, token_ids: Sequence[int], is_whole: bool) -> None:
        """Take a text over.

        Args:
            kept: visual tokens it was read from.
            token_ids: the text.
            is_whole: False where it was stopped before its end.
        """
        if is_whole:
            self._begun = ()
            self._said.pop(kept, None)
            self._said[kept] = tuple(token_ids)
            if len(self._said) > TEXTS_OF_A_PAGE:
                del self._said[next(iter(self._said))]
        elif not self._said and len(token_ids) > len(self._begun):
            self._begun = tuple(token_ids)

    def nearest(self, kept: int) -> tuple[int, ...]:
        """The text that was read from the most similar number of visual tokens; empty before the first."""
        nearest = min(self._said, key=lambda other: abs(other - kept), default=None)
        return self._begun if nearest is None else self._said[nearest]


class Drafter:
    """Guesses the next tokens of one text.

    It walks along the draft while the text follows it. After a difference it goes on behind the
    replaced token; where that is wrong, it looks for the place in the draft that ends like the text. With no
    draft, or beyond it, it looks the text's own end up in the text. It stops guessing while wrong
    guesses have cost more than right ones have saved.

    Args:
        draft: token ids of a similar text; may be empty.
        cost: of a pass over so many tokens, in passes over one.
    """

    def __init__(self, draft: Sequence[int], cost: Callable[[int], float]) -> None:
        self._draft = np.asarray(draft, dtype=np.int64)
        self._said = np.empty(max(2 * len(draft), 256), dtype=np.int64)
        self._said_count = 0
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
            text = self._said[: self._said_count]
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
            chosen: tokens; none where the pass left everything undecided. Without a guess, as for the first
                of the text, exactly one.
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
        count = self._said_count + len(chosen)
        if count > len(self._said):
            self._said = np.concatenate([self._said, np.empty(count, dtype=np.int64)])
        self._said[self._said_count : count] = chosen
        self._said_count = count

    def _find_place(self, text: NDArray[np.int64]) -> int | None:
        """Where the draft goes on after something that ends like the text; the nearest place counts."""
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
    """Indices just behind each occurrence of a passage."""
    length = len(passage)
    ends = np.flatnonzero(pool[length - 1 :] == passage[-1]) + length
    for back in range(2, length + 1):
        ends = ends[pool[ends - back] == passage[-back]]
    return ends


def _after_last(pool: NDArray[np.int64], passage: NDArray[np.int64]) -> int | None:
    """Index just behind the last occurrence of a whole passage."""
    ends = _ends_of(pool, passage) if len(passage) == _LEAST_MATCH_IN_TEXT else pool[:0]
    return int(ends[-1]) if len(ends) else None
