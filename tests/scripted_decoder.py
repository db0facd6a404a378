"""A decoder that says what a test wants, and a generation from its beginning to its end."""

import threading
from collections.abc import Sequence

import torch
from torch import Tensor

from rtocr_gui.ocr.decoder.decoding import GreedyGeneration, Prompt
from rtocr_gui.ocr.decoder.drafting import Drafter
from rtocr_gui.ocr.decoder.greedy import GenerationRules

BEGINNING = Prompt(torch.zeros(4, 2), torch.arange(4), next_position=10)
"""A prompt of ten positions, four of which were kept."""


class ScriptedDecoder:
    """Wants to say a given text, whatever it is fed; every token has its own fallback."""

    def __init__(self, wanted: Sequence[int]) -> None:
        self.next_position = 0
        self.fed: list[int] = []
        self._wanted = wanted
        self._fallback = torch.zeros(1000)
        self._fallback[-10:] = torch.linspace(0.1, 1, 10)

    def prefill(self, prompt: Prompt) -> Tensor:
        self.next_position = prompt.next_position
        return self._logits()

    def feed(self, token_ids: Sequence[int]) -> Tensor:
        rows = []
        for token_id in token_ids:
            self.fed.append(token_id)
            self.next_position += 1
            rows.append(self._logits())
        return torch.stack(rows)

    def take_back(self, count: int) -> None:
        del self.fed[-count:]
        self.next_position -= count

    def _logits(self) -> Tensor:
        logits = self._fallback.clone()
        logits[self._wanted[len(self.fed) % len(self._wanted)]] = 2
        return logits


def run_to_end(
    decoder: object,
    rules: GenerationRules,
    cancel: threading.Event | None = None,
    drafter: Drafter | None = None,
) -> GreedyGeneration:
    """Let a decoder say all that it wants to and may."""
    generation = GreedyGeneration(decoder, rules, cancel or threading.Event(), drafter)  # type: ignore[arg-type]
    generation.prefill(BEGINNING)
    for _ in generation:
        pass
    return generation
