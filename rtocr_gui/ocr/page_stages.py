"""Takes a page through the stages of one model: encode, prune, prefill and decode.

Encodings are cached, so that a page can be read again at another retention without encoding it again; so are
its texts, which serve as drafts for the next reading. Refuses pages for which there is no memory, and turns
torch's errors into sentences. Knows no files, nor how texts share passes.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from traceback import clear_frames

import numpy as np
import torch
from torch import Tensor

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.decoder.attention import LAYERS, trace_reading
from rtocr_gui.ocr.decoder.batching import SharedGeneration
from rtocr_gui.ocr.decoder.cost import prefill_cost
from rtocr_gui.ocr.decoder.decoding import GreedyGeneration, Prompt, build_prompt
from rtocr_gui.ocr.decoder.drafting import Drafter, EarlierTexts, pass_cost
from rtocr_gui.ocr.decoder.greedy import GenerationRules
from rtocr_gui.ocr.decoder.repetition import ALLOWED_TOKENS, BYTES_PER_TOKEN, NGRAM_SIZE, NGRAM_WINDOW
from rtocr_gui.ocr.doubts import doubt_about
from rtocr_gui.ocr.machine.clock import ms_since
from rtocr_gui.ocr.machine.devices import is_out_of_memory
from rtocr_gui.ocr.machine.threads import decoding_threads
from rtocr_gui.ocr.memory.gentler import after_a_loop, smaller_views
from rtocr_gui.ocr.memory.headroom import Headroom
from rtocr_gui.ocr.memory.need import View
from rtocr_gui.ocr.model.checkpoint import Checkpoint
from rtocr_gui.ocr.model.tokenizer import end_of_character, spell
from rtocr_gui.ocr.pages_together import Steps
from rtocr_gui.ocr.reading import (
    Doubt,
    EncodedPage,
    PrefillCost,
    Reading,
    ReadingTrace,
    ReadSettings,
    Scaling,
    Stage,
    StageTimings,
    StopReason,
    Task,
)
from rtocr_gui.ocr.text.markup import parse_blocks, strip_grounding
from rtocr_gui.ocr.text.printed_blocks import move_to_print
from rtocr_gui.ocr.text.transcript import Transcript
from rtocr_gui.ocr.text.unsure_words import find_unsure_words, find_words
from rtocr_gui.ocr.vision.cache import ByteBoundedCache
from rtocr_gui.ocr.vision.page_encoder import Encoding, PageEncoder, PageKey
from rtocr_gui.pruning.plan import PruneMethod, PrunePlan, plan_pruning
from rtocr_gui.pruning.transport import apply_plan

TEXT_BYTES = 32 * 2**20
"""Size of the cache of texts to use as drafts: usually hundreds of pages, and about 60 at full length and
many ratios."""

Generation = GreedyGeneration | SharedGeneration
"""A text being generated, by itself or in passes shared with others."""


@dataclass(frozen=True, eq=False, slots=True)
class _Planned:
    """A page that is ready for its prefill."""

    encoding: Encoding
    plan: PrunePlan
    prompt: Prompt


class PageStages:
    """Takes pages through their stages, with one model.

    Args:
        checkpoint: the model.
        headroom: decides whether there is memory for a page beside the model.
        threads: CPU threads to use.
        cache_bytes: most bytes of encoded pages to keep.

    Attributes:
        checkpoint: as given.
    """

    def __init__(self, checkpoint: Checkpoint, headroom: Headroom, threads: int, cache_bytes: int) -> None:
        self.checkpoint = checkpoint
        self._headroom = headroom
        self._threads = threads
        self._encoder = PageEncoder(checkpoint, threads, cache_bytes)
        self._texts: ByteBoundedCache[tuple[PageKey, Task], EarlierTexts] = ByteBoundedCache(TEXT_BYTES)

    def encode(self, page: PageImage, scaling: Scaling) -> EncodedPage:
        """Encode and measure a page, or return its cached encoding; see `Engine.encode`."""
        with self._as_reading_error(page, scaling):
            return self._encode(page, scaling)[0].page

    def read(
        self,
        page: PageImage,
        settings: ReadSettings,
        generate: Callable[[GenerationRules, Sequence[int]], Generation],
    ) -> Steps:
        """Read a page, stage by stage.

        Args:
            page: the rendered page.
            settings: scaling, task, retention and limits.
            generate: makes a generation from the rules and this page's text at the nearest retention.

        Yields:
            What `Engine.read` yields; None while the text waits for others.
        """
        checkpoint = self.checkpoint
        with self._as_reading_error(page, settings.scaling, settings):
            yield Stage.ENCODE
            encoding, is_new = self._encode(page, settings.scaling, settings)
            yield encoding.page
            strokes = self._encoder.strokes_of(page) if settings.task.reads_all_print else 0

            yield Stage.PRUNE
            started = time.perf_counter()
            planned = self._plan(encoding, settings)
            prune_ms = ms_since(started, checkpoint.model.device)
            prune_ms += encoding.page.measures.measure_ms if is_new else 0.0

            yield Stage.PREFILL
            started = time.perf_counter()
            kept, key = len(planned.plan.kept), (encoding.key, settings.task)
            texts = self._texts.get(key) or EarlierTexts()
            sizes = checkpoint.architecture.decoder
            torch.set_num_threads(decoding_threads(sizes.width, self._threads))
            generation = generate(generation_rules(checkpoint, settings), texts.nearest(kept))
            with closing(generation):
                generation.prefill(planned.prompt)
                prefill_ms = ms_since(started, checkpoint.model.device)

                yield Stage.DECODE
                transcript = Transcript(checkpoint.tokenizer, generation)
                yield from transcript.deltas()
            if planned.plan.method is PruneMethod.RTPRUNE:  # a baseline's text is not a good draft
                texts.add(kept, generation.token_ids, generation.stop_reason is not StopReason.CANCELLED)
                self._texts.put(key, texts, texts.nbytes)
            timings = StageTimings(
                encode_ms=encoding.page.encode_ms if is_new else 0.0,
                prune_ms=prune_ms,
                prefill_ms=prefill_ms,
                decode_ms=transcript.decode_ms + generation.shared_ms,
                cached_ms=0.0 if is_new else encoding.page.encode_ms,
            )
            yield self._reading_of(page, settings, strokes, planned, generation, timings)

    def _reading_of(
        self,
        page: PageImage,
        settings: ReadSettings,
        strokes: int,
        planned: _Planned,
        generation: Generation,
        timings: StageTimings,
    ) -> Reading:
        """Return what became of a page whose text has ended."""
        checkpoint, plan, encoded = self.checkpoint, planned.plan, planned.encoding.page
        assert generation.stop_reason is not None, "the transcript ended before its text"
        token_ids = generation.token_ids
        if generation.loop_start is not None:
            token_ids = token_ids[: end_of_character(checkpoint.tokenizer, token_ids, generation.loop_start)]
        raw_text, offsets = spell(checkpoint.tokenizer, token_ids)
        probabilities = generation.probabilities[: len(token_ids)]
        retry = None
        if generation.stop_reason is StopReason.LOOP:
            retry = self._after_a_loop(page, settings, planned.encoding.key)
        text, blocks = strip_grounding(raw_text, settings.task), parse_blocks(raw_text, settings.task)
        if checkpoint.info.rough_boxes:
            blocks = move_to_print(blocks, text, page.image)
        words, unsure_words = find_words(text), tuple[tuple[int, int], ...]()
        if settings.task.reads_all_print:
            unsure_words = find_unsure_words(words, raw_text, offsets, probabilities, settings.task)
        reading = Reading(
            ref=page.ref,
            settings=settings,
            mode=encoded.mode,
            model_name=checkpoint.info.name,
            raw_text=raw_text,
            text=text,
            token_ids=tuple(token_ids),
            stop_reason=generation.stop_reason,
            retention=plan.retention,
            automatic=plan.automatic,
            kept=len(plan.kept),
            total=len(plan.norms),
            padding=int(plan.layout.padding.sum()),
            cost=_prefill_cost(checkpoint, len(planned.prompt.position_ids)),
            cost_of_all=_prefill_cost(checkpoint, planned.prompt.next_position),
            passes=generation.passes,
            timings=timings,
            blocks=blocks,
            retry=retry,
            cut_tokens=len(generation.token_ids) - len(token_ids),
            read_together=generation.shared_ms > 0,
            needs_large_print=checkpoint.info.needs_large_print,
            word_count=len(words),
            unsure_words=unsure_words,
            larger_mode=encoded.larger_mode,
        )
        return replace(reading, doubt=encoded.doubt or doubt_about(reading, strokes))

    def _after_a_loop(self, page: PageImage, settings: ReadSettings, key: PageKey) -> ReadSettings | None:
        def is_legible(view: View) -> bool:
            most_tiles = view.tiles or settings.scaling.most_tiles
            return self._encoder.print_of(page, most_tiles).is_legible_in(view.mode)

        return after_a_loop(settings, _view(key), self.checkpoint.info.modes, is_legible)

    def trace(
        self, page: PageImage, settings: ReadSettings, token_ids: Sequence[int], cancel: threading.Event
    ) -> ReadingTrace | None:
        """Trace where on its page a reading comes from; see `Engine.trace`."""
        checkpoint = self.checkpoint
        sizes = checkpoint.architecture.decoder
        if max(token_ids, default=0) >= sizes.vocabulary:
            raise ReadingError("This page was read by another model. Read it again.")
        with self._as_reading_error(page, settings.scaling):
            encoding, _ = self._encode(page, settings.scaling, settings)
            planned = self._plan(encoding, settings)
            # One token precedes the page.
            columns = torch.from_numpy(1 + planned.plan.kept_rows).to(checkpoint.model.device)
            torch.set_num_threads(decoding_threads(sizes.width, self._threads))
            rows = trace_reading(checkpoint.model, planned.prompt, token_ids, columns, cancel)
        if rows is None:
            return None
        attention = np.zeros((len(token_ids), len(planned.plan.norms)), dtype=np.float32)
        attention[:, planned.plan.kept] = rows.numpy()
        raw_text, offsets = spell(checkpoint.tokenizer, token_ids)
        return ReadingTrace(
            settings=settings,
            raw_text=raw_text,
            offsets=offsets,
            attention=attention,
            layers=min(LAYERS, sizes.layers),
        )

    def _encode(
        self, page: PageImage, scaling: Scaling, settings: ReadSettings | None = None
    ) -> tuple[Encoding, bool]:
        """Encode a page, or return its cached encoding and False."""
        with_cls_attention = settings is not None and settings.pruning.method.needs_cls_attention
        key = self._encoder.key_of(page, scaling)
        cached = self._encoder.cached(key, with_cls_attention)
        self._headroom.check(_view(key), cached is not None, settings)
        encoding = cached or self._encoder.encode(page, key, scaling, with_cls_attention)
        page_print = self._encoder.print_of(page, scaling.most_tiles)
        doubt, larger_mode = page_print.doubt_in(key.mode), None
        if doubt is Doubt.SMALL_PRINT:
            larger_mode = page_print.larger_mode(key.mode, self.checkpoint.info.modes)
        judged = replace(encoding.page, doubt=doubt, larger_mode=larger_mode)
        return replace(encoding, page=judged), cached is None

    def _plan(self, encoding: Encoding, settings: ReadSettings) -> _Planned:
        plan = plan_pruning(encoding.page.layout, encoding.page.measures, settings.pruning)
        prompt = page_prompt(self.checkpoint, encoding.tokens, plan, settings.task)
        room = self.checkpoint.architecture.decoder.context_length
        if prompt.next_position >= room:  # merged tokens count too
            is_smallest = not any(smaller_views(_view(encoding.key), self.checkpoint.info.modes))
            raise ReadingError(
                f"{encoding.page.mode.label} mode makes {prompt.next_position} tokens of the page, "
                f"but this model takes {room} in all. "
                f"Choose {'another model' if is_smallest else 'a smaller mode'}."
            )
        return _Planned(encoding, plan, prompt)

    @contextmanager
    def _as_reading_error(
        self, page: PageImage, scaling: Scaling, settings: ReadSettings | None = None
    ) -> Iterator[None]:
        """Turn what torch raises into a sentence about this page; the engine stays usable.

        Args:
            page: the page being processed.
            scaling: how it is scaled.
            settings: the requested settings, if gentler ones should be offered.
        """
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise ReadingError(
                    "The model failed on this page. Read it again; if that does not help, choose another "
                    "mode or device."
                ) from error
            clear_frames(error.__traceback__)  # they keep what was computed so far alive
            self._encoder.forget()
            raise self._headroom.refusal(self._view_of(page, scaling), settings) from error

    def _view_of(self, page: PageImage, scaling: Scaling) -> View:
        """How a page is shown; in Auto, without the memory to measure its print, as in the first mode."""
        try:
            return _view(self._encoder.key_of(page, scaling))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return View(self.checkpoint.info.modes[0])


def _view(key: PageKey) -> View:
    across, down = key.crop_wh
    return View(key.mode, across * down)


def page_prompt(checkpoint: Checkpoint, tokens: Tensor, plan: PrunePlan, task: Task) -> Prompt:
    """Apply a plan to the (n, D) visual sequence of a page, and put the result into the prompt of a task."""
    return build_prompt(
        checkpoint.model,
        before=[checkpoint.tokenizer.start_id],
        visual_tokens=apply_plan(tokens, plan),
        selected=plan.selected,
        visual_length=len(plan.layout),
        after=checkpoint.tokenizer.encode(task.prompt),
    )


def _prefill_cost(checkpoint: Checkpoint, prompt_tokens: int) -> PrefillCost:
    return prefill_cost(checkpoint.architecture.decoder, prompt_tokens, checkpoint.model.dtype.itemsize)


def make_drafter(checkpoint: Checkpoint, draft: Sequence[int]) -> Drafter:
    """Make a drafter with the cost of guesses on the model's device."""
    on_cpu = checkpoint.model.device.type == "cpu"
    return Drafter(draft, partial(pass_cost, checkpoint.architecture.decoder, on_cpu=on_cpu))


def generation_rules(checkpoint: Checkpoint, settings: ReadSettings) -> GenerationRules:
    """Return the generation rules that follow from the settings and the model."""
    tokenizer = checkpoint.tokenizer
    scale = BYTES_PER_TOKEN if tokenizer.is_of_bytes else 1
    return GenerationRules(
        end_id=tokenizer.end_id if settings.stop_at_end else None,
        max_new_tokens=settings.max_new_tokens,
        context_length=checkpoint.architecture.decoder.context_length,
        ngram_size=NGRAM_SIZE * scale,
        ngram_window=NGRAM_WINDOW * scale,
        allowed_ids=tokenizer.token_ids(ALLOWED_TOKENS),
        scale=scale,
        tabs=tokenizer.tabs,
    )
