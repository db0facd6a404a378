"""Make a checkpoint folder in the official layout from a training state.

python packaging/miniature/export.py runs/both FOLDER --modes tiny small base --tasks text --x-height 10 18
"""

import argparse
import sys
from pathlib import Path

from recipe.export import Description, export_checkpoint

from rtocr_gui.ocr.model_info import PrintSizes
from rtocr_gui.ocr.reading import TASKS, Mode

_DESCRIPTION = (
    "A very small DeepSeek-OCR of our own, for trying the program. It reads clean, printed pages in Western "
    "European languages; for real documents, choose a folder with the published DeepSeek-OCR."
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a checkpoint folder from a training state.")
    parser.add_argument("run", type=Path, help="folder of a stage")
    parser.add_argument("folder", type=Path, help="checkpoint folder to write")
    parser.add_argument("--heads", action="store_true", help="with what a training needs to go on from it")
    parser.add_argument("--name", default="RTOCR Miniature")
    parser.add_argument("--description", default=_DESCRIPTION)
    parser.add_argument("--modes", nargs="+", required=True, choices=[mode.value for mode in Mode])
    parser.add_argument("--tasks", nargs="+", required=True, choices=[task.name for task in TASKS])
    parser.add_argument(
        "--x-height",
        nargs=2,
        type=float,
        metavar=("LEAST", "WELL"),
        help="pixels in a view below which print is warned of, and from which it is read well",
    )
    options = parser.parse_args()
    said = Description(
        options.name,
        options.description,
        [Mode(name) for name in options.modes],
        options.tasks,
        PrintSizes(*options.x_height) if options.x_height else None,
    )
    export_checkpoint(options.run, options.folder, said, heads=options.heads)
    return 0


if __name__ == "__main__":
    sys.exit(main())
