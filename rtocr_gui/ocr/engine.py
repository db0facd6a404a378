"""Reads pages: the one object that holds a model.

Synchronous: whoever calls it decides on which thread that happens, always on one at a time. Encoded
pages are kept (bounded in bytes), so that a page is read again at another retention without encoding
it again; so is what was said of them, which is the draft of the next reading. Knows no window;
everything it gives is plain and frozen.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from traceback import clear_frames

import numpy as np
import torch
from numpy.typing import NDArray

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.attention import LAYERS, trace_reading
from rtocr_gui.ocr.batching import Batch, SharedGeneration, pages_at_once
from rtocr_gui.ocr.cache import ByteBoundedCache
from rtocr_gui.ocr.checkpoint import Checkpoint, load_checkpoint
from rtocr_gui.ocr.cost import prefill_cost
from rtocr_gui.ocr.decoding import Decoder, GreedyGeneration, Prompt, build_prompt
from rtocr_gui.ocr.devices import find_spots, free_bytes, give_memory_back, is_out_of_memory, place
from rtocr_gui.ocr.drafting import Drafter, EarlierTexts, pass_cost
from rtocr_gui.ocr.fit import DoesNotFit, Fit, judge_fit
from rtocr_gui.ocr.folder import check_folder, describe, inspect_checkpoint
from rtocr_gui.ocr.gentler import after_a_loop
from rtocr_gui.ocr.greedy import GenerationRules
from rtocr_gui.ocr.headroom import Headroom
from rtocr_gui.ocr.markup import parse_blocks, strip_grounding
from rtocr_gui.ocr.memory import View
from rtocr_gui.ocr.page_encoder import Encoding, PageEncoder, PageKey, wait_for
from rtocr_gui.ocr.pages_together import PageEvent, PageRequest, Steps, read_together
from rtocr_gui.ocr.reading import (
    EncodedPage,
    LoadedModel,
    PrefillCost,
    Reading,
    ReadingEvent,
    ReadingTrace,
    ReadSettings,
    Scaling,
    Stage,
    StageTimings,
    StopReason,
    Task,
)
from rtocr_gui.ocr.threads import decoding_threads, usable_cpus
from rtocr_gui.ocr.tokenizer import spell
from rtocr_gui.ocr.transcript import Transcript
from rtocr_gui.pruning.plan import PruneMethod, PrunePlan, plan_pruning
from rtocr_gui.pruning.transport import apply_plan

CACHE_BYTES = 256 * 2**20
"""Encoded pages that are kept, unless told otherwise: of the published model in float32, some 90 in Large,
and 20 to 80 in Gundam."""

TEXT_BYTES = 32 * 2**20
"""Texts that are kept as drafts: of some 30 pages at the greatest length and many ratios, of hundreds as a
rule."""

_TOKEN_BYTES = 8

_Generation = GreedyGeneration | SharedGeneration


class Engine:
    """Loads a checkpoint, encodes pages and reads them.

    Args:
        threads: CPU threads for the arithmetic; None for torch's own choice, but not more than this
            process may use.
        cache_bytes: most bytes of encoded pages to keep.
    """

    def __init__(self, threads: int | None = None, cache_bytes: int = CACHE_BYTES) -> None:
        self._encoding_threads = threads or min(torch.get_num_threads(), usable_cpus())
        self._checkpoint: Checkpoint | None = None
        self._encoder = PageEncoder(self._encoding_threads, cache_bytes)
        self._texts: ByteBoundedCache[tuple[PageKey, Task], EarlierTexts] = ByteBoundedCache(TEXT_BYTES)

    def fit(
        self, folder: Path, device: str = "auto", precision: str = "auto", scaling: Scaling | None = None
    ) -> Fit:
        """Tell whether a model would fit into memory in place of the one that is loaded.

        Args:
            folder: in the official layout.
            device: as for `load`.
            precision: as for `load`.
            scaling: as for `load`.

        Raises:
            CheckpointError: the folder cannot be used.
            SettingsError: this computer has no such device, or that no such precision.
        """
        checked = check_folder(folder)
        info, held = describe(checked), self._checkpoint

        def free(device: torch.device) -> int:
            if held is None or _number(held.model.device) != _number(device):
                return free_bytes(device)
            return free_bytes(device) + held.info.parameter_count * held.model.dtype.itemsize

        placement = place(device, precision, info.parameter_count)
        spot, *others = find_spots(placement, info.parameter_count, free)
        return judge_fit(info, checked.architecture, scaling, spot, others)

    def load(
        self,
        folder: Path,
        device: str = "auto",
        precision: str = "auto",
        scaling: Scaling | None = None,
        anyway: bool = False,
    ) -> LoadedModel:
        """Load a checkpoint in place of the one that was loaded.

        Args:
            folder: in the official layout.
            device: "auto", "cpu", "cuda", "cuda:1", "mps", ...
            precision: "auto", "float32", "float16" or "bfloat16".
            scaling: in which pages shall be read; None to ask only for what the least mode takes.
            anyway: load also what seems not to fit into memory.

        Returns:
            What was loaded, and where it runs.

        Raises:
            DoesNotFit: less memory is free than is needed, and the former model stays.
            CheckpointError: the folder cannot be used, and the former model stays; or the memory does
                not suffice, and no model is loaded.
            SettingsError: this computer has no such device, or that no such precision; the former model
                stays.
        """
        started = time.perf_counter()
        placement = place(device, precision, inspect_checkpoint(folder).parameter_count)
        fit = self.fit(folder, device, precision, scaling)
        if not (fit.fits or anyway):
            raise DoesNotFit(fit)
        self.unload()
        torch.set_num_threads(self._encoding_threads)
        self._checkpoint = load_checkpoint(folder, placement.device, placement.dtype)
        return LoadedModel(
            info=self._checkpoint.info,
            device=str(placement.device),
            dtype=placement.dtype_name,
            load_ms=_ms_since(started),
            why=placement.why,
            pages_at_once=pages_at_once(self._checkpoint.model, self._checkpoint.architecture.decoder),
        )

    @property
    def is_loaded(self) -> bool:
        """True while there is a model."""
        return self._checkpoint is not None

    def unload(self) -> None:
        """Forget the model, all encoded pages and what was said of them, and give their memory back."""
        device = self._checkpoint.model.device if self._checkpoint else torch.device("cpu")
        self._checkpoint = None
        self._encoder.forget()
        self._texts.clear()
        give_memory_back(device)

    def encode(self, page: PageImage, scaling: Scaling) -> EncodedPage:
        """Encode and measure a page, or give what is kept of it.

        Args:
            page: as it was rendered; another resolution is another encoding.
            scaling: how to scale it.

        Returns:
            Everything a plan needs.

        Raises:
            ReadingError: no model is loaded, or the model failed on this page.
            PruningError: the model gave tokens that cannot be measured.
        """
        checkpoint = self._loaded()
        with self._failures_in_words(page, scaling):
            key = self._encoder.key_of(checkpoint, page, scaling)
            Headroom(checkpoint).check(page, _view(key), self._encoder.keeps(key))
            return self._encoder.encode(checkpoint, page, scaling)[0].page

    def read(
        self,
        page: PageImage,
        settings: ReadSettings,
        cancel: threading.Event,
        draft: Sequence[int] | None = None,
    ) -> Iterator[ReadingEvent]:
        """Read a page, stage by stage.

        Args:
            page: as it was rendered.
            settings: scaling, task, retention and limits.
            cancel: stops the reading before the next pass of the decoder; an encoding under way is finished.
            draft: token ids of a similar text, which make the reading quicker and change nothing else;
                None for what was said of this page at the nearest retention, empty for none.

        Yields:
            Each stage as it begins, the encoded page, the text as it comes, and last the reading.

        Raises:
            ReadingError: no model is loaded, or the model failed on this page; the engine can go on
                with another one.
            PruningError: the model gave tokens that cannot be measured.
        """
        checkpoint = self._loaded()

        def generate(rules: GenerationRules, earlier: Sequence[int]) -> GreedyGeneration:
            drafter = _drafter(checkpoint, earlier if draft is None else draft)
            return GreedyGeneration(Decoder(checkpoint.model), rules, cancel, drafter)

        for event in self._stages(page, settings, generate):
            if event is not None:
                yield event

    def read_together(
        self, requests: Iterable[PageRequest | None], most: int | None = None
    ) -> Iterator[tuple[PageRequest, PageEvent]]:
        """Read several pages at a time; each gives what it gives by itself.

        A page that was read before does not wait for the others: what it said is its draft.

        Args:
            requests: asked for the next one whenever there is room, so that pages can be rendered late; None
                where none is there yet. One that is cancelled before it begins is left out.
            most: how many pages are read at a time; None for as many as this device reads best, and no
                more than its memory holds.

        Yields:
            Which page, and what happened to it, as `read` tells it; a page that fails ends with
            `PageFailed`, and the others go on.

        Raises:
            ReadingError: no model is loaded.
        """
        checkpoint = self._loaded()
        batch, sizes = Batch(checkpoint.model), checkpoint.architecture.decoder
        limit = pages_at_once(checkpoint.model, sizes, most)

        def begin(request: PageRequest) -> Steps:
            def generate(rules: GenerationRules, earlier: Sequence[int]) -> _Generation:
                if earlier or limit == 1:
                    drafter = _drafter(checkpoint, earlier)
                    return GreedyGeneration(Decoder(checkpoint.model), rules, request.cancel, drafter)
                return SharedGeneration(batch, rules, request.cancel)

            return self._stages(request.page, request.settings, generate)

        yield from read_together(requests, begin, batch, limit)

    def trace(
        self, page: PageImage, settings: ReadSettings, token_ids: Sequence[int], cancel: threading.Event
    ) -> ReadingTrace | None:
        """Find out where a reading was looked up on its page, in a second pass over the finished text.

        Args:
            page: as it was read.
            settings: of the reading.
            token_ids: what it said.
            cancel: checked every few hundred tokens; an encoding under way is finished.

        Returns:
            The attention to the page, token by token; None where it was cancelled.

        Raises:
            ReadingError: no model is loaded, another one said this, or the model failed on this page.
            PruningError: the model gave tokens that cannot be measured.
        """
        checkpoint, started = self._loaded(), time.perf_counter()
        sizes = checkpoint.architecture.decoder
        if max(token_ids, default=0) >= sizes.vocabulary:
            raise ReadingError(f"{page.ref.label} was read by another model. Read it again.")
        with self._failures_in_words(page, settings.scaling):
            encoding, _ = self._encode(page, settings)
            plan = plan_pruning(encoding.page.layout, encoding.page.measures, settings.pruning)
            prompt = _build_prompt(checkpoint, encoding, plan, settings)
            columns = torch.from_numpy(_kept_places(plan)).to(checkpoint.model.device)
            torch.set_num_threads(decoding_threads(sizes.width, self._encoding_threads))
            rows = trace_reading(checkpoint.model, prompt, token_ids, columns, cancel)
        if rows is None:
            return None
        attention = np.zeros((len(token_ids), len(plan.norms)), dtype=np.float32)
        attention[:, plan.kept] = rows.numpy()
        raw_text, offsets = spell(checkpoint.tokenizer, token_ids)
        return ReadingTrace(
            ref=page.ref,
            settings=settings,
            raw_text=raw_text,
            offsets=offsets,
            attention=attention,
            layers=min(LAYERS, sizes.layers),
            trace_ms=_ms_since(started),
        )

    def _stages(
        self,
        page: PageImage,
        settings: ReadSettings,
        generate: Callable[[GenerationRules, Sequence[int]], _Generation],
    ) -> Steps:
        """Read a page, stage by stage.

        Args:
            page: as it was rendered.
            settings: scaling, task, retention and limits.
            generate: makes a text by the rules, given what was said of this page at the nearest retention.

        Yields:
            What `read` yields; None while the text waits for others.
        """
        checkpoint = self._loaded()
        with self._failures_in_words(page, settings.scaling, settings):
            yield Stage.ENCODE
            encoding, is_new = self._encode(page, settings)
            yield encoding.page

            yield Stage.PRUNE
            started = time.perf_counter()
            plan = plan_pruning(encoding.page.layout, encoding.page.measures, settings.pruning)
            prompt = _build_prompt(checkpoint, encoding, plan, settings)
            wait_for(checkpoint.model.device)
            prune_ms = _ms_since(started) + (encoding.page.measures.measure_ms if is_new else 0.0)

            yield Stage.PREFILL
            started = time.perf_counter()
            kept, key = len(plan.kept), (encoding.key, settings.task)
            texts = self._texts.get(key) or EarlierTexts()
            sizes = checkpoint.architecture.decoder
            torch.set_num_threads(decoding_threads(sizes.width, self._encoding_threads))
            generation = generate(_rules(checkpoint, settings), texts.nearest(kept))
            generation.prefill(prompt)
            wait_for(checkpoint.model.device)
            prefill_ms = _ms_since(started)

            yield Stage.DECODE
            transcript = Transcript(checkpoint.tokenizer, generation)
            yield from transcript.deltas()
            if plan.method is PruneMethod.RTPRUNE:  # what a baseline made of a page is no good draft
                texts.add(kept, generation.token_ids, generation.stop_reason is not StopReason.CANCELLED)
                self._texts.put(key, texts, _TOKEN_BYTES * texts.token_count)
            said = generation.token_ids[: generation.loop.start if generation.loop else None]
            raw_text = spell(checkpoint.tokenizer, said)[0] if generation.loop else transcript.text
            yield Reading(
                ref=page.ref,
                settings=settings,
                mode=encoding.page.mode,
                model_name=checkpoint.info.name,
                raw_text=raw_text,
                text=strip_grounding(raw_text, settings.task),
                token_ids=tuple(said),
                stop_reason=generation.stop_reason or StopReason.CANCELLED,
                plan=plan,
                cost=_prefill_cost(checkpoint, len(prompt.position_ids)),
                cost_of_all=_prefill_cost(checkpoint, prompt.next_position),
                passes=generation.passes,
                timings=StageTimings(
                    encode_ms=encoding.page.encode_ms if is_new else 0.0,
                    prune_ms=prune_ms,
                    prefill_ms=prefill_ms,
                    decode_ms=transcript.decode_ms + generation.shared_ms,
                ),
                blocks=parse_blocks(raw_text, settings.task),
                retry=after_a_loop(settings, _view(encoding.key), checkpoint.info.modes)
                if generation.loop
                else None,
            )

    def _loaded(self) -> Checkpoint:
        if self._checkpoint is None:
            raise ReadingError("No model is loaded. Choose a model first.")
        return self._checkpoint

    def _encode(self, page: PageImage, settings: ReadSettings) -> tuple[Encoding, bool]:
        checkpoint = self._loaded()
        key = self._encoder.key_of(checkpoint, page, settings.scaling)
        Headroom(checkpoint).check(page, _view(key), self._encoder.keeps(key), settings)
        return self._encoder.encode(
            checkpoint, page, settings.scaling, settings.pruning.method.needs_cls_attention
        )

    @contextmanager
    def _failures_in_words(
        self, page: PageImage, scaling: Scaling, settings: ReadSettings | None = None
    ) -> Iterator[None]:
        """Turn what torch raises into a sentence about this page; the engine stays usable.

        Args:
            page: that is worked on.
            scaling: how it is scaled.
            settings: what is asked of it, where gentler ones are to be offered.
        """
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise ReadingError(
                    f"The model failed on {page.ref.label}. Read it again; if that does not help, choose "
                    "another mode or device."
                ) from error
            clear_frames(error.__traceback__)  # they hold what was computed so far
            checkpoint = self._loaded()
            view = _view(self._encoder.key_of(checkpoint, page, scaling))
            self._encoder.forget()
            raise Headroom(checkpoint).refusal(page, view, settings) from error


def _number(device: torch.device) -> tuple[str, int]:
    return device.type, device.index or 0


def _view(key: PageKey) -> View:
    _, mode, (across, down) = key
    return View(mode, across * down)


def _build_prompt(
    checkpoint: Checkpoint, encoding: Encoding, plan: PrunePlan, settings: ReadSettings
) -> Prompt:
    """Apply the plan and put the page into the prompt of the task."""
    tokenizer = checkpoint.tokenizer
    prompt = build_prompt(
        checkpoint.model,
        before=[tokenizer.start_id],
        visual_tokens=apply_plan(encoding.tokens, plan),
        selected=plan.selected,
        visual_length=len(plan.layout),
        after=tokenizer.encode(settings.task.prompt),
    )
    room = checkpoint.architecture.decoder.context_length
    if prompt.next_position >= room:
        raise ReadingError(
            f"{encoding.page.mode.value.capitalize()} mode makes {prompt.next_position} tokens of the page, "
            f"but this model takes {room} in all. Choose a smaller mode."
        )
    return prompt


def _drafter(checkpoint: Checkpoint, draft: Sequence[int]) -> Drafter:
    on_cpu = checkpoint.model.device.type == "cpu"
    return Drafter(draft, partial(pass_cost, checkpoint.architecture.decoder, on_cpu=on_cpu))


def _kept_places(plan: PrunePlan) -> NDArray[np.int64]:
    """(K,) where the kept tokens stand in a prompt, in which one token comes before the page."""
    return 1 + np.searchsorted(plan.selected, plan.layout.prunable[plan.kept])


def _prefill_cost(checkpoint: Checkpoint, prompt_tokens: int) -> PrefillCost:
    return prefill_cost(checkpoint.architecture.decoder, prompt_tokens, checkpoint.model.dtype.itemsize)


def _rules(checkpoint: Checkpoint, settings: ReadSettings) -> GenerationRules:
    ban = settings.ngram_ban
    return GenerationRules(
        end_id=checkpoint.tokenizer.end_id if settings.stop_at_end else None,
        max_new_tokens=settings.max_new_tokens,
        context_length=checkpoint.architecture.decoder.context_length,
        ngram_size=ban.size if ban else 0,
        ngram_window=ban.window if ban else 0,
        allowed_ids=checkpoint.tokenizer.token_ids(ban.allowed_tokens) if ban else frozenset(),
    )


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
