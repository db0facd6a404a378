"""Generates token ids from visual tokens: prefill, then greedy decoding.

Greedy decoding feeds one token at a time, or several guessed ones at once (`drafting`), of which it keeps
only those it would have chosen one by one.

Pruned tokens leave gaps and shift nothing: every token keeps its position in the full sequence, and
generation continues where the full sequence ends (RTPrune, arXiv 2605.00392). Knows the stock model's
interface and token ids; knows no page and no text.
"""

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.ocr.decoder.drafting import Drafter
from rtocr_gui.ocr.decoder.greedy import Candidates, GenerationRules, GreedyText
from rtocr_gui.ocr.decoder.growing_cache import make_cache
from rtocr_gui.pruning.sending import send


@dataclass(frozen=True, eq=False, slots=True)
class Prompt:
    """The input of a prefill.

    Attributes:
        embeddings: (m, D) text and visual tokens in order.
        position_ids: (m,) int64 ascending, their positions in the full sequence.
        next_position: length of the full sequence, where generation begins.
    """

    embeddings: Tensor
    position_ids: Tensor
    next_position: int


@torch.inference_mode()
def build_prompt(
    model: UnlimitedOcrForConditionalGeneration,
    before: Sequence[int],
    visual_tokens: Tensor,
    selected: NDArray[np.int64],
    visual_length: int,
    after: Sequence[int],
) -> Prompt:
    """Put the surviving visual tokens between the text before and after them.

    Args:
        model: the model, for its embeddings.
        before: token ids before the page.
        visual_tokens: (m, D) visual tokens after pruning.
        selected: (m,) their positions in the page's visual sequence, ascending.
        visual_length: n, length of that sequence.
        after: token ids after the page.

    Returns:
        The prompt, with the positions of the full sequence.
    """
    device = visual_tokens.device
    text_ids = send(np.array([*before, *after], dtype=np.int64), device)
    text = model.get_input_embeddings()(text_ids)
    begin, end = len(before), len(before) + visual_length
    position_ids = np.concatenate([np.arange(begin), begin + selected, end + np.arange(len(after))])
    return Prompt(
        embeddings=torch.cat([text[:begin], visual_tokens.to(text.dtype), text[begin:]]),
        position_ids=send(position_ids, device),
        next_position=end + len(after),
    )


class Decoder:
    """The language model with the cache of one reading."""

    def __init__(self, model: UnlimitedOcrForConditionalGeneration) -> None:
        self._model = model
        self._device = model.device
        text_config: Any = model.config.text_config
        self._kinds = frozenset(text_config.layer_types)
        self._cache = make_cache(text_config, self._device)
        self._cache.activate_past_recording()  # type: ignore[no-untyped-call]
        self.next_position = 0

    @torch.inference_mode()
    def prefill(self, prompt: Prompt) -> Tensor:
        """Feed the prompt.

        Returns:
            (vocabulary,) logits of the first token to generate.
        """
        self.next_position = prompt.next_position
        return self._forward(prompt.embeddings[None], prompt.position_ids[None], logits_to_keep=1)[-1]

    @torch.inference_mode()
    def feed(self, token_ids: Sequence[int]) -> Tensor:
        """Feed t generated or guessed tokens.

        Returns:
            (t, vocabulary) logits of the token after each.
        """
        ids = torch.tensor([token_ids], dtype=torch.int64, device=self._device)
        self._cache.crop(0)  # drops what a window still keeps in case the last feed is taken back
        end = self.next_position + len(token_ids)
        positions = torch.arange(self.next_position, end, device=self._device)[None]
        self.next_position = end
        return self._forward(self._model.get_input_embeddings()(ids), positions)

    def take_back(self, count: int) -> None:
        """Undo the last `count` tokens of the last feed, at least one."""
        self.next_position -= count
        self._cache.crop(-count)

    def _forward(self, embeddings: Tensor, position_ids: Tensor, logits_to_keep: int = 0) -> Tensor:
        output = self._model(
            inputs_embeds=embeddings,
            position_ids=position_ids,
            attention_mask=self._mask(embeddings),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=logits_to_keep,
        )
        logits: Tensor = output.logits[0]
        return logits

    def _mask(self, embeddings: Tensor) -> dict[str, Tensor | None] | None:
        """Return what each of t tokens attends to, in the form that costs the stock model least.

        Given a mask for each kind of layer, the model builds none itself. Otherwise it would build one for
        windowed layers at every token, even if there are none: a tenth of the miniature's step. To `sdpa`,
        which `load_model` selects, None means causal attention, and for a single token everything in the
        cache. Only several tokens at once in windowed layers need the model's own masks, as each token sees a
        different part of the window.
        """
        begin, count = self._cache.get_seq_length(), embeddings.shape[1]
        if begin == 0 or count == 1:
            return dict.fromkeys(self._kinds)
        if self._kinds != {"full_attention"}:
            return None
        seen = torch.ones((count, begin + count), dtype=torch.bool, device=self._device)
        return {"full_attention": seen.tril(diagonal=begin)[None, None]}


class GreedyGeneration(GreedyText):
    """A text with a decoder of its own: iterates over its token ids as they are generated.

    A drafter speeds it up and changes nothing else: a guessed token counts only if it is the one that
    would have been chosen anyway, and a choice that rounding might change is made again in a pass over one
    token. What remains is the rounding of the keys and values that a pass over several tokens leaves in the
    cache: in half precision, where two tokens often have bit-equal logits, it may decide between them.

    Args:
        decoder: a fresh decoder.
        rules: when to stop and what not to repeat.
        cancel: checked before the prefill and before every pass.
        drafter: guesses what comes next; None to feed one token at a time.
    """

    def __init__(
        self,
        decoder: Decoder,
        rules: GenerationRules,
        cancel: threading.Event,
        drafter: Drafter | None = None,
    ) -> None:
        super().__init__(rules, cancel)
        self._decoder = decoder
        self._drafter = drafter
        self._first_logits: Tensor | None = None
        self._is_unsure = False

    def prefill(self, prompt: Prompt) -> None:
        """Prefill the prompt, unless it has already been cancelled."""
        self.begin_at(prompt.next_position)
        if not self.check_end():
            self._first_logits = self._decoder.prefill(prompt)

    def __iter__(self) -> Generator[int, None, None]:
        if self.check_end():
            return
        assert self._first_logits is not None, "iterated before the prefill"
        logits, guess = self._first_logits[None], list[int]()
        while True:
            before = len(self.token_ids)
            yield from self._follow(guess, Candidates(logits, of_shared_pass=bool(guess)))
            chosen = self.token_ids[before:]
            if self.check_end():
                return
            if len(chosen) <= len(guess):  # the last chosen token is fed in the next pass
                self._decoder.take_back(len(guess) + 1 - len(chosen))
            if self._drafter is not None:
                self._drafter.judge(chosen)
                guess = self._drafter.guess(0 if self._is_unsure else self.room)
            logits = self._decoder.feed([self.token_ids[-1], *guess])
            self.passes += 1

    def _follow(self, guess: Sequence[int], candidates: Candidates) -> Iterator[int]:
        """Choose the token after each fed token, as long as the guesses turn out right.

        Args:
            guess: t guessed token ids.
            candidates: t + 1 rows, after the last chosen token and after each guessed one.
        """
        self._is_unsure = False
        for row in range(len(guess) + 1):
            if row and self.check_end():
                return
            self._is_unsure = not self.choose(candidates, row)
            if self._is_unsure or self.stop_reason is not None:
                return
            yield self.token_ids[-1]
            if row == len(guess) or self.token_ids[-1] != guess[row]:
                return
