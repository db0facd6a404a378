"""Generates several texts in the same decoder passes: each as it would be by itself, all of them sooner.

A pass over one token takes as long as reading the weights, and hardly longer over one token from each of
several texts. Prompts are prefilled one by one; then the texts advance together, pass by pass. Their keys
and values are right-aligned, so that all grow at the same end; the padding left of a shorter text is masked
out, and each text has its own positions. A text that ends leaves, and another may join at any time.

A pass over several texts sums in a different order than a pass over one, and so rounds differently: choices
that this might change are made again in a pass over that text alone. What remains is the rounding of the
keys and values, as with drafts (`decoding`). Knows the stock model's interface and cache; knows no page.
"""

import threading
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import DynamicCache, UnlimitedOcrForConditionalGeneration

from rtocr_gui.ocr.decoder.cost import prefill_cost
from rtocr_gui.ocr.decoder.decoding import Prompt
from rtocr_gui.ocr.decoder.greedy import Candidates, GenerationRules, GreedyText
from rtocr_gui.ocr.decoder.growing_cache import make_cache
from rtocr_gui.ocr.machine.clock import ms_since
from rtocr_gui.ocr.machine.devices import free_bytes, is_out_of_memory
from rtocr_gui.ocr.machine.threads import NARROW_DECODER
from rtocr_gui.ocr.model.architecture import DecoderSizes

PAGES_AT_ONCE = 16
"""How many pages are read at a time by default, if that is faster and there is memory for them."""

_SHARE_OF_MEMORY = 0.5


def pages_at_once(
    model: UnlimitedOcrForConditionalGeneration, sizes: DecoderSizes, wanted: int | None = None
) -> int:
    """Decide how many pages to read at a time.

    On a CPU, a wide decoder gains nothing from two pages and little from four
    (`packaging/benchmarks/batching-cpu.md`), and the first page would be late, so pages are read one by
    one. Otherwise memory decides: each page might fill the model's context, and while a page joins or
    leaves, all keys and values exist twice.

    Args:
        model: the loaded model.
        sizes: sizes of its decoder.
        wanted: the user's choice, at least 1; None for what suits the device best.

    Returns:
        At least 1; always 1 if a layer has a window, because its cache cannot be shared.
    """
    text_config: Any = model.config.text_config
    if set(text_config.layer_types) != {"full_attention"}:
        return 1
    if wanted is not None:
        return wanted
    if model.device.type == "cpu" and sizes.width >= NARROW_DECODER:
        return 1
    page_bytes = prefill_cost(sizes, sizes.context_length, model.dtype.itemsize).cache_bytes
    return max(1, min(PAGES_AT_ONCE, int(_SHARE_OF_MEMORY * free_bytes(model.device) / page_bytes)))


class Batch:
    """Texts that advance together, each in a row of one cache.

    Args:
        model: a model with full attention in every decoder layer.
    """

    def __init__(self, model: UnlimitedOcrForConditionalGeneration) -> None:
        self._model = model
        self._rows: list[_Row] = []
        self._cache = self._cache_of(())

    def __len__(self) -> int:
        """Number of texts."""
        return len(self._rows)

    @torch.inference_mode()
    def begin(self, text: "SharedGeneration", prompt: Prompt) -> None:
        """Prefill the prompt of a text by itself, and add it to the batch."""
        cache = self._cache_of(())
        logits = self._forward(prompt.embeddings[None], prompt.position_ids[None], None, cache)
        text.candidates = Candidates(logits, of_shared_pass=False), 0
        if self._rows:
            pairs = zip(_states(self._cache), _states(cache), strict=True)
            cache = self._cache_of(map(_stacked, above, below) for above, below in pairs)
        self._cache = cache
        self._rows.append(_Row(text, len(prompt.position_ids), prompt.next_position))

    @torch.inference_mode()
    def leave(self, text: "SharedGeneration") -> None:
        """Remove a text, and any other that has ended, and free their memory."""
        place = self._place_of(text)
        if place is None:
            return
        others = [
            other for other, row in enumerate(self._rows) if other != place and row.text.stop_reason is None
        ]
        rows, cache = [self._rows[other] for other in others], self._cache_of(())
        if rows:
            width = max(row.length for row in rows)
            cache = self._cache_of(
                [half[others, :, -width:] for half in pair] for pair in _states(self._cache)
            )
        self._rows, self._cache = rows, cache  # both or, where memory ran out, neither

    @torch.inference_mode()
    def feed(self) -> None:
        """Feed the last token of every text, and set the candidates for each text's next one.

        If that fails, e.g. for lack of memory, the batch stays as it was.
        """
        started = time.perf_counter()
        rows, device = self._rows, self._model.device
        if not rows:
            return
        token_ids = torch.tensor([[row.text.token_ids[-1]] for row in rows], device=device)
        positions = torch.tensor([[row.next_position] for row in rows], device=device)
        width, mask = max(row.length for row in rows), None
        if any(row.length < width for row in rows):
            missing = torch.tensor([width - row.length for row in rows], device=device)
            mask = torch.arange(width + 1, device=device) >= missing[:, None, None, None]  # (B, 1, 1, W)
        try:
            logits = self._forward(self._embedded(token_ids), positions, mask, self._cache)
            candidates = Candidates(logits, of_shared_pass=len(rows) > 1)  # here a GPU reports errors
        except (RuntimeError, MemoryError):
            layers: Any = self._cache.layers
            for layer in layers:  # some may have appended the tokens, or only their keys
                layer.keys, layer.values = layer.keys[..., :width, :], layer.values[..., :width, :]
            raise
        pass_ms = ms_since(started)
        for place, row in enumerate(rows):
            row.length += 1
            row.next_position += 1
            row.text.candidates = candidates, place
            row.text.passes += 1
            row.text.shared_ms += pass_ms

    @torch.inference_mode()
    def feed_alone(self, text: "SharedGeneration") -> None:
        """Feed the last token of one text again, replacing its keys and values from the shared pass."""
        place = self._place_of(text)
        assert place is not None, "a text is fed that is not in the batch"
        row = self._rows[place]
        before = slice(-row.length, -1)
        own = ([half[place, None, :, before] for half in pair] for pair in _states(self._cache))
        cache, device = self._cache_of(own), self._model.device
        position = torch.tensor([[row.next_position - 1]], device=device)
        token_ids = torch.tensor([text.token_ids[-1:]], device=device)
        logits = self._forward(self._embedded(token_ids), position, None, cache)
        for shared, alone in zip(_states(self._cache), _states(cache), strict=True):
            for half, exact in zip(shared, alone, strict=True):
                half[place, :, -1] = exact[0, :, -1]
        text.candidates = Candidates(logits, of_shared_pass=False), 0
        text.passes += 1

    def _place_of(self, text: "SharedGeneration") -> int | None:
        return next((place for place, row in enumerate(self._rows) if row.text is text), None)

    def _cache_of(self, states: Iterable[Iterable[Tensor]]) -> DynamicCache:
        """Make a cache with the given keys and values of each layer."""
        cache = make_cache(self._model.config.text_config, self._model.device)
        for index, (keys, values) in enumerate(states):
            cache.update(keys, values, index)
        return cache

    def _embedded(self, token_ids: Tensor) -> Tensor:
        embeddings: Tensor = self._model.get_input_embeddings()(token_ids)
        return embeddings

    def _forward(
        self, embeddings: Tensor, positions: Tensor, mask: Tensor | None, cache: DynamicCache
    ) -> Tensor:
        """Return the logits after the last token of each row; without a mask, attention is causal."""
        output: Any = self._model(
            inputs_embeds=embeddings,
            position_ids=positions,
            attention_mask={"full_attention": mask},
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits


class SharedGeneration(GreedyText):
    """A text that is generated in a batch: iterates over its token ids.

    Yields None while it waits for the next pass of the batch, and leaves the batch when it ends.

    Args:
        batch: the batch to generate it in.
        rules: when to stop and what not to repeat.
        cancel: checked before the prefill and before every pass.

    Attributes:
        candidates: candidates for the next token, and the row of this text; set by the batch. None while
            it waits.
    """

    def __init__(self, batch: Batch, rules: GenerationRules, cancel: threading.Event) -> None:
        super().__init__(rules, cancel)
        self.candidates: tuple[Candidates, int] | None = None
        self._batch = batch

    def prefill(self, prompt: Prompt) -> None:
        """Prefill the prompt, unless it has already been cancelled."""
        self.begin_at(prompt.next_position)
        if not self.check_end():
            self._batch.begin(self, prompt)

    def close(self) -> None:
        """Leave the batch, if it is in it, even before its first token.

        A text that has come to its end is not lost for lack of memory: it leaves with the next one.
        """
        try:
            self._batch.leave(self)
        except (RuntimeError, MemoryError) as error:
            if self.stop_reason is None or not is_out_of_memory(error):
                raise

    def __iter__(self) -> Generator[int | None, None, None]:
        try:
            while not self.check_end():
                while self.candidates is None:
                    yield None
                if not self.choose(*self.candidates):
                    self._batch.feed_alone(self)
                    self.choose(*self.candidates)
                self.candidates = None
                if self.stop_reason is None:
                    yield self.token_ids[-1]
        finally:
            self.close()


@dataclass(slots=True)
class _Row:
    """A text in the batch, how many tokens it has in the cache, and the position of its next one."""

    text: SharedGeneration
    length: int
    next_position: int


def _states(cache: DynamicCache) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the keys and values of each layer, (B, heads, width, head width)."""
    layers: Any = cache.layers
    for layer in layers:
        yield layer.keys, layer.values


def _stacked(above: Tensor, below: Tensor) -> Tensor:
    """Concatenate the rows of both, right-aligned and padded with zeros on the left."""
    width = max(above.shape[2], below.shape[2])
    return torch.cat([pad(states, (0, 0, width - states.shape[2], 0)) for states in (above, below)])
