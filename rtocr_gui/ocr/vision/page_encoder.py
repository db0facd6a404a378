"""Encodes pages and caches the results, so that a page can be read again at another retention at once.

Knows views, layout and measures; no plan and no text. Visual tokens stay on the model's device.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.ocr.machine.clock import ms_since
from rtocr_gui.ocr.model.checkpoint import Checkpoint
from rtocr_gui.ocr.reading import EncodedPage, Mode, Scaling
from rtocr_gui.ocr.vision.auto_mode import PagePrint, stroke_pitch
from rtocr_gui.ocr.vision.cache import ByteBoundedCache
from rtocr_gui.ocr.vision.dark_pages import as_light_page
from rtocr_gui.ocr.vision.encoding import encode_views, encode_with_cls_attention
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.ocr.vision.unread_print import count_strokes
from rtocr_gui.ocr.vision.views import PageViews, make_views, tiles_in
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.sending import send

_MEASURES_KEPT = 1000

_PixelsKey = tuple[PageRef, tuple[int, int], float | None]

Measure = TypeVar("Measure")


@dataclass(frozen=True, slots=True)
class PageKey:
    """What determines an encoding.

    Attributes:
        pixels: the page as it was rendered: reference, size and resolution.
        mode: how it is scaled.
        crop_wh: tiles across and down; (0, 0) without tiles.
    """

    pixels: _PixelsKey
    mode: Mode
    crop_wh: tuple[int, int]


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
        self._strokes: dict[_PixelsKey, int] = {}

    def cached(self, key: PageKey, with_cls_attention: bool) -> Encoding | None:
        """Return what was encoded earlier; None if nothing was, or without the attention asked for."""
        encoding = self._kept.get(key)
        if encoding and with_cls_attention and encoding.page.measures.cls_attention is None:
            return None
        return encoding

    def encode(self, page: PageImage, key: PageKey, scaling: Scaling, with_cls_attention: bool) -> Encoding:
        """Encode and measure a page, and cache the result.

        Args:
            page: the rendered page.
            key: from `key_of` for this page and scaling.
            scaling: how to scale it.
            with_cls_attention: also measure the attention of the class token.

        Raises:
            RuntimeError, MemoryError: torch failed.
            ReadingError: the page cannot be scaled in that mode.
            PruningError: the model produced tokens that cannot be measured.
        """
        with _threads_set_to(self._threads):
            views = make_views(self._shown_image(page), key.mode, scaling.most_tiles)
            encoding = self._encode(key, views, page, with_cls_attention)
        self._kept.put(key, encoding, encoding.size_bytes)
        return encoding

    def _encode(self, key: PageKey, views: PageViews, page: PageImage, with_cls_attention: bool) -> Encoding:
        model, mode = self._checkpoint.model, views.mode
        layout = build_layout(mode, views.page_size_px, views.crop_wh)
        started = time.perf_counter()
        if with_cls_attention:
            tokens, cls_attention = encode_with_cls_attention(model, views)
        else:
            tokens, cls_attention = encode_views(model, views), None
        encode_ms = ms_since(started, tokens.device)
        prunable = send(layout.prunable, tokens.device)
        measures = measure_tokens(tokens[prunable], views.normalised_global_view, cls_attention)
        return Encoding(key, EncodedPage(page.ref, mode, layout, measures, encode_ms), tokens)

    def print_of(self, page: PageImage, most_tiles: int) -> PagePrint:
        """Measure the print of a page once, to judge how the model's modes show it.

        Raises:
            RuntimeError, MemoryError: there is not enough memory to measure it.
        """
        info = self._checkpoint.info
        pitch_px = _once(self._pitches, page, lambda: stroke_pitch(self._shown_image(page)))
        return PagePrint(page.image.size, pitch_px, most_tiles, info.print_sizes, info.gundam_aspect_ratio)

    def strokes_of(self, page: PageImage) -> int:
        """Count the strokes of a page's print once, to judge whether all of it was read.

        Raises:
            MemoryError: there is not enough memory to count them.
        """
        return _once(self._strokes, page, lambda: count_strokes(page.image))

    def key_of(self, page: PageImage, scaling: Scaling) -> PageKey:
        """Determine how a page is shown to the model; if no mode is set, the page decides.

        Raises:
            RuntimeError, MemoryError: as for `print_of`.
        """
        mode, most_tiles = scaling.mode, scaling.most_tiles
        if mode is None:
            mode = self.print_of(page, most_tiles).best_mode(self._checkpoint.info.modes)
        return PageKey(_pixels_of(page), mode, tiles_in(mode, page.image.size, most_tiles))

    def forget(self) -> None:
        """Drop all encodings."""
        self._kept.clear()

    def _shown_image(self, page: PageImage) -> Image.Image:
        """Return the page as it is shown to the model: for some models, dark pages are inverted."""
        return as_light_page(page.image) if self._checkpoint.info.light_pages_only else page.image


def _once(kept: "dict[_PixelsKey, Measure]", page: PageImage, measure: Callable[[], Measure]) -> Measure:
    """Return what was measured of a page, or measure it; of many pages, the oldest measures are dropped."""
    key = _pixels_of(page)
    if key not in kept:
        if len(kept) == _MEASURES_KEPT:
            del kept[next(iter(kept))]
        kept[key] = measure()
    return kept[key]


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
