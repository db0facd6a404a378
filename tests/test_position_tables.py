"""Position tables of the vision encoders: the stock ones to the bit, computed once and on the CPU."""

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.overrides import TorchFunctionMode
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.ocr.model.checkpoint import load_model
from rtocr_gui.ocr.model.folder import check_folder
from rtocr_gui.ocr.model.position_tables import keep_position_tables
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.encoding import encode_views
from rtocr_gui.ocr.vision.views import make_views
from tests.small_checkpoint import write_checkpoint

Model = UnlimitedOcrForConditionalGeneration


class ScalingDevice(TorchFunctionMode):
    """Counts how often positions are scaled.

    Args:
        only_copies: refuse to scale what `Tensor.cpu` did not return, as a device that cannot scale does.
    """

    def __init__(self, only_copies: bool = False) -> None:
        super().__init__()
        self.scaled = 0
        self._only_copies = only_copies
        self._copies: set[int] = set()

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, arguments: Any = (), named: Any = None
    ) -> Any:
        if function is torch.nn.functional.interpolate:
            self.scaled += 1
            if self._only_copies and arguments[0].untyped_storage().data_ptr() not in self._copies:
                raise NotImplementedError(
                    "The operator 'aten::_upsample_bicubic2d_aa.out' is not implemented"
                )
        given = function(*arguments, **(named or {}))
        if function is Tensor.cpu:
            given = given.clone()
            self._copies.add(given.untyped_storage().data_ptr())
        return given


def stock_model(folder: Path, dtype: torch.dtype = torch.float32) -> Model:
    model = load_model(check_folder(folder), torch.device("cpu"), dtype)
    tower = model.model.vision_tower
    del tower.sam_encoder.interpolate_pos_encoding
    del tower.vision_encoder.embeddings.interpolate_pos_encoding
    for layer in tower.sam_encoder.layers:
        del layer.attn.get_rel_pos
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "model")


@pytest.fixture
def page() -> Iterator[Image.Image]:
    with Image.effect_noise((700, 900), 60) as noise:
        yield noise.convert("RGB")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("mode", Mode)
def test_kept_tables_are_those_of_the_stock_model(
    folder: Path, page: Image.Image, mode: Mode, dtype: torch.dtype
) -> None:
    views = make_views(page, mode)
    stock = stock_model(folder, dtype)
    expected = encode_views(stock, views)
    keep_position_tables(stock)
    for _ in range(2):
        assert torch.equal(encode_views(stock, views), expected)


def test_a_loaded_model_keeps_its_tables(folder: Path, page: Image.Image) -> None:
    model = load_model(check_folder(folder), torch.device("cpu"), torch.float32)
    with ScalingDevice() as device:
        encode_views(model, make_views(page, Mode.GUNDAM))
        once = device.scaled
        encode_views(model, make_views(page, Mode.GUNDAM))
    assert once > 0
    assert device.scaled == once


def test_a_device_that_cannot_scale_encodes_all_the_same(folder: Path, page: Image.Image) -> None:
    model, views = stock_model(folder), make_views(page, Mode.SMALL)
    expected = encode_views(model, views)
    with ScalingDevice(only_copies=True):
        with pytest.raises(NotImplementedError):
            encode_views(model, views)
        keep_position_tables(model)
        assert torch.equal(encode_views(model, views), expected)


def test_tables_may_be_used_outside_inference(folder: Path, page: Image.Image) -> None:
    model = load_model(check_folder(folder), torch.device("cpu"), torch.float32)
    encode_views(model, make_views(page, Mode.TINY))
    sam = model.model.vision_tower.sam_encoder
    assert not sam.interpolate_pos_encoding(32, 32).is_inference()


def test_a_model_that_nobody_holds_is_gone_at_once(folder: Path, page: Image.Image) -> None:
    model = load_model(check_folder(folder), torch.device("cpu"), torch.float32)
    encode_views(model, make_views(page, Mode.TINY))
    weights = weakref.ref(model.model.vision_tower.sam_encoder.pos_embed)
    gc.disable()
    try:
        del model
        assert weights() is None
    finally:
        gc.enable()
