"""Encodes pages and caches the results, so that a page can be read again at another retention at once.

Knows views, layout and measures; no plan and no text. Visual tokens stay on the model's device.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.ocr.machine.clock import ms_since
from rtocr_gui.ocr.model.checkpoint import Checkpoint
from rtocr_gui.ocr.reading import EncodedPage, Mode, Scaling
from rtocr_gui.ocr.vision.auto_mode import is_legible, larger_mode, mode_for_print, stroke_pitch
from rtocr_gui.ocr.vision.cache import ByteBoundedCache
from rtocr_gui.ocr.vision.encoding import encode_views, encode_with_cls_attention
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.ocr.vision.views import choose_tiles, make_views, normalise
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.sending import send

_PITCHES_KEPT = 1000

_PixelsKey = tuple[PageRef, tuple[int, int], float | None]

PageKey = tuple[_PixelsKey, Mode, tuple[int, int]]
"""What determines an encoding: the pixels of a page, the mode, and tiles across and down."""


@dataclass(frozen=True, eq=False, slots=True)
class Encoding:
    """An encoded page with its visual tokens.

    Attributes:
        key: what determined it.
        page: what a plan is made from.
        tokens: (n, D) the visual sequence on the model's device.
    """

    key: PageKey
    page: EncodedPage
    tokens: Tensor

    @property
    def size_bytes(self) -> int:
        """Memory it occupies."""
        return self.tokens.nbytes + self.page.measures.similarity.nbytes


class PageEncoder:
    """Encodes pages with a model, each only once while its encoding is cached.

    Args:
        checkpoint: the model.
        threads: CPU threads to use.
        cache_bytes: most bytes of encodings to keep.
    """

    def __init__(self, checkpoint: Checkpoint, threads: int, cache_bytes: int) -> None:
        self._checkpoint = checkpoint
        self._threads = threads
        self._kept: ByteBoundedCache[PageKey, Encoding] = ByteBoundedCache(cache_bytes)
        self._pitches: dict[_PixelsKey, float | None] = {}

    def encode(
        self,
        page: PageImage,
        scaling: Scaling,
        with_cls_attention: bool,
        check: Callable[[PageKey, bool], None],
    ) -> tuple[Encoding, bool]:
        """Encode and measure a page, or return its cached encoding.

        Args:
            page: the rendered page; at another resolution it is encoded anew.
            scaling: how to scale it.
            with_cls_attention: also measure the attention of the class token.
            check: called before the page is encoded, with how the page is shown and whether it must be
                encoded; may raise.

        Returns:
            The encoding, and True if it is new.

        Raises:
            RuntimeError, MemoryError: torch failed.
            ReadingError: the page cannot be scaled in that mode.
            PruningError: the model produced tokens that cannot be measured.
        """
        key = self.key_of(page, scaling)
        encoding = self._kept.get(key)
        if encoding and with_cls_attention and encoding.page.measures.cls_attention is None:
            encoding = None
        is_new = encoding is None
        check(key, is_new)
        if encoding is None:
            with _threads_set_to(self._threads):
                encoding = self._encode(key, page, scaling.most_tiles, with_cls_attention)
            self._kept.put(key, encoding, encoding.size_bytes)
        judged = self._judge_print(encoding.page, page, scaling.most_tiles)
        return (encoding if judged is encoding.page else replace(encoding, page=judged)), is_new

    def _encode(self, key: PageKey, page: PageImage, most_tiles: int, with_cls_attention: bool) -> Encoding:
        _, mode, _ = key
        model = self._checkpoint.model
        views = make_views(page.image, mode, most_tiles)
        layout = build_layout(mode, views.page_size_px, views.crop_wh)
        started = time.perf_counter()
        if with_cls_attention:
            tokens, cls_attention = encode_with_cls_attention(model, views)
        else:
            tokens, cls_attention = encode_views(model, views), None
        encode_ms = ms_since(started, tokens.device)
        prunable = send(layout.prunable, tokens.device)
        measures = measure_tokens(tokens[prunable], normalise(views.global_view), cls_attention)
        return Encoding(key, EncodedPage(page.ref, mode, layout, measures, encode_ms), tokens)

    def _judge_print(self, encoded: EncodedPage, page: PageImage, most_tiles: int) -> EncodedPage:
        """Judge the print, and find a better mode, which depends on the tiles of Gundam whatever the mode."""
        info, print_shown = self._checkpoint.info, (page.image.size, self._pitch_of(page), encoded.mode)
        legible = self.shows_legibly(page, encoded.mode, most_tiles)
        larger = None if legible else larger_mode(*print_shown, info.modes, most_tiles, info.print_sizes)
        if (legible, larger) == (encoded.is_legible, encoded.larger_mode):
            return encoded
        return replace(encoded, is_legible=legible, larger_mode=larger)

    def shows_legibly(self, page: PageImage, mode: Mode, most_tiles: int) -> bool:
        """Judge whether a mode shows the print of a page large enough for the model."""
        return is_legible(
            page.image.size, self._pitch_of(page), mode, most_tiles, self._checkpoint.info.print_sizes
        )

    def key_of(self, page: PageImage, scaling: Scaling) -> PageKey:
        """Determine how a page is shown to the model; if no mode is set, the page decides."""
        info = self._checkpoint.info
        mode = scaling.mode or mode_for_print(
            page.image.size, self._pitch_of(page), info.modes, scaling.most_tiles, info.print_sizes
        )
        tiles = choose_tiles(page.image.size, scaling.most_tiles) if mode is Mode.GUNDAM else (0, 0)
        return _pixels_of(page), mode, tiles

    def forget(self) -> None:
        """Drop all encodings."""
        self._kept.clear()

    def _pitch_of(self, page: PageImage) -> float | None:
        key = _pixels_of(page)
        if key not in self._pitches:
            if len(self._pitches) == _PITCHES_KEPT:
                del self._pitches[next(iter(self._pitches))]
            self._pitches[key] = stroke_pitch(page.image)
        return self._pitches[key]


@contextmanager
def _threads_set_to(count: int) -> Iterator[None]:
    """Use this many CPU threads for a while: a page may be encoded between decoder passes over others."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _pixels_of(page: PageImage) -> _PixelsKey:
    return page.ref, page.image.size, page.dpi
