"""From visual tokens to generated token ids: prefill, then greedy decoding.

Greedy decoding feeds token after token, or several guessed ones at once (`drafting`), of which only
those are kept that it would have chosen one by one.

Pruned tokens leave gaps, not shifts: every token keeps the position it has in the full sequence, and
generation goes on where the full sequence ends (RTPrune, arXiv 2605.00392). Knows the stock model's
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
    """What the decoder is given at once.

    Attributes:
        embeddings: (m, D) text and visual tokens in order.
        position_ids: (m,) int64 ascending, their places in the full sequence.
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
    """The language model with the memory of one reading."""

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
        """Take the prompt in.

        Returns:
            (vocabulary,) logits of the first token to generate.
        """
        self.next_position = prompt.next_position
        return self._forward(prompt.embeddings[None], prompt.position_ids[None], logits_to_keep=1)[-1]

    @torch.inference_mode()
    def feed(self, token_ids: Sequence[int]) -> Tensor:
        """Take t generated or guessed tokens in.

        Returns:
            (t, vocabulary) logits of the token after each.
        """
        ids = torch.tensor([token_ids], dtype=torch.int64, device=self._device)
        self._cache.crop(0)  # a window keeps what left it only as long as the last feed can be taken back
        end = self.next_position + len(token_ids)
        positions = torch.arange(self.next_position, end, device=self._device)[None]
        self.next_position = end
        return self._forward(self._model.get_input_embeddings()(ids), positions)

    def take_back(self, count: int) -> None:
        """Forget the last tokens of the last feed, at least one."""
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
        """What each of t tokens attends to, in the form that costs the stock model least.

        Given the masks of its kinds of layers, the model makes none. Left alone it would make one for layers
        with a window at every token, even where no layer has one: a tenth of the miniature's step. None is
        causal to `sdpa`, the attention that `load_model` chooses; to one token it is all that the cache has
        kept. Only several tokens at once need the model's own masks where what they see of a window differs.
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

    A drafter makes it quicker and changes nothing else: a guessed token counts only where it is the one
    that would have been chosen anyway; a choice that rounding might turn is made again by itself.
    What is left is the rounding of the keys and values that several tokens leave in the cache: in half
    precision, where two tokens often have equal logits to the last bit, it may decide between those two.

    Args:
        decoder: fresh.
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
        """Take the prompt in, unless it was cancelled before that."""
        self.begin_at(prompt.next_position)
        if not self.has_ended():
            self._first_logits = self._decoder.prefill(prompt)

    def __iter__(self) -> Generator[int, None, None]:
        if self.has_ended():
            return
        assert self._first_logits is not None, "iterated before the prefill"
        logits, guess = self._first_logits[None], list[int]()
        while True:
            before = len(self.token_ids)
            yield from self._follow(guess, Candidates(logits, of_shared_pass=bool(guess)))
            chosen = self.token_ids[before:]
            if self.has_ended():
                return
            if len(chosen) <= len(guess):  # the token chosen last is fed with the next pass
                self._decoder.take_back(len(guess) + 1 - len(chosen))
            if self._drafter is not None:
                self._drafter.judge(chosen)
                guess = self._drafter.guess(0 if self._is_unsure else self.room)
            logits = self._decoder.feed([self.token_ids[-1], *guess])
            self.passes += 1

    def _follow(self, guess: Sequence[int], candidates: Candidates) -> Iterator[int]:
        """Choose the token after each that was fed, for as long as the one fed next was the right one.

        Args:
            guess: t token ids.
            candidates: t + 1 rows, after the last chosen token and after each guessed one.
        """
        self._is_unsure = False
        for row in range(len(guess) + 1):
            if row and self.has_ended():
                return
            self._is_unsure = not self.choose(candidates, row)
            if self._is_unsure or self.stop_reason is not None:
                return
            yield self.token_ids[-1]
            if row == len(guess) or self.token_ids[-1] != guess[row]:
                return
