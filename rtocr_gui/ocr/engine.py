"""Reads pages: the one object that holds a model.

Synchronous: whoever calls it decides on which thread that happens, always on one at a time. Finds a place
for the model, and decides which pages share the passes of the decoder; what happens to a page is in
`page_stages`. Knows no window; everything it gives is plain and frozen.
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
from rtocr_gui.ocr.model.checkpoint import load_checkpoint
from rtocr_gui.ocr.model.folder import CheckpointFolder, check_folder, describe, open_folder
from rtocr_gui.ocr.model.model_info import LoadedModel, ModelInfo
from rtocr_gui.ocr.page_stages import Generation, PageStages, make_drafter
from rtocr_gui.ocr.pages_together import PageEvent, PageRequest, Steps, read_together
from rtocr_gui.ocr.reading import EncodedPage, ReadingEvent, ReadingTrace, ReadSettings, Scaling

CACHE_BYTES = 256 * 2**20
"""Encoded pages that are kept, unless told otherwise: of the published model in float32, some 90 in Large,
and 20 to 80 in Gundam."""


class Engine:
    """Loads a checkpoint, encodes pages and reads them.

    Args:
        threads: CPU threads for the arithmetic; None for torch's own choice, but not more than this
            process may use.
        cache_bytes: most bytes of encoded pages to keep.
    """

    def __init__(self, threads: int | None = None, cache_bytes: int = CACHE_BYTES) -> None:
        self._encoding_threads = threads or min(torch.get_num_threads(), usable_cpus())
        self._cache_bytes = cache_bytes
        self._stages: PageStages | None = None

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
        files = check_folder(folder)
        return self._judge(files, describe(files), place(device, precision, files.parameter_count), scaling)

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
            anyway: load also what seems not to fit into memory; then no page is refused beforehand either.

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
    def is_loaded(self) -> bool:
        """True while there is a model."""
        return self._stages is not None

    def unload(self) -> None:
        """Forget the model, all encoded pages and what was said of them, and give their memory back."""
        device = self._stages.checkpoint.model.device if self._stages else torch.device("cpu")
        self._stages = None
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
        return self._loaded().trace(page, settings, token_ids, cancel)

    def _judge(
        self, files: CheckpointFolder, info: ModelInfo, placement: Placement, scaling: Scaling | None
    ) -> Fit:
        held = self._stages.checkpoint if self._stages else None

        def free(device: torch.device) -> int:
            if held is None or _number(held.model.device) != _number(device):
                return free_bytes(device)
            return free_bytes(device) + held.info.parameter_count * held.model.dtype.itemsize

        spot, *others = find_spots(placement, info.parameter_count, free)
        return judge_fit(info, files.architecture, scaling, spot, others)

    def _loaded(self) -> PageStages:
        if self._stages is None:
            raise ReadingError("No model is loaded. Choose a model first.")
        return self._stages


def _number(device: torch.device) -> tuple[str, int]:
    return device.type, device.index or 0
