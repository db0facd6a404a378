"""The decoder's memory holds what the stock one holds, and copies it less often."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache, UnlimitedOcrForConditionalGeneration
from transformers.cache_utils import DynamicLayer
from transformers.models.unlimited_ocr.configuration_unlimited_ocr import UnlimitedOcrTextConfig

from rtocr_gui.ocr.decoder import growing_cache
from rtocr_gui.ocr.decoder.growing_cache import ROOM_TOKENS, GrowingLayer, make_cache

CPU = torch.device("cpu")


def text_config(layer_type: str = "full_attention") -> UnlimitedOcrTextConfig:
    return UnlimitedOcrTextConfig(num_hidden_layers=3, layer_types=[layer_type] * 3, sliding_window=8)


def states(tokens: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn((2, 4, tokens, 6), generator=generator),
        torch.randn((2, 4, tokens, 5), generator=generator),
    )


@pytest.mark.parametrize(
    "steps",
    [
        [1, 1, 1],
        [ROOM_TOKENS - 1, 1, 1, 1],
        [ROOM_TOKENS, 33, -32, 1, -1, 1],
        [3 * ROOM_TOKENS + 7, 1, ROOM_TOKENS, -ROOM_TOKENS, 2],
    ],
)
def test_it_holds_what_the_stock_layer_holds(steps: Sequence[int]) -> None:
    ours, stock = GrowingLayer(), DynamicLayer()
    for number, step in enumerate(steps):
        if step < 0:
            ours.crop(step)
            stock.crop(step)
        else:
            given, wanted = ours.update(*states(step, number)), stock.update(*states(step, number))
            assert torch.equal(given[0], wanted[0])
            assert torch.equal(given[1], wanted[1])
        assert ours.get_seq_length() == stock.get_seq_length()
        assert ours.get_mask_sizes(5) == stock.get_mask_sizes(5)
        assert torch.equal(ours.keys, stock.keys)
        assert torch.equal(ours.values, stock.values)


def test_tokens_are_written_into_the_room_that_is_there() -> None:
    layer = GrowingLayer()
    places = {layer.update(*states(1, number))[0].data_ptr() for number in range(ROOM_TOKENS)}
    assert len(places) == 1
    assert layer.update(*states(1, 0))[0].data_ptr() not in places


def test_it_can_be_emptied_and_filled_again() -> None:
    layer = GrowingLayer()
    layer.update(*states(7, 0))
    layer.reset()
    assert layer.get_seq_length() == 0
    keys, _ = layer.update(*states(2, 1))
    assert torch.equal(keys, states(2, 1)[0])


def test_where_memory_runs_out_it_holds_what_it_held(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = GrowingLayer()
    layer.update(*states(ROOM_TOKENS, 0))
    make_room, calls = growing_cache._with_room, iter((False, True))

    def failing(held: Tensor, tokens: int) -> Tensor:
        if next(calls):
            raise MemoryError
        return make_room(held, tokens)

    with monkeypatch.context() as patch:
        patch.setattr(growing_cache, "_with_room", failing)
        with pytest.raises(MemoryError):
            layer.update(*states(1, 1))
    assert layer.get_seq_length() == ROOM_TOKENS
    keys, values = layer.update(*states(1, 2))
    for held, first, last in zip((keys, values), states(ROOM_TOKENS, 0), states(1, 2), strict=True):
        assert torch.equal(held, torch.cat([first, last], dim=-2))


def test_layers_that_remember_everything_grow() -> None:
    cache = make_cache(text_config(), CPU)
    assert [type(layer) for layer in cache.layers] == [GrowingLayer] * 3


def test_layers_that_forget_stay_as_they_are() -> None:
    assert UnlimitedOcrForConditionalGeneration  # whose import makes their type known
    config = text_config("reference_sliding_attention")
    cache = make_cache(config, CPU)
    assert all(layer.is_sliding for layer in cache.layers)
    assert list(map(type, cache.layers)) == list(map(type, DynamicCache(config=config).layers))


def test_attention_on_mps_gets_contiguous_tensors() -> None:
    cache = make_cache(text_config(), torch.device("mps"))
    assert [type(layer) for layer in cache.layers] == [DynamicLayer] * 3
