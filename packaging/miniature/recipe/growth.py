"""More layers for a decoder that has learnt to read already: ones that change nothing until they learn.

Knows names of weights; no data, no loss.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.architecture import DecoderSizes

_LAYER = re.compile(r"(?<=\.language_model\.layers\.)\d+(?=\.)")
_WRITES_TO_STREAM = ("o_proj", "down_proj")


def sizes_before(grown: DecoderSizes, added: Sequence[int]) -> DecoderSizes:
    """The sizes of a decoder before it got more layers.

    Args:
        grown: its sizes with them.
        added: numbers of its new layers, from 0.

    Returns:
        With as many layers fewer.
    """
    plain = sum(place < grown.dense_layers for place in added)
    return replace(grown, layers=grown.layers - len(added), dense_layers=grown.dense_layers - plain)


def add_layers(tensors: Mapping[str, Tensor], grown: DecoderSizes, added: Sequence[int]) -> dict[str, Tensor]:
    """The weights of a decoder with more layers, which writes the same text as before.

    A new layer begins as the nearest old one of its kind, plain or with experts, the later of two; but what
    it would add to the stream is zero. Looking heads and the place head are counted from the decoder's end:
    where a new layer stands behind an old one, others than before are taught.

    Args:
        tensors: weights of a learner, by name.
        grown: sizes with the new layers.
        added: numbers of the new layers among those of `grown`, from 0.

    Returns:
        Weights of a learner of the new sizes.

    Raises:
        CheckpointError: there are not as many layers, or none of a kind.
    """
    old = [place for place in range(grown.layers) if place not in added]
    layers: dict[int, dict[str, Tensor]] = {}
    result = {}
    for name, tensor in tensors.items():
        if number := _LAYER.search(name):
            layers.setdefault(int(number[0]), {})[name] = tensor
        else:
            result[name] = tensor
    if sorted(layers) != list(range(grown.layers - len(added))) or len(layers) != len(old):
        raise CheckpointError(
            f"A decoder of {len(layers)} layers does not get {grown.layers} with new ones at {list(added)}."
        )
    for place in range(grown.layers):
        alike = [other for other in old if (other < grown.dense_layers) == (place < grown.dense_layers)]
        if not alike:
            raise CheckpointError(f"There is no layer that the new layer {place} could begin as.")
        source = min(alike, key=lambda other: (abs(other - place), -other))
        for name, tensor in layers[old.index(source)].items():
            silent = place in added and any(word in name for word in _WRITES_TO_STREAM)
            result[_LAYER.sub(str(place), name)] = torch.zeros_like(tensor) if silent else tensor
    return result
