"""Measures what the encoder of a training state recognises, by size of type, without a decoder.

    python packaging/miniature/measure_encoder.py runs/encoder

For clean, scanned and held-out print: the share of points and of slots whose character is right, and the
correlation of a token's norm with the logarithm of the characters it covers; finally, the mean over the sizes
that the decoder should read well.
"""

import argparse
import sys
from pathlib import Path
from statistics import fmean

import torch

from recipe.commands import count, failures_in_words
from recipe.crops import CropBatches, CropPlan
from recipe.losses import dense_loss
from recipe.model import Learner, read_sizes
from recipe.pages import EVALUATION_SEED, PageKind
from recipe.states import load_weights

_X_HEIGHTS_PX = (8.0, 10.0, 14.0, 20.0, 30.0, 44.0)
_LEAST_WANTED_PX = 10.0
_CROP_PX = 256
_LOOKS = {"clean": (0.0, False), "scanned": (1.0, False), "held out": (0.0, True)}
_COLUMNS = ("points_right", "slots_right", "norm_correlation")


@torch.inference_mode()
def measure(
    learner: Learner, x_height_px: float, damaged: float, held_out: bool, pages: int
) -> dict[str, float]:
    side_px = 2 * _CROP_PX  # so that whole crops are cut without scaling
    kind = PageKind((side_px,) * 2, (1.0, 1.0), (x_height_px,) * 2, 0.3, damaged, 0.0, held_out=held_out)
    plan = CropPlan(kind, _CROP_PX, crops_per_page=(2, 2), pages_per_batch=pages, seed=EVALUATION_SEED)
    batch = CropBatches(plan)[0]
    _, figures = dense_loss(learner, learner.encode(batch.views), batch.points, batch.slots, turn=0)
    return {name: float(figures[name]) for name in _COLUMNS}


def _show(look: str, size: str, figures: dict[str, float]) -> None:
    print(f"{look:<10}{size:>9}" + "".join(f"{figures[name]:>18.3f}" for name in _COLUMNS))


@failures_in_words()
def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what the encoder of a training state sees.")
    parser.add_argument("run", type=Path, help="folder of a stage, or a checkpoint folder")
    parser.add_argument("--heads", type=Path, metavar="FILE", help="of a checkpoint, if not in its folder")
    parser.add_argument("--pages", type=count, default=12, help="pages for each line (default 12)")
    parser.add_argument("--threads", type=count, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    learner = Learner(read_sizes()).eval()
    load_weights(options.run, learner, options.heads)
    print(f"{'print':<10}{'x-height':>9}" + "".join(f"{name:>18}" for name in _COLUMNS))
    for look, (damaged, held_out) in _LOOKS.items():
        wanted = []
        for x_height_px in _X_HEIGHTS_PX:
            figures = measure(learner, x_height_px, damaged, held_out, options.pages)
            _show(look, f"{x_height_px:.0f}", figures)
            if x_height_px >= _LEAST_WANTED_PX:
                wanted.append(figures)
        _show(look, ">= 10", {name: fmean(figures[name] for figures in wanted) for name in _COLUMNS})
    return 0


if __name__ == "__main__":
    sys.exit(main())
