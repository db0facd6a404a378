"""The sizes of a DeepSeek-OCR model or a sibling, read from its config.json and checked.

Reads the published layout. A few sizes that the official code hard-codes may be given by
extra keys, so that smaller models of the same kind can be described: `image_token_id` and, under
`vision_config.width`, `sam_vit_b.{out_channels, mlp_dim, window_size}` and
`clip-l-14-224.intermediate_size`. Knows no files, no weights and no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.families import Family, recognise
from rtocr_gui.ocr.model.model_files import as_written

SAM_PATCH_PX = 16
SAM_GRID = 64
"""Side of SAM's square position table in patches (1024 pixels)."""

CLIP_PATCH_PX = 14
CLIP_IMAGE_PX = 224
CLIP_POSITIONS = (CLIP_IMAGE_PX // CLIP_PATCH_PX) ** 2 + 1

_OFFICIAL_IMAGE_TOKEN_ID = 128815

_MOST_LAYERS = 256
_MOST_WIDTH = 65_536
_MOST_EXPERTS = 1024
_MOST_TOKENS = 4_194_304
_LEAST_WINDOW = 2
"""Bounds on what a config.json may claim; real models are far from them."""

# The only settings the model code supports. A checkpoint that sets anything else would be misread.
_FIXED_TEXT_SETTINGS: Mapping[str, object] = {
    "use_mla": False,
    "q_lora_rank": None,
    "kv_lora_rank": None,
    "n_group": 1,
    "topk_group": 1,
    "topk_method": "greedy",
    "scoring_func": "softmax",
    "norm_topk_prob": False,
    "routed_scaling_factor": 1.0,
    "moe_layer_freq": 1,
    "hidden_act": "silu",
    "attention_bias": False,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10_000,
    "rope_scaling": None,
    "tie_word_embeddings": False,
}
_FIXED_SETTINGS: Mapping[str, object] = {"tile_tag": "2D", "global_view_pos": "head"}
_WINDOW_KEYS = ("sliding_window", "sliding_window_size")


@dataclass(frozen=True, slots=True)
class SamSizes:
    """The first vision encoder.

    Attributes:
        width: channels of its layers.
        layers: number of layers.
        heads: attention heads per layer.
        mlp_width: channels inside each layer's MLP.
        window: side of the attention windows in patches.
        global_layers: layers that attend to the whole view instead.
        neck_width: channels after the neck.
        downsample: channels after each of the two halvings of the grid.
    """

    width: int
    layers: int
    heads: int
    mlp_width: int
    window: int
    global_layers: tuple[int, ...]
    neck_width: int
    downsample: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ClipSizes:
    """The second vision encoder, which takes SAM's output as its patch embeddings; sizes as in `SamSizes`."""

    width: int
    layers: int
    heads: int
    mlp_width: int


@dataclass(frozen=True, slots=True)
class DecoderSizes:
    """The language model: `dense_layers` plain layers, then layers with experts.

    Attributes:
        width: channels of its layers.
        layers: number of layers, the plain ones included.
        heads: attention heads per layer.
        key_value_heads: heads of keys and values per layer; divides `heads`.
        dense_layers: number of plain layers.
        mlp_width: channels inside the MLP of a plain layer.
        experts: experts per layer, of which a router chooses.
        experts_per_token: how many it chooses for a token.
        shared_experts: experts per layer that take every token.
        expert_width: channels inside an expert.
        vocabulary: number of token ids.
        context_length: most tokens of prompt and text together.
        bos_token_id: with which a prompt begins.
        eos_token_id: with which a text ends.
        window: a generated token attends to the whole prompt and to this many generated tokens, itself
            included; None if it attends to all of them.
    """

    width: int
    layers: int
    heads: int
    key_value_heads: int
    dense_layers: int
    mlp_width: int
    experts: int
    experts_per_token: int
    shared_experts: int
    expert_width: int
    vocabulary: int
    context_length: int
    bos_token_id: int
    eos_token_id: int
    window: int | None = None

    @property
    def key_value_width(self) -> int:
        """Width of the keys, and of the values, of one token in one layer."""
        return self.width // self.heads * self.key_value_heads

    def cached_values(self, tokens: int) -> int:
        """Count the numbers that the keys and values of these tokens consist of, in all layers."""
        return 2 * self.layers * tokens * self.key_value_width


@dataclass(frozen=True, slots=True)
class Architecture:
    """Everything that determines which tensors a model has and how it runs."""

    family: Family
    sam: SamSizes
    clip: ClipSizes
    decoder: DecoderSizes
    image_token_id: int


class _Section:
    """One object in config.json; a value that is refused is reported with its key."""

    def __init__(self, values: object, name: str) -> None:
        if not isinstance(values, Mapping):
            raise CheckpointError(
                f"The model's config.json lacks the section “{name}”, so it is not a DeepSeek-OCR model. "
                "Choose another folder."
            )
        self._values = values
        self._name = name

    def section(self, key: str) -> "_Section":
        return _Section(self._values.get(key), self._path(key))

    def integer(self, key: str, most: int, *, least: int = 1, default: int | None = None) -> int:
        value = self._values.get(key)
        if value is None and default is not None:
            value = default
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.refusal(key, f"must be a whole number from {least} to {most}")
        return value

    def integers(self, key: str, most: int, *, least: int = 1) -> tuple[int, ...]:
        values = self._values.get(key)
        if not isinstance(values, list) or len(values) > _MOST_LAYERS:
            raise self.refusal(key, "must be a short list of whole numbers")
        section = _Section({str(index): value for index, value in enumerate(values)}, self._path(key))
        return tuple(section.integer(str(index), most, least=least) for index in range(len(values)))

    def has(self, key: str) -> bool:
        return self._values.get(key) is not None

    def require(self, fixed: Mapping[str, object]) -> None:
        for key, wanted in fixed.items():
            value = self._values.get(key, wanted)
            if value != wanted:
                wanted_here = as_written(wanted)
                raise self.refusal(key, f"must be {wanted_here}: RTOCR supports nothing else")

    def refusal(self, key: str, reason: str) -> CheckpointError:
        shown = as_written(self._values[key]) if key in self._values else "missing"
        return CheckpointError(
            f"The model's config.json cannot be used: “{self._path(key)}” is {shown}, but {reason}. "
            "Choose another folder, or download the model again."
        )

    def _path(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key


def read_architecture(config: Mapping[str, Any]) -> Architecture:
    """Read the sizes of a model from its config.json.

    Args:
        config: the parsed file.

    Returns:
        The architecture, with every size within bounds and consistent with the others.

    Raises:
        CheckpointError: the model is of another kind, or a value is missing, wrong or absurd.
    """
    family = recognise(config)
    root = _Section(config, "")
    root.require(_FIXED_SETTINGS)
    root.section("projector_config").require({"projector_type": "linear"})
    towers = root.section("vision_config").section("width")
    sam = _read_sam(towers.section("sam_vit_b"))
    clip_section = towers.section("clip-l-14-224")
    clip = _read_clip(clip_section)
    if sam.downsample[1] != clip.width:
        raise clip_section.refusal("width", "must equal the last of sam_vit_b.downsample_channels")
    language = root.section("language_config")
    decoder = _read_decoder(language, _read_window((root, language), family))
    image_token_id = root.integer(
        "image_token_id", decoder.vocabulary - 1, least=0, default=_OFFICIAL_IMAGE_TOKEN_ID
    )
    return Architecture(family, sam, clip, decoder, image_token_id)


def _read_sam(section: _Section) -> SamSizes:
    width = section.integer("width", _MOST_WIDTH)
    layers = section.integer("layers", _MOST_LAYERS)
    heads = section.integer("heads", width)
    if width % heads:
        raise section.refusal("heads", f"must divide the width {width}")
    downsample = section.integers("downsample_channels", _MOST_WIDTH)
    if len(downsample) != 2:
        raise section.refusal("downsample_channels", "must hold two numbers")
    return SamSizes(
        width=width,
        layers=layers,
        heads=heads,
        mlp_width=section.integer("mlp_dim", 8 * _MOST_WIDTH, default=4 * width),
        window=section.integer("window_size", SAM_GRID, default=14),
        global_layers=section.integers("global_attn_indexes", layers - 1, least=0),
        neck_width=section.integer("out_channels", _MOST_WIDTH, default=256),
        downsample=(downsample[0], downsample[1]),
    )


def _read_clip(section: _Section) -> ClipSizes:
    width = section.integer("width", _MOST_WIDTH)
    heads = section.integer("heads", width)
    if width % heads:
        raise section.refusal("heads", f"must divide the width {width}")
    return ClipSizes(
        width=width,
        layers=section.integer("layers", _MOST_LAYERS),
        heads=heads,
        mlp_width=section.integer("intermediate_size", 8 * _MOST_WIDTH, default=4 * width),
    )


def _read_window(sections: Sequence[_Section], family: Family) -> int | None:
    """Read the window, which may be given in up to four places that must agree."""
    given = [(section, key) for section in sections for key in _WINDOW_KEYS if section.has(key)]
    if given and not family.has_window:
        raise given[0][0].refusal(given[0][1], f"{family.name} attends to the whole text")
    if family.has_window and not given:
        raise sections[0].refusal(_WINDOW_KEYS[0], f"{family.name} needs one")
    window: int | None = None
    for section, key in given:
        found = section.integer(key, _MOST_TOKENS, least=_LEAST_WINDOW)
        if window not in (None, found):
            raise section.refusal(key, f"must be {window} as elsewhere in the file")
        window = found
    return window


def _read_decoder(section: _Section, window: int | None) -> DecoderSizes:
    section.require(_FIXED_TEXT_SETTINGS)
    width = section.integer("hidden_size", _MOST_WIDTH)
    heads = section.integer("num_attention_heads", width)
    if width % heads or (width // heads) % 2:
        raise section.refusal("num_attention_heads", f"must divide the width {width} into even parts")
    key_value_heads = section.integer("num_key_value_heads", heads, default=heads)
    if heads % key_value_heads:
        raise section.refusal("num_key_value_heads", f"must divide the {heads} heads")
    layers = section.integer("num_hidden_layers", _MOST_LAYERS)
    experts = section.integer("n_routed_experts", _MOST_EXPERTS)
    vocabulary = section.integer("vocab_size", _MOST_TOKENS)
    return DecoderSizes(
        width=width,
        layers=layers,
        heads=heads,
        key_value_heads=key_value_heads,
        dense_layers=section.integer("first_k_dense_replace", layers, least=0),
        mlp_width=section.integer("intermediate_size", 8 * _MOST_WIDTH),
        experts=experts,
        experts_per_token=section.integer("num_experts_per_tok", experts),
        shared_experts=section.integer("n_shared_experts", _MOST_EXPERTS),
        expert_width=section.integer("moe_intermediate_size", 8 * _MOST_WIDTH),
        vocabulary=vocabulary,
        context_length=section.integer("max_position_embeddings", _MOST_TOKENS),
        bos_token_id=section.integer("bos_token_id", vocabulary - 1, least=0),
        eos_token_id=section.integer("eos_token_id", vocabulary - 1, least=0),
        window=window,
    )
