"""What the encoder tells besides tokens: where the class token of the CLIP tower looks."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.model.checkpoint import load_checkpoint
from rtocr_gui.ocr.model.folder import open_folder
from rtocr_gui.ocr.reading import TASKS, EncodedPage, Mode, ReadSettings, Scaling
from rtocr_gui.ocr.vision.encoding import encode_views, encode_with_cls_attention
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.ocr.vision.views import PageViews, make_views, normalise
from rtocr_gui.pruning.plan import PruneMethod, PruneSettings, TokenMeasures
from rtocr_gui.tokens import TokenKind
from tests.small_checkpoint import write_checkpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> UnlimitedOcrForConditionalGeneration:
    folder: Path = write_checkpoint(tmp_path_factory.mktemp("encoding") / "small")
    return load_checkpoint(open_folder(folder), torch.device("cpu"), torch.float32).model


def page(size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 255, (size[1] // 20, size[0] // 20, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize(size)


@torch.inference_mode()
def attention_of_the_stock_layer(
    model: UnlimitedOcrForConditionalGeneration, pixels: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """(tokens,) of one view, from the attention that the stock class itself gives in eager mode."""
    tower = model.model.vision_tower
    tower.vision_encoder.config._attn_implementation = "eager"
    try:
        hidden = tower.sam_encoder(torch.from_numpy(normalise(pixels[None]))).last_hidden_state
        weights = tower.vision_encoder(hidden, output_attentions=True).attentions[-1]
    finally:
        tower.vision_encoder.config._attn_implementation = "sdpa"
    attention: NDArray[np.float32] = weights[0].mean(dim=0)[0, 1:].numpy()
    return attention


def views_of(size: tuple[int, int], mode: Mode) -> PageViews:
    return make_views(page(size), mode)


class TestClassTokenAttention:
    def test_is_that_of_the_last_layer_averaged_over_heads(
        self, model: UnlimitedOcrForConditionalGeneration
    ) -> None:
        views = views_of((512, 512), Mode.TINY)
        _, attention = encode_with_cls_attention(model, views)
        assert attention.shape == (64,)
        assert attention.dtype == np.float32
        assert attention.std() > 1e-6
        assert_allclose(attention, attention_of_the_stock_layer(model, views.global_view), rtol=1e-4)

    def test_lies_where_the_tokens_of_each_tile_lie(
        self, model: UnlimitedOcrForConditionalGeneration
    ) -> None:
        views = views_of((1280, 1900), Mode.GUNDAM)
        across, down = views.crop_wh
        assert across > 1
        assert down > 1
        _, attention = encode_with_cls_attention(model, views)
        layout = build_layout(Mode.GUNDAM, views.page_size_px, views.crop_wh)
        assert len(attention) == len(layout.prunable)

        local = attention[layout.kinds[layout.prunable] == TokenKind.LOCAL].reshape(layout.local_grid)
        for index, tile in enumerate(views.tiles):
            row, column = divmod(index, across)
            found = local[row * 10 : row * 10 + 10, column * 10 : column * 10 + 10].ravel()
            assert_allclose(found, attention_of_the_stock_layer(model, tile), rtol=1e-4)
        whole = attention[layout.kinds[layout.prunable] == TokenKind.GLOBAL]
        assert_allclose(whole, attention_of_the_stock_layer(model, views.global_view), rtol=1e-4)

    def test_leaves_the_tokens_and_the_model_as_they_are(
        self, model: UnlimitedOcrForConditionalGeneration
    ) -> None:
        views = views_of((512, 512), Mode.TINY)
        before = encode_views(model, views)
        tokens, _ = encode_with_cls_attention(model, views)
        assert_array_equal(tokens.numpy(), before.numpy())
        assert not any(module._forward_pre_hooks for module in model.modules())


def test_the_engine_measures_attention_for_visionzip_alone_and_keeps_it(tmp_path: Path) -> None:
    engine = Engine(threads=1)
    engine.load(write_checkpoint(tmp_path / "model"), device="cpu")
    scan = PageImage(PageRef(tmp_path / "page.png", 0, sha256="page"), page((512, 512)), dpi=200)

    def measures_for(method: PruneMethod) -> TokenMeasures:
        settings = ReadSettings(
            Scaling(Mode.TINY), TASKS[1], PruneSettings(0.5, method=method), max_new_tokens=2
        )
        _, encoded, *_ = engine.read(scan, settings, threading.Event())
        assert isinstance(encoded, EncodedPage)
        return encoded.measures

    first = measures_for(PruneMethod.RTPRUNE)
    assert first.cls_attention is None
    second = measures_for(PruneMethod.VISIONZIP)
    assert second.cls_attention is not None
    assert_array_equal(second.norms, first.norms)
    assert measures_for(PruneMethod.RANDOM) is second
    engine.unload()
