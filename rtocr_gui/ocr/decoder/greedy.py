"""Chooses the tokens of a text greedily under the rules, and decides when it has ended.

Knows logits and token ids, but not where the logits come from: passes over one text token by token
(`decoding`), over guesses (`drafting`), or over several texts at once (`batching`).
"""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.decoder.repetition import banned_tokens, find_loop, find_tabs
from rtocr_gui.ocr.reading import StopReason

_LOOP_CHECK_INTERVAL = 32
_ROUNDING_STEPS = 16


@dataclass(frozen=True, slots=True)
class GenerationRules:
    """When to stop and what not to repeat.

    Attributes:
        end_id: token that ends the text; None to continue past it.
        max_new_tokens: most tokens to generate.
        context_length: most tokens that the decoder is given, prompt included; the last one chosen is not.
        ngram_size: n of the ban on repeated n-grams; 0 for no ban.
        ngram_window: how many of the latest tokens the ban considers.
        allowed_ids: tokens that are never banned.
        scale: how many tokens stand for as much text as one of DeepSeek-OCR's; loops are longer by that.
        tabs: number of tabs by token, for tokens that are nothing else; many in a row are a loop.
    """

    end_id: int | None
    max_new_tokens: int
    context_length: int
    ngram_size: int = 0
    ngram_window: int = 0
    allowed_ids: frozenset[int] = frozenset()
    scale: int = 1
    tabs: Mapping[int, int] = field(default_factory=dict)


class Candidates:
    """The candidates for the next token at several places, from one decoder pass.

    A pass over several tokens, whether guesses or from several texts, sums in a different order than a pass
    over one, and so rounds differently. Where that might change a choice, the pass is not trusted.

    Args:
        logits: (t, vocabulary), one row per place.
        of_shared_pass: True if they come from a pass over several tokens.

    Attributes:
        logits: as given.
        likeliest: the token with the largest logit, per row.
        probabilities: the probability of that token, in 0..1, per row.
        of_shared_pass: as given.
        is_finite: False for a row whose numbers are not finite, as when weights overflow.
        is_close: True for a row whose two largest logits are closer together than rounding may move them;
            always False for a pass over one token, which defines the greedy choice.
    """

    def __init__(self, logits: Tensor, of_shared_pass: bool) -> None:
        largest, likeliest = logits.max(dim=-1)
        self.logits = logits
        self.likeliest: list[int] = likeliest.tolist()
        self.probabilities: list[float] = (largest.float() - _log_totals(logits)).exp().tolist()
        self.is_finite = [math.isfinite(logit) for logit in largest.tolist()]
        self.of_shared_pass = of_shared_pass
        self.is_close = _are_close(logits) if of_shared_pass else [False] * len(logits)

    def probability_of(self, token_id: int, row: int) -> float:
        """Return the probability of any token, in 0..1, for a row."""
        logits = self.logits[row]
        return math.exp(float(logits[token_id]) - float(_log_totals(logits)))


class GreedyText:
    """A text whose every token is the likeliest that the rules allow, and the reason why it ended.

    Args:
        rules: when to stop and what not to repeat.
        cancel: set to stop it.

    Attributes:
        token_ids: tokens generated so far, without the end token.
        probabilities: the probability that the model gave each of them, in 0..1, whatever the rules say.
        stop_reason: why it ended; None until then.
        loop_start: where the loop that it ended in begins, if that is the reason.
        passes: decoder passes after the prefill.
        shared_ms: total time of the passes shared with other texts.
    """

    def __init__(self, rules: GenerationRules, cancel: threading.Event) -> None:
        self.token_ids: list[int] = []
        self.probabilities: list[float] = []
        self.passes = 0
        self.shared_ms = 0.0
        self.stop_reason: StopReason | None = None
        self.loop_start: int | None = None
        self._rules = rules
        self._cancel = cancel
        self._begins_at = 0
        self._changed_at: list[int] = []

    @property
    def room(self) -> int:
        """Number of further tokens that the rules allow."""
        count = len(self.token_ids)
        left = self._rules.context_length - self._begins_at - count
        return min(self._rules.max_new_tokens - count, left)

    def begin_at(self, next_position: int) -> None:
        """Set the position of the first token in the full sequence."""
        self._begins_at = next_position

    def close(self) -> None:
        """Release what others hold for this text; to be called however it ended."""

    def choose(self, candidates: Candidates, row: int) -> bool:
        """Choose the next token, or the end.

        Args:
            candidates: candidates for the next token, and possibly for others.
            row: the row of the next token.

        Returns:
            False if rounding might change the choice: nothing is chosen, and a pass over the last token
            alone must decide.

        Raises:
            ReadingError: the row does not hold finite numbers.
        """
        if not candidates.is_finite[row]:
            raise ReadingError(
                "The model's decoder gave numbers that are not finite. Choose another precision or device; "
                "if that does not help, check the model files."
            )
        token_id, probability = candidates.likeliest[row], candidates.probabilities[row]
        banned = self._banned()
        if candidates.is_close[row] or (candidates.of_shared_pass and token_id in banned):
            return False
        if token_id in banned:
            self._changed_at.append(len(self.token_ids))
            allowed = candidates.logits[row].clone()
            allowed[banned] = -torch.inf
            token_id = int(allowed.argmax())
            probability = candidates.probability_of(token_id, row)
        if token_id == self._rules.end_id:
            self.stop_reason = StopReason.END
        else:
            self.token_ids.append(token_id)
            self.probabilities.append(probability)
        return True

    def check_end(self) -> bool:
        """Decide whether the text has ended; to be called before every pass."""
        count = len(self.token_ids)
        if self.stop_reason is not None:
            return True
        if self._cancel.is_set():
            self.stop_reason = StopReason.CANCELLED
        elif count and (
            count >= self._rules.max_new_tokens or self._begins_at + count > self._rules.context_length
        ):
            self.stop_reason = StopReason.LENGTH
        else:
            self.loop_start = self._find_loop()
            self.stop_reason = None if self.loop_start is None else StopReason.LOOP
        return self.stop_reason is not None

    def _find_loop(self) -> int | None:
        rules, count = self._rules, len(self.token_ids)
        start = find_tabs(self.token_ids, rules.tabs)
        if start is None and count and count % (_LOOP_CHECK_INTERVAL * rules.scale) == 0:
            return find_loop(self.token_ids, self._changed_at, rules.allowed_ids, rules.scale)
        return start

    def _banned(self) -> list[int]:
        rules = self._rules
        if rules.ngram_size == 0:
            return []
        found = banned_tokens(self.token_ids, rules.ngram_size, rules.ngram_window)
        return [token_id for token_id in found if token_id not in rules.allowed_ids]


def _log_totals(logits: Tensor) -> Tensor:
    """Return the logarithm of the sum of the exponentials, (...,) float32 for (..., vocabulary)."""
    return logits.float().logsumexp(dim=-1)


def _are_close(logits: Tensor) -> list[bool]:
    two = logits.topk(2, dim=-1).values.float()
    rounding = _ROUNDING_STEPS * torch.finfo(logits.dtype).eps * two.abs().amax(dim=-1)
    close: list[bool] = (two[:, 0] - two[:, 1] <= rounding).tolist()
    return close
