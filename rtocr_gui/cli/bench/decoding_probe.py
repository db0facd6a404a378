"""Times each stage of reading a page, and compares decoding with stock transformers.

All ways of decoding are measured in turn, round by round, so that other work on the machine affects them
equally, and medians are reported. The bare loop is the stock model and an argmax, nothing else: the least
that decoding costs unless the model is called differently. Knows torch and the model; no table and no file.
"""

import importlib.metadata
import os
import platform
import statistics
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.decoder.decoding import Decoder, GreedyGeneration, Prompt
from rtocr_gui.ocr.machine.clock import ms_since
from rtocr_gui.ocr.machine.threads import decoding_threads
from rtocr_gui.ocr.model.checkpoint import Checkpoint
from rtocr_gui.ocr.page_stages import generation_rules, make_drafter, page_prompt
from rtocr_gui.ocr.reading import Mode, ReadSettings, Scaling, Task
from rtocr_gui.ocr.vision.encoding import encode_views
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.ocr.vision.views import make_views
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.plan import PruneSettings, TokenMeasures, plan_pruning
from rtocr_gui.pruning.sending import send
from rtocr_gui.pruning.transport import apply_plan

RATIOS = (1.0, 0.8425, 0.5)
"""All tokens, the ratio of the paper's published figures, and half."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure.

    Attributes:
        mode: how the page is scaled.
        task: what the model is asked for.
        tokens: number of tokens to decode, at least 2; the text continues past its end.
        rounds: number of rounds that count, after one warm-up round.
        threads: CPU threads for encoding; a narrow decoder uses one.
    """

    mode: Mode
    task: Task
    tokens: int
    rounds: int
    threads: int


@dataclass(frozen=True, slots=True)
class _Decoded:
    """The result of one run of one way of decoding.

    Attributes:
        token_ids: the generated tokens.
        prefill_ms: time until the first of them could be chosen.
        decode_ms: time from then on.
        passes: decoder passes after the prefill.
    """

    token_ids: Sequence[int]
    prefill_ms: float
    decode_ms: float
    passes: int


class DecodingProbe:
    """Measures one page with one model.

    Args:
        checkpoint: the loaded model.
        page: the page to read.
        wanted: what to measure.
    """

    def __init__(self, checkpoint: Checkpoint, page: PageImage, wanted: Wanted) -> None:
        self._checkpoint = checkpoint
        self._model = checkpoint.model
        self._sizes = checkpoint.architecture.decoder
        self._device = checkpoint.model.device
        self._wanted = wanted
        self._views = make_views(page.image, wanted.mode)
        self._layout = build_layout(wanted.mode, self._views.page_size_px, self._views.crop_wh)
        length = 1 + len(self._layout) + len(checkpoint.tokenizer.encode(wanted.task.prompt))
        if length + wanted.tokens > self._sizes.context_length:
            raise SettingsError(
                f"{wanted.mode.label} mode makes {length} tokens of the page, and the model "
                f"takes {self._sizes.context_length} in all. Choose a smaller mode, or fewer tokens."
            )

    def measure(self, say: Say) -> dict[str, Any]:
        """Measure everything.

        Args:
            say: receives what is being measured.

        Returns:
            The figures as plain data.
        """
        times: dict[str, list[float]] = defaultdict(list)
        decoded: dict[str, list[_Decoded]] = defaultdict(list)
        for number in range(self._wanted.rounds + 1):
            is_warm = number > 0
            say(f"round {number} of {self._wanted.rounds}" if is_warm else "warming up")
            tokens, encode_ms = self._encode()
            measures, prune_ms = self._prune(tokens)
            torch.set_num_threads(decoding_threads(self._sizes.width, self._wanted.threads))
            prompts = {ratio: self._prompt_at(tokens, measures, ratio) for ratio in RATIOS}
            prefills = {ratio: self._prefill(prompt) for ratio, prompt in prompts.items()}
            for way, decode in self._ways(prompts[RATIOS[0]]).items():
                say(f"round {number} of {self._wanted.rounds}, {way}")
                run = decode()
                if is_warm:
                    decoded[way].append(run)
            if is_warm:
                times["encode"].append(encode_ms)
                times["prune"].append(prune_ms)
                for ratio, prefill_ms in prefills.items():
                    times[f"prefill {ratio}"].append(prefill_ms)
        medians = {name: statistics.median(measured) for name, measured in times.items()}
        all_tokens_ms = medians[f"prefill {RATIOS[0]}"]
        return {
            "mode": self._wanted.mode.value,
            "tokens": self._wanted.tokens,
            "rounds": self._wanted.rounds,
            "encode_ms": medians["encode"],
            "prune": {
                "ms": medians["prune"],
                "synchronisations": self._synchronisations(tokens),
            },
            "prefill": [
                {
                    "retention": ratio,
                    "prompt_tokens": len(prompt.position_ids),
                    "ms": medians[f"prefill {ratio}"],
                    "speed_up": all_tokens_ms / medians[f"prefill {ratio}"],
                }
                for ratio, prompt in prompts.items()
            ],
            "decode": _decode_figures(decoded),
        }

    def _encode(self) -> tuple[Tensor, float]:
        torch.set_num_threads(self._wanted.threads)
        views = replace(self._views)  # not yet normalised, which is part of encoding
        started = time.perf_counter()
        tokens = encode_views(self._model, views)
        return tokens, ms_since(started, self._device)

    def _prune(self, tokens: Tensor) -> tuple[TokenMeasures, float]:
        """Time the whole pruning step, from the visual tokens to the surviving ones."""
        started = time.perf_counter()
        prunable = tokens[send(self._layout.prunable, tokens.device)]
        measures = measure_tokens(prunable, self._views.normalised_global_view)
        apply_plan(tokens, plan_pruning(self._layout, measures, PruneSettings(RATIOS[1])))
        return measures, ms_since(started, self._device)

    def _prompt_at(self, tokens: Tensor, measures: TokenMeasures, ratio: float) -> Prompt:
        plan = plan_pruning(self._layout, measures, PruneSettings(ratio))
        return page_prompt(self._checkpoint, tokens, plan, self._wanted.task)

    def _prefill(self, prompt: Prompt) -> float:
        started = time.perf_counter()
        Decoder(self._model).prefill(prompt)
        return ms_since(started, self._device)

    def _ways(self, prompt: Prompt) -> dict[str, Callable[[], _Decoded]]:
        """Return the ways to decode by name; each generates a text from the same prompt."""
        return {
            "bare loop": partial(self._decode_bare, prompt),
            "stock generate": partial(self._decode_stock, prompt),
            "rtocr": partial(self._decode_ours, prompt, None),
            "rtocr, guessing": partial(self._decode_ours, prompt, ()),
        }

    @torch.inference_mode()
    def _decode_bare(self, prompt: Prompt) -> _Decoded:
        started = time.perf_counter()
        output: Any = self._model(**_stock_inputs(prompt), use_cache=True, logits_to_keep=1)
        token = output.logits[:, -1].argmax(dim=-1, keepdim=True)
        prefill_ms = ms_since(started, self._device)
        chosen = [token]
        started = time.perf_counter()
        for place in range(self._wanted.tokens - 1):
            position = torch.full_like(token, prompt.next_position + place)
            cache = output.past_key_values
            output = self._model(
                input_ids=token, position_ids=position, past_key_values=cache, use_cache=True
            )
            token = output.logits[:, -1].argmax(dim=-1, keepdim=True)
            chosen.append(token)
        decode_ms = ms_since(started, self._device)
        token_ids = torch.cat(chosen, dim=1)[0].tolist()
        return _Decoded(token_ids, prefill_ms, decode_ms, len(token_ids) - 1)

    def _decode_stock(self, prompt: Prompt) -> _Decoded:
        """Time `generate` as a whole; its time for one token counts as the prefill."""
        _, prefill_ms = self._generate(prompt, 1)
        token_ids, whole_ms = self._generate(prompt, self._wanted.tokens)
        return _Decoded(token_ids, prefill_ms, whole_ms - prefill_ms, len(token_ids) - 1)

    def _generate(self, prompt: Prompt, tokens: int) -> tuple[list[int], float]:
        model: Any = self._model
        started = time.perf_counter()
        generated = model.generate(
            **_stock_inputs(prompt),
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=self._checkpoint.tokenizer.end_id,
        )
        generated_ms = ms_since(started, self._device)
        return generated[0].tolist(), generated_ms

    def _decode_ours(self, prompt: Prompt, draft: Sequence[int] | None) -> _Decoded:
        settings = ReadSettings(
            Scaling(self._wanted.mode),
            self._wanted.task,
            PruneSettings(RATIOS[0]),
            max_new_tokens=self._wanted.tokens,
            stop_at_end=False,
        )
        rules = generation_rules(self._checkpoint, settings)
        drafter = None if draft is None else make_drafter(self._checkpoint, draft)
        generation = GreedyGeneration(Decoder(self._model), rules, threading.Event(), drafter)
        started = time.perf_counter()
        generation.prefill(prompt)
        prefill_ms = ms_since(started, self._device)
        started = time.perf_counter()
        token_ids = list(generation)
        return _Decoded(token_ids, prefill_ms, ms_since(started, self._device), generation.passes)

    def _synchronisations(self, tokens: Tensor) -> int | None:
        """Count how often the pruning step waits for the device; None if the device is not a CUDA GPU."""
        if self._device.type != "cuda":
            return None
        with counted_synchronisations() as waits:
            self._prune(tokens)
        return len(waits)


def describe_machine(device: torch.device, wanted: Wanted, decoder_width: int) -> dict[str, Any]:
    """Describe what the figures were measured on."""
    accelerator = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "system": platform.platform(),
        "processor": _processor_name(),
        "cores": os.cpu_count(),
        "threads": {
            "encoding": wanted.threads,
            "decoding": decoding_threads(decoder_width, wanted.threads),
        },
        "device": str(device),
        "accelerator": accelerator or ("Apple GPU" if device.type == "mps" else None),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": importlib.metadata.version("transformers"),
    }


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, None) or platform.processor() or platform.machine()


def _stock_inputs(prompt: Prompt) -> dict[str, Tensor]:
    """Return the prompt as stock inputs, with an explicit mask: gaps would be taken for packed sequences."""
    return {
        "inputs_embeds": prompt.embeddings[None],
        "position_ids": prompt.position_ids[None],
        "attention_mask": torch.ones_like(prompt.position_ids)[None],
    }


def _decode_figures(decoded: dict[str, list[_Decoded]]) -> list[dict[str, Any]]:
    """Compute the medians of each way, compared with the bare loop and stock."""
    each_ms = {
        way: statistics.median(run.decode_ms / max(1, len(run.token_ids) - 1) for run in runs)
        for way, runs in decoded.items()
    }
    bare = decoded["bare loop"][-1].token_ids
    return [
        {
            "way": way,
            "batch": 1,
            "ms_per_token": each_ms[way],
            "tokens_per_second": 1000 / each_ms[way],
            "times_bare": each_ms["bare loop"] / each_ms[way],
            "times_stock": each_ms["stock generate"] / each_ms[way],
            "prefill_ms": statistics.median(run.prefill_ms for run in runs),
            "tokens": len(runs[-1].token_ids),
            "passes": runs[-1].passes,
            "tokens_like_bare": _common_length(bare, runs[-1].token_ids),
        }
        for way, runs in decoded.items()
    ]


def _common_length(left: Sequence[int], right: Sequence[int]) -> int:
    differing = (place for place, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1])
    return next(differing, min(len(left), len(right)))


@contextmanager
def counted_synchronisations() -> Iterator[list[str]]:
    """Collect PyTorch's warnings about operations that wait for CUDA; explicit waits are not included."""
    before = torch.cuda.get_sync_debug_mode()
    waits: list[str] = []
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield waits
        messages = (str(one.message) for one in caught)
        waits += [words for words in messages if "synchronizing CUDA operation" in words]
    finally:
        torch.cuda.set_sync_debug_mode(before)
