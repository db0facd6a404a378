"""Writes the model card of a checkpoint from its figures and its training, a RUN for each stage in order.

    python packaging/miniature/write_card.py CHECKPOINT figures.jsonl RUN...

The card is written to MODEL_CARD.md in the checkpoint's folder, unless it exists; what a person still has to
write is listed.
"""

import argparse
import sys
from pathlib import Path

from evaluation.card import TO_WRITE, write_card
from evaluation.outcomes import Record, name_reader
from evaluation.page_sets import Group, plan_sets
from evaluation.tables import card_tables
from recipe.commands import failures_in_words
from rtocr_gui.ocr.model.folder import inspect_checkpoint


@failures_in_words()
def main() -> int:
    parser = argparse.ArgumentParser(description="Write the model card of a checkpoint.")
    parser.add_argument("checkpoint", type=Path, help="checkpoint folder")
    parser.add_argument("record", type=Path, help="file of finished readings from evaluate.py")
    parser.add_argument("runs", type=Path, nargs="*", help="folders of the stages, in order")
    parser.add_argument("--card", type=Path, help="(MODEL_CARD.md in the checkpoint's folder)")
    options = parser.parse_args()
    folder: Path = options.checkpoint.resolve()
    info = inspect_checkpoint(folder)
    record = Record(options.record, name_reader(folder))
    sets = plan_sets(info, info.modes, list(Group))
    tables = card_tables(sets, record.outcomes)
    card = write_card(info, options.runs, tables)
    if not tables:
        sys.exit(
            f"{options.record} holds no reading of this checkpoint on a CPU: make it with evaluate.py first."
        )
    target: Path = options.card or folder / "MODEL_CARD.md"
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(card)
    except FileExistsError:
        sys.exit(f"{target} exists and is not replaced: name another file with --card.")
    print("\n".join(line for line in card.splitlines() if TO_WRITE in line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
