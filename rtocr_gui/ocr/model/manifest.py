"""The names and shapes of all tensors in a DeepSeek-OCR checkpoint of given sizes.

A folder is checked against them before any weight is read. Knows the official names; no files, no torch.
"""

from rtocr_gui.ocr.model.architecture import (
    CLIP_PATCH_PX,
    CLIP_POSITIONS,
    SAM_GRID,
    SAM_PATCH_PX,
    Architecture,
    ClipSizes,
    DecoderSizes,
    SamSizes,
)

Shapes = dict[str, tuple[int, ...]]

_CLIP = "model.vision_model"
_SAM = "model.sam_model"


def expected_tensors(architecture: Architecture) -> Shapes:
    """List the tensors that the model uses.

    Args:
        architecture: the sizes.

    Returns:
        Shapes by official name.
    """
    sam, clip, decoder = architecture.sam, architecture.clip, architecture.decoder
    return {
        **_sam_tensors(sam),
        **_clip_tensors(clip),
        **_linear("model.projector.layers", sam.downsample[1] + clip.width, decoder.width),
        "model.image_newline": (decoder.width,),
        "model.view_seperator": (decoder.width,),
        **_decoder_tensors(decoder),
    }


def unused_tensors(architecture: Architecture) -> Shapes:
    """List the tensors that a checkpoint may hold although the model does not use them.

    Args:
        architecture: the sizes.

    Returns:
        Shapes by official name: CLIP's own patch embedding, which SAM's output replaces, and a table
        of consecutive numbers.
    """
    return {
        f"{_CLIP}.embeddings.patch_embedding.weight": (
            architecture.clip.width,
            3,
            CLIP_PATCH_PX,
            CLIP_PATCH_PX,
        ),
        f"{_CLIP}.embeddings.position_ids": (1, CLIP_POSITIONS),
    }


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _sam_tensors(sam: SamSizes) -> Shapes:
    shapes: Shapes = {
        f"{_SAM}.patch_embed.proj.weight": (sam.width, 3, SAM_PATCH_PX, SAM_PATCH_PX),
        f"{_SAM}.patch_embed.proj.bias": (sam.width,),
        f"{_SAM}.pos_embed": (1, SAM_GRID, SAM_GRID, sam.width),
        f"{_SAM}.neck.0.weight": (sam.neck_width, sam.width, 1, 1),
        **_norm(f"{_SAM}.neck.1", sam.neck_width),
        f"{_SAM}.neck.2.weight": (sam.neck_width, sam.neck_width, 3, 3),
        **_norm(f"{_SAM}.neck.3", sam.neck_width),
        f"{_SAM}.net_2.weight": (sam.downsample[0], sam.neck_width, 3, 3),
        f"{_SAM}.net_3.weight": (sam.downsample[1], sam.downsample[0], 3, 3),
    }
    for index in range(sam.layers):
        block = f"{_SAM}.blocks.{index}"
        offsets = 2 * (SAM_GRID if index in sam.global_layers else sam.window) - 1
        shapes |= {
            **_norm(f"{block}.norm1", sam.width),
            **_linear(f"{block}.attn.qkv", sam.width, 3 * sam.width),
            **_linear(f"{block}.attn.proj", sam.width, sam.width),
            f"{block}.attn.rel_pos_h": (offsets, sam.width // sam.heads),
            f"{block}.attn.rel_pos_w": (offsets, sam.width // sam.heads),
            **_norm(f"{block}.norm2", sam.width),
            **_linear(f"{block}.mlp.lin1", sam.width, sam.mlp_width),
            **_linear(f"{block}.mlp.lin2", sam.mlp_width, sam.width),
        }
    return shapes


def _clip_tensors(clip: ClipSizes) -> Shapes:
    shapes: Shapes = {
        f"{_CLIP}.embeddings.class_embedding": (clip.width,),
        f"{_CLIP}.embeddings.position_embedding.weight": (CLIP_POSITIONS, clip.width),
        **_norm(f"{_CLIP}.pre_layrnorm", clip.width),
    }
    for index in range(clip.layers):
        layer = f"{_CLIP}.transformer.layers.{index}"
        shapes |= {
            **_norm(f"{layer}.layer_norm1", clip.width),
            **_linear(f"{layer}.self_attn.qkv_proj", clip.width, 3 * clip.width),
            **_linear(f"{layer}.self_attn.out_proj", clip.width, clip.width),
            **_norm(f"{layer}.layer_norm2", clip.width),
            **_linear(f"{layer}.mlp.fc1", clip.width, clip.mlp_width),
            **_linear(f"{layer}.mlp.fc2", clip.mlp_width, clip.width),
        }
    return shapes


def _gated_mlp(name: str, width: int, mlp_width: int) -> Shapes:
    return {
        f"{name}.gate_proj.weight": (mlp_width, width),
        f"{name}.up_proj.weight": (mlp_width, width),
        f"{name}.down_proj.weight": (width, mlp_width),
    }


def _decoder_tensors(decoder: DecoderSizes) -> Shapes:
    width, key_value_width = decoder.width, decoder.key_value_width
    shapes: Shapes = {
        "model.embed_tokens.weight": (decoder.vocabulary, width),
        "model.norm.weight": (width,),
        "lm_head.weight": (decoder.vocabulary, width),
    }
    for index in range(decoder.layers):
        layer = f"model.layers.{index}"
        shapes |= {
            f"{layer}.input_layernorm.weight": (width,),
            f"{layer}.self_attn.q_proj.weight": (width, width),
            f"{layer}.self_attn.k_proj.weight": (key_value_width, width),
            f"{layer}.self_attn.v_proj.weight": (key_value_width, width),
            f"{layer}.self_attn.o_proj.weight": (width, width),
            f"{layer}.post_attention_layernorm.weight": (width,),
        }
        if index < decoder.dense_layers:
            shapes |= _gated_mlp(f"{layer}.mlp", width, decoder.mlp_width)
            continue
        shapes[f"{layer}.mlp.gate.weight"] = (decoder.experts, width)
        for expert in range(decoder.experts):
            shapes |= _gated_mlp(f"{layer}.mlp.experts.{expert}", width, decoder.expert_width)
        shapes |= _gated_mlp(
            f"{layer}.mlp.shared_experts", width, decoder.shared_experts * decoder.expert_width
        )
    return shapes
