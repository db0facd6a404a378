"""Makes a checkpoint folder in the official layout from a training state.

python packaging/miniature/export.py runs/both FOLDER --modes tiny small base --tasks text --x-height 10 18
"""

import argparse
import sys
from pathlib import Path

from recipe.commands import failures_in_words, share
from recipe.export import export_checkpoint
from recipe.growth import NO_LAYERS, add_layers_option
from recipe.states import Blend
from rtocr_gui.ocr.reading import TASKS, Mode

_DESCRIPTION = (
    "A very small DeepSeek-OCR of our own, for trying the program. It reads clean print in English and, less "
    "well, other Western European languages, best where the letters are not small. As Markdown, with the "
    "places of blocks, it makes at least twice as many mistakes as in plain text. For real documents, choose "
    "a folder with the published DeepSeek-OCR."
)
_BLEND_SHARE = 0.5


@failures_in_words()
def main() -> int:
    parser = argparse.ArgumentParser(description="Make a checkpoint folder from a training state.")
    parser.add_argument("run", type=Path, help="folder of a stage")
    parser.add_argument("folder", type=Path, help="checkpoint folder to write")
    parser.add_argument(
        "--heads",
        action="store_true",
        help="include the heads, which are needed to continue training from it",
    )
    parser.add_argument("--name", default="RTOCR Miniature")
    parser.add_argument("--description", default=_DESCRIPTION)
    parser.add_argument("--modes", nargs="+", required=True, choices=[mode.value for mode in Mode])
    parser.add_argument("--tasks", nargs="+", required=True, choices=[task.name for task in TASKS])
    parser.add_argument(
        "--x-height",
        nargs=2,
        type=float,
        metavar=("LEAST", "WELL"),
        help="x-height in view pixels below which the user is warned, and from which print is read well",
    )
    parser.add_argument(
        "--gundam-up-to",
        type=float,
        metavar="RATIO",
        help="aspect ratio of the longest pages that are read well in Gundam (longer by shorter side)",
    )
    parser.add_argument(
        "--light-pages-only",
        action="store_true",
        help="have the program invert pages with light print on a dark ground before the model sees them",
    )
    parser.add_argument(
        "--rough-boxes",
        action="store_true",
        help="have the program move blocks to where their text is printed",
    )
    parser.add_argument(
        "--blend-with", type=Path, metavar="FOLDER", help="average with the weights that the run started from"
    )
    parser.add_argument(
        "--blend-heads", type=Path, metavar="FILE", help="heads of those weights, if not in their folder"
    )
    parser.add_argument(
        "--blend-share",
        type=share,
        metavar="SHARE",
        help=f"share of those weights in the average ({_BLEND_SHARE})",
    )
    add_layers_option(parser, "--blend-added-layers", "those weights do not have")
    options = parser.parse_args()
    if options.folder.is_file():
        parser.error(f"{options.folder} is a file, not a folder")
    if options.x_height and not 0 < options.x_height[0] <= options.x_height[1]:
        parser.error("--x-height must be above 0, and LEAST not above WELL")
    blend = None
    part, heads, layers = options.blend_share, options.blend_heads, options.blend_added_layers
    if options.blend_with is None and (part is not None or heads or layers != NO_LAYERS):
        parser.error("--blend-share, --blend-heads and --blend-added-layers need --blend-with")
    if options.blend_with is not None:
        blend = Blend(options.blend_with, _BLEND_SHARE if part is None else part, heads, layers)
    fields = {
        "name": options.name,
        "description": options.description,
        "modes": options.modes,
        "tasks": options.tasks,
    }
    if options.x_height:
        fields["x_height_px"] = dict(zip(("least", "well"), options.x_height, strict=True))
    if options.gundam_up_to is not None:
        fields["gundam_up_to_aspect_ratio"] = options.gundam_up_to
    if options.light_pages_only:
        fields["light_pages_only"] = True
    if options.rough_boxes:
        fields["rough_boxes"] = True
    export_checkpoint(options.run, options.folder, fields, heads=options.heads, blend=blend)
    return 0


if __name__ == "__main__":
    sys.exit(main())
