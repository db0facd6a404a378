"""Computes how much memory a model takes to read a page from its sizes, before any weight is loaded.

The figures follow what the stock model allocates, and were verified by measurements at full size
(`packaging/benchmarks/memory-cpu.md`). Knows sizes, modes and precisions; no PyTorch, no files, no page.
"""

from dataclasses import dataclass

from rtocr_gui.ocr.decoder.drafting import LONGEST_GUESS
from rtocr_gui.ocr.machine.spot import VALUE_BYTES
from rtocr_gui.ocr.model.architecture import SAM_PATCH_PX, Architecture, DecoderSizes, SamSizes
from rtocr_gui.ocr.reading import Mode, Scaling
from rtocr_gui.ocr.vision.layout import TILE_PX
from rtocr_gui.tokens import TOKEN_PX

PROMPT_WORDS = 512
"""Most tokens of a prompt besides those of its page; the longest is one in the user's own words."""

_MARGIN = 1.1
_WORKSPACE_BYTES = 32 * 2**20
"""Added to what a formula computes, which meets measured peaks (`packaging/benchmarks/memory-cpu.md`)."""


@dataclass(frozen=True, slots=True)
class View:
    """How much of a page the vision encoders see.

    Attributes:
        mode: how the page is scaled.
        tiles: number of tiles besides the global view, which only Gundam can have.
    """

    mode: Mode
    tiles: int = 0

    @property
    def positions(self) -> int:
        """Most tokens in the visual sequence, newlines and separator included."""
        side, tile_side = self.mode.view_px // TOKEN_PX, TILE_PX // TOKEN_PX
        return side * (side + 1) + 1 + self.tiles * tile_side * (tile_side + 1)

    def scaling(self, most_tiles: int) -> Scaling:
        """Return how a page is scaled to be shown so; `most_tiles` remains the limit if it has no tiles."""
        return Scaling(self.mode, self.tiles or most_tiles)

    @property
    def phrase(self) -> str:
        """How it is named within a sentence, e.g. "Base mode", "Gundam mode with 6 tiles"."""
        return f"{self.mode.label} mode" + (f" with {self.tiles} tiles" if self.tiles else "")


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that a model takes to read a page.

    Attributes:
        weights: the model's weights.
        encoding: on top of the weights, while the vision encoders run.
        reading: on top of the weights, while the text is decoded: mostly keys and values.
    """

    weights: int
    encoding: int
    reading: int

    @property
    def page(self) -> int:
        """What a page takes on top of the weights: it is encoded first, then read."""
        return max(self.encoding, self.reading)

    @property
    def total(self) -> int:
        """Weights and page."""
        return self.weights + self.page


def memory_need(
    architecture: Architecture,
    parameter_count: int,
    view: View,
    precision: str,
    device: str,
    text_tokens: int | None = None,
) -> MemoryNeed:
    """Compute what a model takes to read a page.

    Args:
        architecture: sizes of the model.
        parameter_count: number of weights.
        view: how the page is shown.
        precision: one of `VALUE_BYTES`.
        device: where it runs, e.g. "cuda:1".
        text_tokens: length of the text; None for the longest the model can generate.

    Returns:
        What is needed, erring on the high side.
    """
    value_bytes, kind = VALUE_BYTES[precision], device.partition(":")[0]
    return MemoryNeed(
        weights=parameter_count * value_bytes,
        encoding=_encoding_bytes(architecture.sam, view, value_bytes, kind),
        reading=_reading_bytes(architecture.decoder, view, value_bytes, kind, text_tokens),
    )


def _encoding_bytes(sam: SamSizes, view: View, value_bytes: int, kind: str) -> int:
    """Compute the peak of encoding, which lies in SAM: in its global attention if it has any.

    All tiles pass through SAM at once. With b views of t patches that attend to a patches each, width w and
    h heads::

        values = b (2 h t a            position bias, twice: it is reordered by copying
                    + 6 t w            residual, normed, queries, keys, values, output
                    + 3 t w if b > 1)  queries, keys and values are copied too

    On MPS, attention also keeps the scores and their softmax, which other devices compute in pieces.
    """
    copies = 4 if kind == "mps" else 2
    pixels = view.mode.view_px**2 + view.tiles * TILE_PX**2
    most = 0
    for views, side_px in ((1, view.mode.view_px), (view.tiles, TILE_PX)):
        side = side_px // SAM_PATCH_PX
        windows = -(-side // sam.window)
        patches = side**2 if sam.global_layers else (windows * sam.window) ** 2
        attended = patches if sam.global_layers else sam.window**2
        attention = copies * sam.heads * patches * attended + (9 if views > 1 else 6) * patches * sam.width
        mlp = patches * (3 * sam.width + 2 * sam.mlp_width)
        most = max(most, views * max(attention, mlp))
    return round(_MARGIN * (value_bytes * most + 3 * pixels * (4 + value_bytes))) + _WORKSPACE_BYTES


def _reading_bytes(
    decoder: DecoderSizes, view: View, value_bytes: int, kind: str, text_tokens: int | None
) -> int:
    """Compute keys and values of prompt and text, plus the larger of what a prefill and a guess take."""
    prompt = min(view.positions + PROMPT_WORDS, decoder.context_length)
    text = decoder.context_length - prompt if text_tokens is None else text_tokens
    kept = text if decoder.window is None else min(text, decoder.window)
    activations = 2 * (decoder.mlp_width + decoder.width)
    if kind == "cuda":  # experts process all tokens at once there
        gathered = decoder.experts_per_token * (decoder.width + 3 * decoder.expert_width)
        activations = max(activations, gathered)
    logits = (LONGEST_GUESS + 1) * decoder.vocabulary * value_bytes
    prefill = value_bytes * prompt * activations
    cache = value_bytes * decoder.cached_values(prompt + kept)
    return round(_MARGIN * (cache + max(prefill, logits))) + _WORKSPACE_BYTES
