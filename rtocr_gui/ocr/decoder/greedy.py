"""A text in the making: which token follows, by the greedy choice and the rules, and when it has ended.

Knows logits and token ids; not where the logits come from: from passes over one text token by token
(`decoding`), over guesses (`drafting`), or over several texts at once (`batching`).
"""

import math
import threading
from dataclasses import dataclass

import torch
from torch import Tensor

from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.decoder.repetition import Loop, banned_tokens, find_loop
from rtocr_gui.ocr.reading import StopReason

_LOOP_CHECK_INTERVAL = 32
_ROUNDING_STEPS = 16


@dataclass(frozen=True, slots=True)
class GenerationRules:
    """When to stop and what not to repeat.

    Attributes:
        end_id: token that ends the text; None to go on past it.
        max_new_tokens: most tokens to generate.
        context_length: most tokens of the full sequence, prompt included.
        ngram_size: n of the ban on repeated n-grams; 0 for none.
        ngram_window: how many tokens back an n-gram may not repeat.
        allowed_ids: tokens that may always come.
    """

    end_id: int | None
    max_new_tokens: int
    context_length: int
    ngram_size: int = 0
    ngram_window: int = 0
    allowed_ids: frozenset[int] = frozenset()


class Candidates:
    """What may follow at several places, as one pass of the decoder has it.

    A pass over several tokens, be they guesses or of several texts, rounds its sums in another order than
    a pass over one. Where that might turn a choice, it is not trusted.

    Args:
        logits: (t, vocabulary), one row for each place.
        of_shared_pass: whether they come from a pass over several tokens.

    Attributes:
        logits: as given.
        likeliest: the token of the largest logit of each row.
        of_shared_pass: as given.
        is_finite: whether a row holds finite numbers, as those of weights that overflow do not.
        is_close: whether the two largest logits of a row lie closer together than rounding may move them;
            never of a pass over one token, which rounds as the greedy choice does.
    """

    def __init__(self, logits: Tensor, of_shared_pass: bool) -> None:
        largest, likeliest = logits.max(dim=-1)
        self.logits = logits
        self.likeliest: list[int] = likeliest.tolist()
        self.is_finite = [math.isfinite(logit) for logit in largest.tolist()]
        self.of_shared_pass = of_shared_pass
        self.is_close = _are_close(logits) if of_shared_pass else [False] * len(logits)


class GreedyText:
    """Token ids, each the likeliest that the rules allow, and why there are no more.

    Args:
        rules: when to stop and what not to repeat.
        cancel: stops it where it has got to.

    Attributes:
        token_ids: generated so far, the end token left out.
        stop_reason: why it ended; None before that.
        loop: what it ended in, where that is the reason.
        passes: of the decoder, after the prefill.
        shared_ms: how long those passes took that were shared with other texts.
    """

    def __init__(self, rules: GenerationRules, cancel: threading.Event) -> None:
        self.token_ids: list[int] = []
        self.passes = 0
        self.shared_ms = 0.0
        self.stop_reason: StopReason | None = None
        self.loop: Loop | None = None
        self._rules = rules
        self._cancel = cancel
        self._begins_at = 0
        self._changed_at: list[int] = []

    @property
    def room(self) -> int:
        """How many more tokens the rules allow."""
        count = len(self.token_ids)
        left = self._rules.context_length - self._begins_at - count
        return min(self._rules.max_new_tokens - count, left)

    def begin_at(self, next_position: int) -> None:
        """Let the first token take a position of the full sequence."""
        self._begins_at = next_position

    def close(self) -> None:
        """Let go of what others keep for it; to be called whatever happened to the text."""

    def choose(self, candidates: Candidates, row: int) -> bool:
        """Choose the next token, or the end.

        Args:
            candidates: of the next token, and maybe of others.
            row: which of them.

        Returns:
            False where rounding might turn the choice: nothing is chosen, and a pass over the last token
            alone has to tell.

        Raises:
            ReadingError: the row does not hold finite numbers.
        """
        if not candidates.is_finite[row]:
            raise ReadingError(
                "The model's decoder gave numbers that are not finite. Choose another precision or device; "
                "if that does not help, check the model files."
            )
        token_id = candidates.likeliest[row]
        banned = self._banned()
        if candidates.is_close[row] or (candidates.of_shared_pass and token_id in banned):
            return False
        if token_id in banned:
            self._changed_at.append(len(self.token_ids))
            allowed = candidates.logits[row].clone()
            allowed[banned] = -torch.inf
            token_id = int(allowed.argmax())
        if token_id == self._rules.end_id:
            self.stop_reason = StopReason.END
        else:
            self.token_ids.append(token_id)
        return True

    def has_ended(self) -> bool:
        """Find out whether another token may follow; to be asked before every pass."""
        count = len(self.token_ids)
        if self.stop_reason is not None:
            return True
        if self._cancel.is_set():
            self.stop_reason = StopReason.CANCELLED
        elif count and (
            count >= self._rules.max_new_tokens or self._begins_at + count > self._rules.context_length
        ):
            self.stop_reason = StopReason.LENGTH
        elif count % _LOOP_CHECK_INTERVAL == 0:
            self.loop = find_loop(self.token_ids, self._changed_at, self._rules.allowed_ids)
            self.stop_reason = StopReason.LOOP if self.loop else None
        return self.stop_reason is not None

    def _banned(self) -> list[int]:
        rules = self._rules
        if rules.ngram_size == 0:
            return []
        found = banned_tokens(self.token_ids, rules.ngram_size, rules.ngram_window)
        return [token_id for token_id in found.tolist() if token_id not in rules.allowed_ids]


def _are_close(logits: Tensor) -> list[bool]:
    two = logits.float().topk(2, dim=-1).values
    rounding = _ROUNDING_STEPS * torch.finfo(logits.dtype).eps * two.abs().amax(dim=-1)
    close: list[bool] = (two[:, 0] - two[:, 1] <= rounding).tolist()
    return close
