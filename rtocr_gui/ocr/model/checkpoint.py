"""Loads a checked model folder with stock transformers, and refuses anything that does not fit exactly.

DeepSeek-OCR is Unlimited-OCR with full attention in every decoder layer; both are loaded. The weights are
handed over tensor by tensor with an explicit config, so that transformers looks at nothing else in the
folder: no remote code, no adapters, no generation settings. Knows devices and precisions; no page, no text.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import UnlimitedOcrForConditionalGeneration
from transformers.models.unlimited_ocr.configuration_unlimited_ocr import UnlimitedOcrConfig
from transformers.utils import logging as transformers_logging

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.machine.devices import is_out_of_memory
from rtocr_gui.ocr.model.architecture import (
    CLIP_IMAGE_PX,
    CLIP_PATCH_PX,
    SAM_GRID,
    SAM_PATCH_PX,
    Architecture,
)
from rtocr_gui.ocr.model.folder import CheckpointFolder, OpenedFolder
from rtocr_gui.ocr.model.manifest import unused_tensors
from rtocr_gui.ocr.model.model_info import ModelInfo
from rtocr_gui.ocr.model.tokenizer import PageTokenizer


@dataclass(frozen=True, eq=False, slots=True)
class Checkpoint:
    """A model in memory, with its tokenizer and description."""

    info: ModelInfo
    architecture: Architecture
    model: UnlimitedOcrForConditionalGeneration
    tokenizer: PageTokenizer


def load_checkpoint(folder: OpenedFolder, device: torch.device, dtype: torch.dtype) -> Checkpoint:
    """Load a model.

    Args:
        folder: a checked folder.
        device: where the model should run.
        dtype: its precision.

    Returns:
        The model in evaluation mode, with its tokenizer and description.

    Raises:
        CheckpointError: a file has changed since the check, or there is not enough memory.
    """
    return Checkpoint(
        info=folder.info,
        architecture=folder.files.architecture,
        tokenizer=folder.tokenizer,
        model=load_model(folder.files, device, dtype),
    )


def load_model(
    folder: CheckpointFolder, device: torch.device, dtype: torch.dtype
) -> UnlimitedOcrForConditionalGeneration:
    """Load the weights of a checked folder.

    Args:
        folder: a folder whose files fit together.
        device: where the model should run.
        dtype: its precision.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: a file has changed since the check, or there is not enough memory.
    """
    try:
        with _silent_transformers(), _one_tensor_at_a_time(), _opened_weights(folder) as weights:
            loaded: Any = UnlimitedOcrForConditionalGeneration.from_pretrained(
                None,
                config=stock_config(folder.architecture),
                state_dict=weights,
                dtype=dtype,
                attn_implementation="sdpa",
                experts_implementation="grouped_mm" if device.type == "cuda" else "eager",
                output_loading_info=True,
            )
        model, report = loaded
        placed: UnlimitedOcrForConditionalGeneration = model.eval().requires_grad_(False).to(device)
    except (OSError, SafetensorError, RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            size = f"{folder.parameter_count * dtype.itemsize / 1e9:.1f} GB"
            way = "" if device.type == "cpu" else f", and {size} of main memory on the way there"
            raise CheckpointError(
                f"The model needs {size} of memory on “{device}”{way}: more than is free. Close other "
                "programs, or choose another device or a smaller model."
            ) from error
        if isinstance(error, torch.AcceleratorError):
            raise CheckpointError(
                f"“{device}” failed while the model was loaded. Start RTOCR again, or choose another device."
            ) from error
        raise CheckpointError(
            f"The weights in “{folder.path}” cannot be read. Check that you may open the files, or download "
            "them again."
        ) from error
    left = {reason: names for reason, names in report.items() if names}
    if left:
        raise CheckpointError(
            f"The weights in “{folder.path}” do not fit the model as this program computes it "
            f"({', '.join(f'{len(names)} {reason}' for reason, names in left.items())}). Install RTOCR again."
        )
    return placed


@contextmanager
def _opened_weights(folder: CheckpointFolder) -> Iterator[dict[str, Any]]:
    """Open the tensors that the model uses; each is read from its file when its values are needed."""
    unused = unused_tensors(folder.architecture)
    with ExitStack() as files:
        weights: dict[str, Any] = {}
        for path in folder.weight_files:
            # A mapped file would back the model as long as it is loaded, and end the program if it shrank.
            file = files.enter_context(safe_open(path, framework="pt", device="cpu", backend="pread"))
            names = set(file.keys()) - unused.keys()
            weights |= {name: file.get_slice(name) for name in names}
        yield weights


@contextmanager
def _one_tensor_at_a_time() -> Iterator[None]:
    """Keep transformers from reading ahead in threads, which takes twice the memory of the model."""
    name = "HF_DEACTIVATE_ASYNC_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def stock_config(architecture: Architecture) -> UnlimitedOcrConfig:
    """Describe an architecture as a config of stock transformers.

    Args:
        architecture: the sizes.

    Returns:
        A config with the window, or full attention, in every decoder layer. By default, even
        DeepSeek-OCR would attend to the last 128 generated tokens only.
    """
    sam, clip, decoder = architecture.sam, architecture.clip, architecture.decoder
    attention = "full_attention" if decoder.window is None else "reference_sliding_attention"
    window = {} if decoder.window is None else {"sliding_window": decoder.window}
    return UnlimitedOcrConfig(
        image_token_id=architecture.image_token_id,
        text_config={
            "vocab_size": decoder.vocabulary,
            "hidden_size": decoder.width,
            "intermediate_size": decoder.mlp_width,
            "num_hidden_layers": decoder.layers,
            "num_attention_heads": decoder.heads,
            "num_key_value_heads": decoder.key_value_heads,
            "max_position_embeddings": decoder.context_length,
            "first_k_dense_replace": decoder.dense_layers,
            "n_routed_experts": decoder.experts,
            "n_shared_experts": decoder.shared_experts,
            "num_experts_per_tok": decoder.experts_per_token,
            "moe_intermediate_size": decoder.expert_width,
            "bos_token_id": decoder.bos_token_id,
            "eos_token_id": decoder.eos_token_id,
            "layer_types": [attention] * decoder.layers,
            **window,
        },
        vision_config={
            "sam_config": {
                "hidden_size": sam.width,
                "num_hidden_layers": sam.layers,
                "num_attention_heads": sam.heads,
                "mlp_dim": sam.mlp_width,
                "window_size": sam.window,
                "global_attn_indexes": sam.global_layers,
                "output_channels": sam.neck_width,
                "downsample_channels": sam.downsample,
                "patch_size": SAM_PATCH_PX,
                "image_size": SAM_GRID * SAM_PATCH_PX,
            },
            "encoder_config": {
                "hidden_size": clip.width,
                "num_hidden_layers": clip.layers,
                "num_attention_heads": clip.heads,
                "intermediate_size": clip.mlp_width,
                "patch_size": CLIP_PATCH_PX,
                "image_size": CLIP_IMAGE_PX,
            },
        },
    )


@contextmanager
def _silent_transformers() -> Iterator[None]:
    """Keep progress bars and reports off the terminal: problems are raised instead."""
    verbosity = transformers_logging.get_verbosity()
    had_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if had_bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
