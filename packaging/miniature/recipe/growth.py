"""More layers for a decoder that has learnt to read already: ones that change nothing until they learn.

Knows names of weights; no data, no loss.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from rtocr_gui.ocr.architecture import DecoderSizes

_LAYER = re.compile(r"(?<=\.language_model\.layers\.)\d+(?=\.)")
_WRITES_TO_STREAM = ("o_proj", "down_proj")


def sizes_before(grown: DecoderSizes, added: Sequence[int]) -> DecoderSizes:
    """The sizes of a decoder before it got more layers.

    Args:
        grown: its sizes with them.
        added: which layers of it are new.

    Returns:
        With as many layers fewer.
    """
    plain = sum(place < grown.dense_layers for place in added)
    return replace(grown, layers=grown.layers - len(added), dense_layers=grown.dense_layers - plain)


def add_layers(tensors: Mapping[str, Tensor], grown: DecoderSizes, added: Sequence[int]) -> dict[str, Tensor]:
    """The weights of a decoder with more layers, which says the same as before.

    A new layer gets the weights of the nearest old one of its kind, plain or with experts, the later of two:
    it looks where that one looks. What it would add to the stream is zero.

    Args:
        tensors: weights of a learner, by name.
        grown: sizes with the new layers.
        added: which layers of it are new.

    Returns:
        Weights of a learner of the new sizes.
    """
    old = [place for place in range(grown.layers) if place not in added]
    named: dict[int, dict[str, Tensor]] = {place: {} for place in old}
    result = {}
    for name, tensor in tensors.items():
        if layer := _LAYER.search(name):
            named[old[int(layer[0])]][name] = tensor
        else:
            result[name] = tensor
    for place in range(grown.layers):
        alike = [other for other in old if (other < grown.dense_layers) == (place < grown.dense_layers)]
        source = min(alike, key=lambda other: (abs(other - place), -other))
        for name, tensor in named[source].items():
            silent = place in added and any(word in name for word in _WRITES_TO_STREAM)
            result[_LAYER.sub(str(place), name)] = torch.zeros_like(tensor) if silent else tensor.clone()
    return result
