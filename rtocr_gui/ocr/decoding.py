"""From visual tokens to generated token ids: prefill, then one greedy step after the other.

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

from rtocr_gui.ocr.reading import StopReason
from rtocr_gui.ocr.repetition import banned_tokens, is_held_from_looping, is_looping

_LOOP_CHECK_INTERVAL = 8


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
        return self._forward(prompt.embeddings[None], prompt.position_ids[None], mask)

    @torch.inference_mode()
    def step(self, token_id: int) -> Tensor:
        """Take one generated token in.

        Returns:
            (vocabulary,) logits of the next one.
        """
        ids = torch.tensor([[token_id]], dtype=torch.int64, device=self._model.device)
        positions = torch.tensor([[self.next_position]], dtype=torch.int64, device=self._model.device)
        self.next_position += 1
        return self._forward(self._model.get_input_embeddings()(ids), positions, None)

    def _forward(self, embeddings: Tensor, position_ids: Tensor, mask: Tensor | None) -> Tensor:
        output = self._model(
            inputs_embeds=embeddings,
            position_ids=position_ids,
            attention_mask=mask,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[0, -1]
        return logits


class GreedyGeneration:
    """Iterates over generated token ids, the end token left out.

    Args:
        decoder: fresh.
        rules: when to stop and what not to repeat.
        cancel: checked before the prefill and before every step.

    Attributes:
        token_ids: generated so far.
        stop_reason: why it ended; None before that.
    """

    def __init__(self, decoder: Decoder, rules: GenerationRules, cancel: threading.Event) -> None:
        self.token_ids: list[int] = []
        self.stop_reason: StopReason | None = None
        self._decoder = decoder
        self._rules = rules
        self._cancel = cancel
        self._logits: Tensor | None = None
        self._changed_at: list[int] = []

    def prefill(self, prompt: Prompt) -> None:
        """Take the prompt in, unless it was cancelled before that."""
        if not self._has_ended():
            self._logits = self._decoder.prefill(prompt)

    def __iter__(self) -> Iterator[int]:
        while not self._has_ended():
            if self.token_ids:
                self._logits = self._decoder.step(self.token_ids[-1])
            assert self._logits is not None, "iterated before the prefill"
            token_id = self._choose(self._logits)
            if token_id == self._rules.end_id:
                self.stop_reason = StopReason.END
                return
            self.token_ids.append(token_id)
            yield token_id

    def _has_ended(self) -> bool:
        count = len(self.token_ids)
        full = self._decoder.next_position >= self._rules.context_length
        if self._cancel.is_set():
            self.stop_reason = StopReason.CANCELLED
        elif count and (full or count >= self._rules.max_new_tokens):
            self.stop_reason = StopReason.LENGTH
        elif self._is_endless():
            self.stop_reason = StopReason.LOOP
        return self.stop_reason is not None

    def _is_endless(self) -> bool:
        count = len(self.token_ids)
        return is_held_from_looping(self._changed_at, count) or (
            count % _LOOP_CHECK_INTERVAL == 0 and is_looping(self.token_ids)
        )

    def _choose(self, logits: Tensor) -> int:
        """The token of the largest logit that is not banned."""
        best = int(logits.argmax())
        banned = self._banned()
        if best not in banned:
            return best
        self._changed_at.append(len(self.token_ids))
        logits = logits.clone()
        logits[banned] = -torch.inf
        return int(logits.argmax())

    def _banned(self) -> list[int]:
        rules = self._rules
        if rules.ngram_size == 0:
            return []
        found = banned_tokens(self.token_ids, rules.ngram_size, rules.ngram_window)
        return [token_id for token_id in found.tolist() if token_id not in rules.allowed_ids]
