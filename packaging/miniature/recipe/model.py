"""The untrained model: stock classes in the sizes of config.json, initial weights, heads for dense labels.

The heads exist only during training. Knows the stock model's parts; knows no data and no optimiser.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import UnlimitedOcrForConditionalGeneration
from transformers.models.unlimited_ocr.modeling_unlimited_ocr import rotate_half

from recipe.alphabet import CLASS_COUNT
from recipe.attention import BY_BLOCKS
from recipe.blocks import KINDS
from recipe.experts import EVERY_EXPERT
from recipe.labels import POINTS_PER_PATCH, SLOTS, WITHIN_STEPS
from rtocr_gui.ocr.model.architecture import Architecture, read_architecture
from rtocr_gui.ocr.model.checkpoint import stock_config
from rtocr_gui.tokens import MOST_TILES

CONFIG = Path(__file__).parents[1] / "config.json"
"""The sizes in the official layout, as exported."""

_GLYPH_WIDTH = 40

POSITIONS = 16
"""Number of rows and of columns that a view is divided into, to predict the positions of its tokens."""

STRIPS = 100
"""Number of strips that a page is divided into, to predict an edge of a block."""

_LOOKING_HEADS = {-4: 1, -3: 3, -2: 3, -1: 4}
"""How many attention heads to supervise in the decoder's last layers, which are counted from the end."""

_EVERY_ID = slice(None)


def read_sizes() -> Architecture:
    """Read the sizes in config.json."""
    values: dict[str, Any] = json.loads(CONFIG.read_text(encoding="utf-8"))
    return read_architecture(values)


class DenseHead(nn.Module):
    """Predicts the character at each of several places from one feature vector.

    Args:
        width: width of the features.
        places: number of characters to predict from each.
    """

    def __init__(self, width: int, places: int) -> None:
        super().__init__()
        self.places = places
        self.spread = nn.Linear(width, places * _GLYPH_WIDTH)
        self.classes = nn.Linear(_GLYPH_WIDTH, CLASS_COUNT)

    def forward(self, features: Tensor, wanted: Tensor) -> Tensor:
        """Compute scores for the wanted places only, as most places are empty.

        Args:
            features: (n, width).
            wanted: (n, places) bool.

        Returns:
            (wanted places, classes).
        """
        glyphs = self.spread(features).unflatten(-1, (self.places, _GLYPH_WIDTH))  # (n, places, glyph)
        scores: Tensor = self.classes(glyphs[wanted])
        return scores


class Learner(nn.Module):
    """The model with its heads.

    Args:
        sizes: sizes of the model.
    """

    def __init__(self, sizes: Architecture) -> None:
        super().__init__()
        self.sizes = sizes
        config = stock_config(sizes)
        towers: Any = config.vision_config
        towers.sam_config.initializer_range = 0.02
        self.model = UnlimitedOcrForConditionalGeneration(config)
        self.point_head = DenseHead(sizes.sam.neck_width, POINTS_PER_PATCH)
        self.slot_head = DenseHead(sizes.decoder.width, SLOTS)
        self.place_head = nn.Linear(sizes.decoder.width, SLOTS)
        self.position_head = nn.Linear(sizes.decoder.width, 2 * POSITIONS)
        self.block_head = nn.Linear(sizes.decoder.width, len(KINDS) + 4 * STRIPS)
        self.within_head = nn.Linear(sizes.decoder.width, 4 * (WITHIN_STEPS + 1))
        self.edge_head = nn.Linear(sizes.decoder.width, STRIPS)
        self.tile_head = nn.Linear(sizes.decoder.width, 2 * MOST_TILES)
        self.kept_head = DenseHead(sizes.decoder.width, SLOTS)
        self._start_id = sizes.decoder.bos_token_id
        self._seen: list[Tensor] = []
        _prepare_encoder(self.model)
        self.model.model.vision_tower.sam_encoder.neck.register_forward_hook(self._keep)
        self.model.model.multi_modal_projector.register_forward_hook(self._keep)

    def suit(self, device: torch.device) -> None:
        """Configure the decoder to be fast on a device; see `recipe.experts` and `recipe.attention`."""
        config = self.model.model.language_model.config
        if device.type == "cuda":
            config._experts_implementation = EVERY_EXPERT
            torch.backends.cuda.enable_cudnn_sdp(False)  # it makes a plan for every text length
        else:
            config._attn_implementation = BY_BLOCKS

    def encode(self, views: Tensor) -> "EncodedViews":
        """Encode square views.

        Args:
            views: (B, S, S) uint8 grey.

        Returns:
            The features that dense labels refer to.
        """
        hidden = self.model.model.vision_tower(self._pixels(views)).last_hidden_state
        self.model.model.multi_modal_projector(hidden)
        return self._take_seen()[0]

    def encode_pages(
        self, views: Tensor, tiles: Tensor | None = None, crop_wh: tuple[int, int] = (0, 0)
    ) -> tuple[Tensor, list["EncodedViews"]]:
        """Encode pages as for the decoder.

        Args:
            views: (B, S, S) uint8 global views.
            tiles: (B, T, 640, 640) uint8, or None.
            crop_wh: tiles across and down.

        Returns:
            (B, V, D) visual sequences with newlines and separator, and the features that the dense labels of
            views and tiles refer to.
        """
        pages = len(views)
        features = self.model.model.get_image_features(
            pixel_values=self._pixels(views),
            pixel_values_local=None if tiles is None else self._pixels(tiles.flatten(0, 1)),
            num_local_patches=None if tiles is None else [tiles.shape[1]] * pages,
            patches_grid=None if tiles is None else [list(crop_wh)] * pages,
        )
        return torch.stack(features.pooler_output), self._take_seen()

    def read(
        self,
        visual: Tensor,
        prompt: Tensor,
        given: Tensor,
        places: Tensor | None = None,
        whole: int = 0,
        looking: slice = _EVERY_ID,
    ) -> "Scores":
        """Score each token of the texts given all tokens before it (teacher forcing).

        Args:
            visual: (B, V, D) visual sequences.
            prompt: (P,) ids.
            given: (B, L) ids of the texts; arbitrary after the end of a text.
            places: (V,) positions of surviving visual tokens in their sequence; None if it is not pruned.
            whole: length of the sequence before pruning.
            looking: ids of the texts whose looks are needed.

        Returns:
            The scores before each token.
        """
        embed = self.model.get_input_embeddings()
        pages, length = given.shape
        start = embed(torch.full((pages, 1), self._start_id, device=given.device))
        asked = embed(prompt)[None].expand(pages, -1, -1)
        sequence = torch.cat([start, visual.to(start.dtype), asked, embed(given[:, :-1])], dim=1)
        positions = order = torch.arange(sequence.shape[1], device=given.device)
        if places is not None:
            after = positions[1 + len(places) :] - len(places) + whole
            positions = torch.cat([positions[:1], 1 + places, after])
        position_ids = positions[None].expand(pages, -1)
        output = self.model.model.language_model(
            inputs_embeds=sequence,
            position_ids=position_ids,
            attention_mask={"full_attention": None},  # causal, whatever the positions are
            use_cache=False,
            output_hidden_states=True,
        )
        *states, _ = output.hidden_states  # inputs to each layer
        decoder = self.model.model.language_model
        rotation = decoder.rotary_emb(sequence, position_ids=position_ids)
        asking = order[-length:][looking]
        looks = [
            _looks(decoder.layers[place], heads, states[place], rotation, asking)
            for place, heads in _LOOKING_HEADS.items()
            if place + len(states) >= 0
        ]
        first_looking, images = max(0, len(states) + min(_LOOKING_HEADS)), slice(1, 1 + visual.shape[1])
        return Scores(
            text=self.model.lm_head(output.last_hidden_state[:, -length:]),
            looks=torch.cat(looks),
            visual=decoder.layers[first_looking].input_layernorm(states[first_looking][:, images]),
            kept=decoder.layers[-1].input_layernorm(states[-1][:, images]),
            slots=self.place_head(states[-1][:, -length:]),
            edges=self.edge_head(states[-1][:, -length:]),
        )

    def _pixels(self, views: Tensor) -> Tensor:
        grey = (views.float() / 127.5 - 1).to(self.model.lm_head.weight.dtype)
        return grey[:, None].expand(-1, 3, -1, -1)

    def _keep(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._seen.append(output)

    def _take_seen(self) -> list["EncodedViews"]:
        seen, self._seen = self._seen, []
        return [
            EncodedViews(neck.permute(0, 2, 3, 1), tokens)
            for neck, tokens in zip(seen[::2], seen[1::2], strict=True)
        ]


@dataclass(frozen=True, eq=False, slots=True)
class Scores:
    """The decoder's scores before each token of the texts.

    Attributes:
        text: (B, L, vocabulary) scores of the next token.
        looks: (heads, B, Q, S) attention scores of the looking heads before Q of the tokens, for the whole
            sequence: the start, the visual tokens, the prompt and the text; -inf for what follows.
        visual: (B, V, D) visual tokens at the input of the first layer with looking heads.
        kept: (B, V, D) visual tokens at the input of the last layer.
        slots: (B, L, slots) scores of the slot of its visual token in which the next token is printed.
        edges: (B, L, strips) scores of the strip of the page with the edge that the next token begins.
    """

    text: Tensor
    looks: Tensor
    visual: Tensor
    kept: Tensor
    slots: Tensor
    edges: Tensor


def _looks(layer: Any, heads: int, states: Tensor, rotation: tuple[Tensor, Tensor], asking: Tensor) -> Tensor:
    """Compute the (heads, B, Q, S) attention scores of a layer's first heads.

    Args:
        layer: layer of the decoder, with a key head for each query head.
        heads: number of heads; all if there are fewer.
        states: (B, S, D) input of the layer.
        rotation: cosines and sines of the positions, (B, S, width of a head).
        asking: (Q,) places in the sequence of the tokens that attend.
    """
    attention, keys = layer.self_attn, torch.arange(states.shape[1], device=states.device)
    heads = min(heads, attention.config.num_attention_heads)
    normed = layer.input_layernorm(states)
    cosines, sines = rotation

    def turned(projection: nn.Linear, part: Tensor | slice) -> Tensor:
        rows = projection.weight[: heads * attention.head_dim]
        flat = nn.functional.linear(normed[:, part], rows)
        vectors = torch.unflatten(flat, -1, (heads, attention.head_dim))
        across: Tensor = rotate_half(vectors)  # type: ignore[no-untyped-call]
        return vectors * cosines[:, part, None] + across * sines[:, part, None]

    query, key = turned(attention.q_proj, asking), turned(attention.k_proj, slice(None))
    scores: Tensor = torch.einsum("bqhd,bkhd->hbqk", query, key) * attention.scaling
    return scores.masked_fill(keys > asking[:, None], -torch.inf)


@dataclass(frozen=True, eq=False, slots=True)
class EncodedViews:
    """The features that dense labels refer to.

    Attributes:
        neck: (B, S/16, S/16, C) features of patches from SAM's neck.
        tokens: (B, (S/64)^2, D) visual tokens.
    """

    neck: Tensor
    tokens: Tensor


def encoder_parameters(learner: Learner) -> dict[str, nn.Parameter]:
    """Return the position-independent parameters of the encoders, the projector and the dense heads.

    SAM's position table stays zero: what a patch shows does not depend on where it is, and windows of 128
    pixels fit every view.

    Args:
        learner: the learner.

    Returns:
        Parameters by name.
    """
    every = {
        **_named("vision_tower", learner.model.model.vision_tower),
        **_named("projector", learner.model.model.multi_modal_projector),
        **_named("point_head", learner.point_head),
        **_named("slot_head", learner.slot_head),
    }
    apart = ("pos_embed", "position_embedding.weight")
    return {name: parameter for name, parameter in every.items() if not name.endswith(apart)}


def token_parameters(learner: Learner) -> dict[str, nn.Parameter]:
    """Return those of `encoder_parameters` that make visual tokens from SAM's neck, and the slot head."""
    tower = learner.model.model.vision_tower
    behind_neck = {
        **_named("vision_tower.sam_encoder.proj", tower.sam_encoder.proj),
        **_named("vision_tower.vision_encoder", tower.vision_encoder),
        **_named("projector", learner.model.model.multi_modal_projector),
        **_named("slot_head", learner.slot_head),
    }
    return {name: one for name, one in encoder_parameters(learner).items() if name in behind_neck}


def position_parameters(learner: Learner) -> dict[str, nn.Parameter]:
    """Return the parameters for positions on a view and for blocks.

    These are CLIP's position table and the heads that predict position and block from visual tokens.
    """
    table = learner.model.model.vision_tower.vision_encoder.embeddings.position_embedding
    return {
        **_named("vision_tower.vision_encoder.embeddings.position_embedding", table),
        **_named("position_head", learner.position_head),
        **_named("block_head", learner.block_head),
        **_named("within_head", learner.within_head),
    }


def decoder_parameters(learner: Learner) -> dict[str, nn.Parameter]:
    """Return the parameters of the language model and its heads, with the newline and the separator."""
    model = learner.model.model
    return {
        **_named("decoder", model.language_model),
        "lm_head.weight": learner.model.lm_head.weight,
        **_named("place_head", learner.place_head),
        **_named("edge_head", learner.edge_head),
        **_named("tile_head", learner.tile_head),
        **_named("kept_head", learner.kept_head),
        "newline": model.image_newline,
        "separator": model.view_separator,
    }


def _named(prefix: str, module: nn.Module) -> dict[str, nn.Parameter]:
    return {f"{prefix}.{name}": parameter for name, parameter in module.named_parameters()}


@torch.no_grad()
def _prepare_encoder(model: UnlimitedOcrForConditionalGeneration) -> None:
    """Initialise weights so that signals pass through, equal for the three colours, with smooth positions."""
    sam = model.model.vision_tower.sam_encoder
    patch = sam.patch_embed.projection.weight  # (C, 3, 16, 16)
    one_colour = torch.randn_like(patch[:, :1]) / math.sqrt(patch[0].numel())
    patch.copy_(one_colour.expand_as(patch))
    for convolution in (sam.neck.conv1, sam.neck.conv2, sam.proj.conv1, sam.proj.conv2):
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="linear")
    table = model.model.vision_tower.vision_encoder.embeddings.position_embedding.weight
    table[1:].copy_(0.1 * _waves(math.isqrt(len(table) - 1), table.shape[1]))


def _waves(side: int, width: int) -> Tensor:
    """Return (side * side, width) sines and cosines of both coordinates, which can be resized."""
    place = (torch.arange(side) + 0.5) / side
    frequencies = math.pi * 2 ** torch.linspace(0, math.log2(side / 2), width // 4)
    phases = place[:, None] * frequencies  # (side, width / 4)
    one = torch.cat([phases.sin(), phases.cos()], dim=1)
    rows, columns = one[:, None].expand(-1, side, -1), one[None].expand(side, -1, -1)
    return torch.cat([rows, columns], dim=-1).flatten(0, 1)
