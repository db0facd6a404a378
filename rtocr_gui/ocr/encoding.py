"""From views to visual tokens, by the model's own vision encoders.

Knows the stock model's interface; knows no page, no plan, no text.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.ocr.views import PageViews, normalise


@torch.inference_mode()
def encode_views(model: UnlimitedOcrForConditionalGeneration, views: PageViews) -> Tensor:
    """Encode a page.

    Args:
        model: in evaluation mode.
        views: one page.

    Returns:
        (n, D) the whole visual sequence in the model's type and on its device, newlines and separator
        included, in the order of `layout.build_layout`.
    """
    across, down = views.crop_wh
    tiled = len(views.tiles) > 0
    features = model.get_image_features(
        pixel_values=_pixel_values(model, normalise(views.global_view[None])),
        pixel_values_local=_pixel_values(model, normalise(views.tiles)) if tiled else None,
        num_local_patches=[len(views.tiles)] if tiled else None,
        patches_grid=[[across, down]] if tiled else None,
    )
    sequence: Tensor = features.pooler_output[0]
    return sequence


def _pixel_values(model: UnlimitedOcrForConditionalGeneration, pixels: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(pixels).to(device=model.device, dtype=model.dtype)
