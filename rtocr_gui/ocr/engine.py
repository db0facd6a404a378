"""Reads pages: the one object that holds a model.

Synchronous: callers choose the thread, and only one thread may use it at a time. Chooses the device for the
model, and decides which pages share decoder passes; what happens to a page is in `page_stages`. Knows no
window; everything it returns is plain and frozen.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.decoder.batching import Batch, SharedGeneration, pages_at_once
from rtocr_gui.ocr.decoder.decoding import Decoder, GreedyGeneration
from rtocr_gui.ocr.decoder.greedy import GenerationRules
from rtocr_gui.ocr.machine.clock import ms_since
from rtocr_gui.ocr.machine.devices import Placement, find_spots, free_bytes, give_memory_back, place
from rtocr_gui.ocr.machine.threads import usable_cpus
from rtocr_gui.ocr.memory.fit import DoesNotFit, Fit, judge_fit
from rtocr_gui.ocr.memory.headroom import Headroom
from rtocr_gui.ocr.model.checkpoint import Checkpoint, load_checkpoint
from rtocr_gui.ocr.model.folder import CheckpointFolder, check_folder, describe, open_folder
from rtocr_gui.ocr.model.model_info import LoadedModel, ModelInfo
from rtocr_gui.ocr.page_stages import Generation, PageStages, make_drafter
from rtocr_gui.ocr.pages_together import PageEvent, PageRequest, Steps, read_together
from rtocr_gui.ocr.reading import EncodedPage, ReadingEvent, ReadingTrace, ReadSettings, Scaling

CACHE_BYTES = 256 * 2**20
"""Default size of the cache of encoded pages: for the published model in float32, about 90 pages in Large,
and 20 to 80 in Gundam."""


class Engine:
    """Loads a checkpoint, encodes pages and reads them.

    Args:
        threads: CPU threads to use; None for torch's own choice, but not more than this process may use.
        cache_bytes: most bytes of encoded pages to keep.
    """

    def __init__(self, threads: int | None = None, cache_bytes: int = CACHE_BYTES) -> None:
        self._encoding_threads = threads or min(torch.get_num_threads(), usable_cpus())
        self._cache_bytes = cache_bytes
        self._stages: PageStages | None = None

    def fit(
        self, folder: Path, device: str = "auto", precision: str = "auto", scaling: Scaling = Scaling(None)
    ) -> Fit:
        """Find out whether a model would fit into memory in place of the loaded one.

        Args:
            folder: a checkpoint folder in the official layout.
            device: as for `load`.
            precision: as for `load`.
            scaling: as for `load`.

        Returns:
            What it needs and what is free, and gentler ways to load it if it does not fit.

        Raises:
            CheckpointError: the folder cannot be used.
            SettingsError: this computer has no such device, or the device does not support the precision.
        """
        files = check_folder(folder)
        return self._judge(files, describe(files), place(device, precision, files.parameter_count), scaling)

    def load(
        self,
        folder: Path,
        device: str = "auto",
        precision: str = "auto",
        scaling: Scaling = Scaling(None),
        anyway: bool = False,
    ) -> LoadedModel:
        """Load a checkpoint in place of the loaded one.

        Args:
            folder: a checkpoint folder in the official layout.
            device: "auto", "cpu", "cuda", "cuda:1", "mps", ...
            precision: "auto", "float32", "float16" or "bfloat16".
            scaling: how pages will be read; without a mode, what the smallest needs must fit.
            anyway: load even if the model seems not to fit into memory; then no page is refused in advance
                either.

        Returns:
            What was loaded, and where it runs.

        Raises:
            DoesNotFit: less memory is free than is needed; the previous model stays.
            CheckpointError: the folder cannot be used, and the previous model stays; or memory ran out,
                and no model is loaded.
            SettingsError: this computer has no such device, or the device does not support the precision;
                the previous model stays.
        """
        started = time.perf_counter()
        opened = open_folder(folder)
        placement = place(device, precision, opened.info.parameter_count)
        fit = self._judge(opened.files, opened.info, placement, scaling)
        if not (fit.fits or anyway):
            raise DoesNotFit(fit)
        self.unload()
        torch.set_num_threads(self._encoding_threads)
        checkpoint = load_checkpoint(opened, placement.device, placement.dtype)
        headroom = Headroom(checkpoint, at_own_risk=not fit.fits)
        self._stages = PageStages(checkpoint, headroom, self._encoding_threads, self._cache_bytes)
        return LoadedModel(
            info=checkpoint.info,
            device=str(placement.device),
            dtype=placement.dtype_name,
            load_ms=ms_since(started),
            why=placement.why,
            pages_at_once=pages_at_once(checkpoint.model, checkpoint.architecture.decoder),
        )

    @property
    def checkpoint(self) -> Checkpoint:
        """The loaded model.

        Raises:
            ReadingError: no model is loaded.
        """
        return self._loaded().checkpoint

    @property
    def is_loaded(self) -> bool:
        """True while a model is loaded."""
        return self._stages is not None

    def unload(self) -> None:
        """Unload the model, drop all encoded pages and their texts, and release the memory."""
        device = self._stages.checkpoint.model.device if self._stages else torch.device("cpu")
        self._stages = None
        give_memory_back(device)

    def encode(self, page: PageImage, scaling: Scaling) -> EncodedPage:
        """Encode and measure a page, or return its cached encoding.

        Args:
            page: the rendered page; at another resolution it is encoded anew.
            scaling: how to scale it.

        Returns:
            Everything a plan needs.

        Raises:
            ReadingError: no model is loaded, or the model failed on this page.
            PruningError: the model produced tokens that cannot be measured.
        """
        return self._loaded().encode(page, scaling)

    def read(
        self,
        page: PageImage,
        settings: ReadSettings,
        cancel: threading.Event,
        draft: Sequence[int] | None = None,
    ) -> Iterator[ReadingEvent]:
        """Read a page, stage by stage.

        Args:
            page: the rendered page.
            settings: scaling, task, retention and limits.
            cancel: stops the reading before the next decoder pass; an encoding in progress is completed.
            draft: token ids of a similar text, which speed up the reading and do not change it (but see
                `decoding` for half precision); None for this page's text at the nearest retention, empty for
                no draft.

        Yields:
            Each stage as it begins, the encoded page, the text as it comes, and finally the reading.

        Raises:
            ReadingError: no model is loaded, or the model failed on this page; the engine can continue
                with other pages.
            PruningError: the model produced tokens that cannot be measured.
        """
        stages = self._loaded()

        def generate(rules: GenerationRules, earlier: Sequence[int]) -> Generation:
            drafter = make_drafter(stages.checkpoint, earlier if draft is None else draft)
            return GreedyGeneration(Decoder(stages.checkpoint.model), rules, cancel, drafter)

        for event in stages.read(page, settings, generate):
            if event is not None:
                yield event

    def read_together(
        self, requests: Iterable[PageRequest | None], most: int | None = None
    ) -> Iterator[tuple[PageRequest, PageEvent]]:
        """Read several pages at a time, each with the same result as by itself (see `batching`).

        A page that has been read before does not share passes: its earlier text is its draft.

        Args:
            requests: the next one is taken whenever there is room, so that pages can be rendered late; None
                if none is ready yet. A request that is cancelled before it begins is skipped.
            most: how many pages to read at a time; None for what suits the device best, within its memory.

        Yields:
            The request and its event, as yielded by `read`; a page that fails ends with `PageFailed`, and
            the others continue.

        Raises:
            ReadingError: no model is loaded.
        """
        stages = self._loaded()
        model, sizes = stages.checkpoint.model, stages.checkpoint.architecture.decoder
        batch, limit = Batch(model), pages_at_once(model, sizes, most)

        def begin(request: PageRequest) -> Steps:
            def generate(rules: GenerationRules, earlier: Sequence[int]) -> Generation:
                if earlier or limit == 1:
                    drafter = make_drafter(stages.checkpoint, earlier)
                    return GreedyGeneration(Decoder(model), rules, request.cancel, drafter)
                return SharedGeneration(batch, rules, request.cancel)

            return stages.read(request.page, request.settings, generate)

        yield from read_together(requests, begin, batch, limit)

    def trace(
        self, page: PageImage, settings: ReadSettings, token_ids: Sequence[int], cancel: threading.Event
    ) -> ReadingTrace | None:
        """Trace where on its page a reading comes from, in a second pass over the finished text.

        Args:
            page: the page as it was read.
            settings: settings of the reading.
            token_ids: tokens of the reading.
            cancel: checked every few hundred tokens; an encoding in progress is completed.

        Returns:
            The attention to the page, token by token; None if cancelled.

        Raises:
            ReadingError: no model is loaded, the tokens come from another model, or the model failed on this
                page.
            PruningError: the model produced tokens that cannot be measured.
        """
        return self._loaded().trace(page, settings, token_ids, cancel)

    def _judge(self, files: CheckpointFolder, info: ModelInfo, placement: Placement, scaling: Scaling) -> Fit:
        held = self._stages.checkpoint if self._stages else None

        def free(device: torch.device) -> int:
            if held is None or not _is_same(held.model.device, device):
                return free_bytes(device)
            return free_bytes(device) + held.info.parameter_count * held.model.dtype.itemsize

        spot, *others = find_spots(placement, info.parameter_count, free)
        return judge_fit(info, files.architecture, scaling, spot, others)

    def _loaded(self) -> PageStages:
        if self._stages is None:
            raise ReadingError("No model is loaded. Choose a model first.")
        return self._stages


def _is_same(one: torch.device, other: torch.device) -> bool:
    return one.type == other.type and (one.index or 0) == (other.index or 0)
