"""From visual tokens to generated token ids: prefill, then greedy decoding.

Greedy decoding feeds token after token, or several guessed ones at once (`drafting`), of which only
those are kept that it would have chosen one by one.

Pruned tokens leave gaps, not shifts: every token keeps the position it has in the full sequence, and
generation goes on where the full sequence ends (RTPrune, arXiv 2605.00392). Knows the stock model's
interface and token ids; knows no page and no text.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache, UnlimitedOcrForConditionalGeneration

from rtocr_gui.ocr.drafting import Drafter
from rtocr_gui.ocr.reading import StopReason
from rtocr_gui.ocr.repetition import Loop, banned_tokens, find_loop

_LOOP_CHECK_INTERVAL = 32
_ROUNDING_STEPS = 16


@dataclass(frozen=True, eq=False, slots=True)
class Prompt:
    """What the decoder is given at once.

    Attributes:
        embeddings: (m, D) text and visual tokens in order.
        position_ids: (m,) int64 ascending, their places in the full sequence.
        next_position: length of the full sequence, where generation begins.
    """

    embeddings: Tensor
    position_ids: Tensor
    next_position: int


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


@torch.inference_mode()
def build_prompt(
    model: UnlimitedOcrForConditionalGeneration,
    before: Sequence[int],
    visual_tokens: Tensor,
    selected: NDArray[np.int64],
    visual_length: int,
    after: Sequence[int],
) -> Prompt:
    """Put the visual tokens that are left between the text before and after them.

    Args:
        model: whose embeddings are used.
        before: token ids before the page.
        visual_tokens: (m, D) what is left of the page.
        selected: (m,) their places in the page's visual sequence, ascending.
        visual_length: n, length of that sequence.
        after: token ids after the page.

    Returns:
        The prompt, with the positions of the full sequence.
    """
    device = visual_tokens.device
    text_ids = torch.tensor([*before, *after], dtype=torch.int64, device=device)
    text = model.get_input_embeddings()(text_ids)
    begin, end = len(before), len(before) + visual_length
    position_ids = np.concatenate([np.arange(begin), begin + selected, end + np.arange(len(after))])
    return Prompt(
        embeddings=torch.cat([text[:begin], visual_tokens.to(text.dtype), text[begin:]]),
        position_ids=torch.from_numpy(position_ids).to(device),
        next_position=end + len(after),
    )


class Decoder:
    """The language model with the memory of one reading."""

    def __init__(self, model: UnlimitedOcrForConditionalGeneration) -> None:
        self._model = model
        text_config: Any = model.config.text_config
        self._cache = DynamicCache(config=text_config)
        self.next_position = 0

    @torch.inference_mode()
    def prefill(self, prompt: Prompt) -> Tensor:
        """Take the prompt in.

        Returns:
            (vocabulary,) logits of the first token to generate.
        """
        self.next_position = prompt.next_position
        # Without a mask, gaps between positions would be taken for borders of packed sequences.
        mask = torch.ones((1, len(prompt.position_ids)), dtype=torch.int64, device=prompt.embeddings.device)
        return self._forward(prompt.embeddings[None], prompt.position_ids[None], mask)[-1]

    @torch.inference_mode()
    def feed(self, token_ids: Sequence[int]) -> Tensor:
        """Take t generated or guessed tokens in.

        Returns:
            (t, vocabulary) logits of the token after each.
        """
        ids = torch.tensor([token_ids], dtype=torch.int64, device=self._model.device)
        end = self.next_position + len(token_ids)
        positions = torch.arange(self.next_position, end, device=self._model.device)[None]
        self.next_position = end
        return self._forward(self._model.get_input_embeddings()(ids), positions, None)

    def take_back(self, count: int) -> None:
        """Forget the last tokens that were fed, at least one."""
        self.next_position -= count
        self._cache.crop(-count)

    def _forward(self, embeddings: Tensor, position_ids: Tensor, mask: Tensor | None) -> Tensor:
        output = self._model(
            inputs_embeds=embeddings,
            position_ids=position_ids,
            attention_mask=mask,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1 if mask is not None else 0,
        )
        logits: Tensor = output.logits[0]
        return logits


class GreedyGeneration:
    """Iterates over generated token ids, the end token left out.

    A drafter makes it quicker and changes nothing else: a guessed token counts only where it is the one
    that would have been chosen anyway. A pass over several tokens rounds its sums in another order
    than passes over one, so a choice that rounding might turn is not trusted but made again by itself.
    What is left is the rounding of the keys and values that several tokens leave in the cache: in half
    precision, where two tokens often have equal logits to the last bit, it may decide between those two.

    Args:
        decoder: fresh.
        rules: when to stop and what not to repeat.
        cancel: checked before the prefill and before every pass.
        drafter: guesses what comes next; None to feed one token at a time.

    Attributes:
        token_ids: generated so far.
        passes: of the decoder, after the prefill.
        stop_reason: why it ended; None before that.
        loop: what it ended in, where that is the reason.
    """

    def __init__(
        self,
        decoder: Decoder,
        rules: GenerationRules,
        cancel: threading.Event,
        drafter: Drafter | None = None,
    ) -> None:
        self.token_ids: list[int] = []
        self.passes = 0
        self.stop_reason: StopReason | None = None
        self.loop: Loop | None = None
        self._decoder = decoder
        self._rules = rules
        self._cancel = cancel
        self._drafter = drafter
        self._first_logits: Tensor | None = None
        self._begins_at = 0
        self._changed_at: list[int] = []
        self._is_unsure = False

    def prefill(self, prompt: Prompt) -> None:
        """Take the prompt in, unless it was cancelled before that."""
        self._begins_at = prompt.next_position
        if not self._has_ended():
            self._first_logits = self._decoder.prefill(prompt)

    def __iter__(self) -> Iterator[int]:
        if self._has_ended():
            return
        assert self._first_logits is not None, "iterated before the prefill"
        logits, guess = self._first_logits[None], list[int]()
        while True:
            before = len(self.token_ids)
            yield from self._choose(logits, guess)
            chosen = self.token_ids[before:]
            if self._has_ended():
                return
            if len(chosen) <= len(guess):  # the token chosen last is fed with the next pass
                self._decoder.take_back(len(guess) + 1 - len(chosen))
            if self._drafter is not None:
                self._drafter.judge(chosen)
            guess = self._guess()
            logits = self._decoder.feed([self.token_ids[-1], *guess])
            self.passes += 1

    def _guess(self) -> list[int]:
        if self._drafter is None:
            return []
        count = len(self.token_ids)
        left = self._rules.context_length - self._begins_at - count
        return self._drafter.guess(0 if self._is_unsure else min(self._rules.max_new_tokens - count, left))

    def _choose(self, logits: Tensor, guess: Sequence[int]) -> Iterator[int]:
        """Choose the token after each that was fed, for as long as the one fed next was the right one.

        Args:
            logits: (t + 1, vocabulary), after the last chosen token and after each guessed one.
            guess: t token ids.
        """
        best = logits.argmax(dim=-1).tolist()
        is_close = _are_close(logits) if guess else [False]
        self._is_unsure = False
        for row, token_id in enumerate(best):
            if row and self._has_ended():
                return
            banned = self._banned()
            self._is_unsure = bool(guess) and (is_close[row] or token_id in banned)
            if self._is_unsure:
                return
            if token_id in banned:
                self._changed_at.append(len(self.token_ids))
                allowed = logits[row].clone()
                allowed[banned] = -torch.inf
                token_id = int(allowed.argmax())
            if token_id == self._rules.end_id:
                self.stop_reason = StopReason.END
                return
            self.token_ids.append(token_id)
            yield token_id
            if row == len(guess) or token_id != guess[row]:
                return

    def _has_ended(self) -> bool:
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
    """Whether the two largest logits of each row lie closer together than rounding may move them."""
    two = logits.float().topk(2, dim=-1).values
    rounding = _ROUNDING_STEPS * torch.finfo(logits.dtype).eps * two.abs().amax(dim=-1)
    close: list[bool] = (two[:, 0] - two[:, 1] <= rounding).tolist()
    return close
