"""Draws pages of the recipe with their truth, for evaluation or inspection.

    python packaging/miniature/draw_documents.py FOLDER --count 50 --x-height 10 14 --damaged 0 --held-out

Every page becomes NAME.png, NAME.txt (the printed lines) and NAME.md (Markdown with grounding). The seed is
not used by the training.
"""

import argparse
import sys
from pathlib import Path

from recipe.commands import above_0, count, failures_in_words, share
from recipe.pages import EVALUATION_SEED, PageKind, draw_page
from recipe.typefaces import about_missing_typefaces


@failures_in_words()
def main() -> int:
    parser = argparse.ArgumentParser(description="Draw pages of the recipe with their truth.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=count, default=20)
    parser.add_argument("--seed", type=int, default=EVALUATION_SEED)
    parser.add_argument("--width", type=int, nargs=2, default=(1000, 1240), metavar="PX")
    parser.add_argument("--proportion", type=above_0, nargs=2, default=(1.3, 1.45), metavar="HEIGHT/WIDTH")
    parser.add_argument("--x-height", type=above_0, nargs=2, default=(10.0, 14.0), metavar="PX")
    parser.add_argument("--rich", type=share, default=0.7, help="share of pages with titles, columns, ...")
    parser.add_argument("--manuals", type=share, default=0.25, help="share of these laid out like manuals")
    parser.add_argument("--damaged", type=share, default=0.5, help="share of pages that look scanned")
    parser.add_argument("--characters", type=count, default=2500, help="approximate maximum per page")
    parser.add_argument("--held-out", action="store_true", help="in typefaces that the training never sees")
    options = parser.parse_args()
    if options.folder.is_file():
        parser.error(f"{options.folder} is a file, not a folder")
    if any(not 0 < least <= most for least, most in (options.width, options.proportion, options.x_height)):
        parser.error("--width, --proportion and --x-height take the least and the greatest, above 0")
    kind = PageKind(
        width_px=tuple(options.width),
        proportion=tuple(options.proportion),
        x_height_px=tuple(options.x_height),
        rich=options.rich,
        damaged=options.damaged,
        blank=0.0,
        most_characters=options.characters,
        held_out=options.held_out,
        manuals=options.manuals,
    )
    if missing := about_missing_typefaces():
        print(missing, file=sys.stderr)
    options.folder.mkdir(parents=True, exist_ok=True)
    for index in range(options.count):
        page = draw_page(kind, options.seed, index)
        stem = options.folder / f"document_{index:03d}"
        page.image.save(stem.with_suffix(".png"))
        stem.with_suffix(".txt").write_text(page.text + "\n", encoding="utf-8")
        stem.with_suffix(".md").write_text(page.grounded + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
