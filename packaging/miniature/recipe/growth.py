"""Adds layers to a trained model that change nothing until they are trained.

Knows names of weights, and how the command line names layers; no data and no loss.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.architecture import Architecture


@dataclass(frozen=True, slots=True)
class AddedLayers:
    """Indices, in the grown model, of layers that the given weights do not have.

    Attributes:
        sam: layers of the first vision encoder.
        clip: layers of the second vision encoder.
        decoder: layers of the language model.
    """

    sam: Sequence[int] = ()
    clip: Sequence[int] = ()
    decoder: Sequence[int] = ()

    @classmethod
    def from_text(cls, text: str) -> "AddedLayers":
        """Parse a command-line value such as “sam:3,clip:3”, the fourth layers of both vision encoders.

        Raises:
            argparse.ArgumentTypeError: there is no such stack, or the number is missing.
        """
        numbers: dict[str, tuple[int, ...]] = {one.name: () for one in fields(cls)}
        for part in text.split(","):
            stack, _, number = part.partition(":")
            if stack not in numbers or not number.isdecimal():
                raise argparse.ArgumentTypeError(
                    f"“{part}” is not one of {', '.join(numbers)}, a colon and the number of a layer"
                )
            numbers[stack] += (int(number),)
        return cls(**numbers)


NO_LAYERS = AddedLayers()


def add_layers_option(parser: argparse.ArgumentParser, flag: str, whose: str) -> None:
    """Declare an option that names layers of the model.

    Args:
        parser: the parser to add it to.
        flag: name of the option.
        whose: end of the help text, which says which layers.
    """
    parser.add_argument(
        flag,
        type=AddedLayers.from_text,
        default=NO_LAYERS,
        metavar="STACK:N,…",
        help=f"layers of sam, clip or decoder, counted from 0, that {whose}",
    )


@dataclass(frozen=True, slots=True)
class _Stack:
    """A stack of layers that add to one residual stream.

    Attributes:
        within: prefix of the names of its weights, before the index of the layer.
        writing: parts of the names of weights that write to the stream.
        kinds: kind of each layer; a new layer can start as a copy of another of its kind.
        added: indices of the new layers.
    """

    within: str
    writing: tuple[str, ...]
    kinds: Sequence[bool]
    added: Sequence[int]


def sizes_before(grown: Architecture, added: AddedLayers) -> Architecture:
    """Return the sizes of a model before layers were added.

    Args:
        grown: its sizes with the new layers.
        added: the new layers.

    Returns:
        Its sizes without them.
    """
    sam, clip, decoder = grown.sam, grown.clip, grown.decoder
    kept = [place for place in range(sam.layers) if place not in added.sam]
    global_before = tuple(number for number, place in enumerate(kept) if place in sam.global_layers)
    plain = sum(place < decoder.dense_layers for place in added.decoder)
    return replace(
        grown,
        sam=replace(sam, layers=sam.layers - len(added.sam), global_layers=global_before),
        clip=replace(clip, layers=clip.layers - len(added.clip)),
        decoder=replace(
            decoder, layers=decoder.layers - len(added.decoder), dense_layers=decoder.dense_layers - plain
        ),
    )


def add_layers(tensors: Mapping[str, Tensor], grown: Architecture, added: AddedLayers) -> dict[str, Tensor]:
    """Return the weights of a model with more layers, which reads the same as before.

    A new layer starts as a copy of the nearest old one of its kind (in the decoder, dense or with experts; in
    SAM, windowed or global), the later one if two are equally near; but its output to the residual stream is
    zero. The decoder layers whose heads are supervised are counted from the end, so after adding a later
    layer, they are different ones.

    Args:
        tensors: weights of a learner, by name.
        grown: sizes with the new layers.
        added: the new layers.

    Returns:
        Weights of a learner of the new sizes.

    Raises:
        CheckpointError: the number of layers does not match, or there is no old layer of a kind.
    """
    sam, clip, decoder = grown.sam, grown.clip, grown.decoder
    stacks = (
        _Stack(
            "sam_encoder.layers",
            ("attn.proj.", "mlp.lin2."),
            [place in sam.global_layers for place in range(sam.layers)],
            added.sam,
        ),
        _Stack("vision_encoder.encoder.layers", ("out_proj.", "mlp.fc2."), [True] * clip.layers, added.clip),
        _Stack(
            "language_model.layers",
            ("o_proj", "down_proj"),
            [place < decoder.dense_layers for place in range(decoder.layers)],
            added.decoder,
        ),
    )
    result = dict(tensors)
    for stack in stacks:
        result = _add_to_stack(result, stack)
    return result


def _add_to_stack(tensors: Mapping[str, Tensor], stack: _Stack) -> dict[str, Tensor]:
    numbered = re.compile(rf"(?<=\.{re.escape(stack.within)}\.)\d+(?=\.)")
    count = len(stack.kinds)
    old = [place for place in range(count) if place not in stack.added]
    layers: dict[int, dict[str, Tensor]] = {}
    result = {}
    for name, tensor in tensors.items():
        if number := numbered.search(name):
            layers.setdefault(int(number[0]), {})[name] = tensor
        else:
            result[name] = tensor
    if sorted(layers) != list(range(count - len(stack.added))) or len(layers) != len(old):
        raise CheckpointError(
            f"“{stack.within}” has {len(layers)} layers, which are not {count} with new ones at "
            f"{list(stack.added)}."
        )
    for place, kind in enumerate(stack.kinds):
        alike = [other for other in old if stack.kinds[other] == kind]
        if not alike:
            raise CheckpointError(f"No layer of “{stack.within}” can be what new layer {place} begins as.")
        source = min(alike, key=lambda other: (abs(other - place), -other))
        for name, tensor in layers[old.index(source)].items():
            silent = place in stack.added and any(word in name for word in stack.writing)
            result[numbered.sub(str(place), name)] = torch.zeros_like(tensor) if silent else tensor
    return result
