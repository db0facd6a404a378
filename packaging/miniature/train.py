"""Trains the miniature, stage by stage.

    python packaging/miniature/train.py encoder runs/encoder --steps N
    python packaging/miniature/train.py decoder runs/decoder --steps N --begin-from runs/encoder
    python packaging/miniature/train.py pages runs/pages --steps N --begin-from runs/decoder
    python packaging/miniature/train.py both runs/both --steps N --begin-from runs/pages

A stage can be repeated from the weights of a later one, in a new folder and with another `--seed` for other
pages; the encoder stage then uses small type from the first step.

If killed at any moment, the same command resumes from the last state in its folder. It can be given fewer
`--steps` than before, to end a training early. `--minutes` limits the time to that for which a machine is
available; it is counted from the start of each process.
"""

import argparse
import multiprocessing.connection
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
import torch.distributed
from huggingface_hub.utils import WeakFileLock
from torch.multiprocessing.spawn import ProcessExitedException, spawn

from recipe.commands import above_0, count, failures_in_words, share
from recipe.encoder_stage import EncoderStage
from recipe.growth import NO_LAYERS, add_layers_option
from recipe.model import Learner, read_sizes
from recipe.pages import EVALUATION_SEED
from recipe.reading_stages import both_stage, decoder_stage, pages_stage
from recipe.training import FALLING_SHARE, RunSettings, Stage, train
from recipe.typefaces import about_missing_typefaces, find_typefaces
from rtocr_gui.cli.values import count_of
from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.machine.devices import choose_device

_STAGES: dict[str, Callable[..., Stage]] = {
    "encoder": EncoderStage,
    "decoder": decoder_stage,
    "pages": pages_stage,
    "both": both_stage,
}
_FIRST_WEIGHTS_SEED = 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the miniature, stage by stage.")
    parser.add_argument("stage", choices=_STAGES)
    parser.add_argument("folder", type=Path, help="folder for the state and the log")
    parser.add_argument("--steps", type=count, required=True, help="length of the whole stage")
    parser.add_argument("--minutes", type=above_0, help="end early, after this many minutes")
    parser.add_argument(
        "--begin-from", type=Path, metavar="FOLDER", help="folder of an earlier stage, or a checkpoint folder"
    )
    parser.add_argument(
        "--heads", type=Path, metavar="FILE", help="heads of that checkpoint, if not in its folder"
    )
    add_layers_option(parser, "--added-layers", "the starting weights do not have")
    parser.add_argument("--rate", type=above_0, help="learning rate, if not the stage's own")
    parser.add_argument(
        "--falling-share",
        type=above_0,
        default=FALLING_SHARE,
        metavar="SHARE",
        help=f"final share of the training over which the rate falls linearly ({FALLING_SHARE})",
    )
    parser.add_argument("--seed", type=int, help="seed of the pages, if not the stage's own")
    parser.add_argument(
        "--pruned", type=share, metavar="SHARE", help="share of the batches of “both” to prune (0)"
    )
    parser.add_argument(
        "--encoder-learns",
        choices=("nothing", "tokens", "all"),
        help="in “both”; “tokens” freezes SAM, “nothing” the whole encoder (all)",
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--processes", type=count, default=1, help="number of CPU processes that train together"
    )
    parser.add_argument("--threads", type=count, default=1, help="threads per process (default 1)")
    parser.add_argument(
        "--drawers",
        type=count_of("a number", 0),
        default=0,
        help="processes that draw pages, per training process",
    )
    parser.add_argument(
        "--passes", type=count, default=1, metavar="N", help="learn from each batch N times; for a fast GPU"
    )
    parser.add_argument(
        "--larger",
        type=count,
        default=1,
        metavar="N",
        help="N times the pages in a batch, and in “encoder” all of their crops, for a GPU",
    )
    parser.add_argument("--save-s", type=above_0, default=120, help="seconds between states (default 120)")
    options = parser.parse_args()
    if options.folder.is_file():
        parser.error(f"{options.folder} is a file, not a folder")
    try:
        options.device = str(choose_device(options.device))
    except SettingsError as error:
        parser.error(str(error))
    if options.added_layers != NO_LAYERS and options.begin_from is None:
        parser.error("layers can be added only to weights that the training begins from")
    if options.heads is not None and options.begin_from is None:
        parser.error("heads belong to weights that the training begins from: name those with --begin-from")
    if options.minutes is not None and options.processes > 1:
        parser.error("processes that train together count steps, not minutes: their clocks may differ")
    if options.stage != "both" and any(one is not None for one in (options.pruned, options.encoder_learns)):
        parser.error("--pruned and --encoder-learns are for the stage “both”")
    if options.seed == EVALUATION_SEED:
        parser.error(f"the pages of seed {EVALUATION_SEED} are kept for the evaluation")
    return options


@failures_in_words()
def _run(rank: int, options: argparse.Namespace, settings: RunSettings, meeting: Path | None = None) -> None:
    torch.set_num_threads(options.threads)
    if meeting is not None:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        store = torch.distributed.FileStore(str(meeting), settings.processes)  # type: ignore[attr-defined]
        torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=settings.processes)
    asked = ("rate", "pruned", "encoder_learns")
    own = {name: value for name in asked if (value := getattr(options, name)) is not None}
    stage = _STAGES[options.stage](**own)
    if options.seed is not None:
        stage = stage.seeded(options.seed)
    torch.manual_seed(_FIRST_WEIGHTS_SEED)
    with _alone_in(settings.folder) if rank == 0 else nullcontext():
        train(stage.enlarged(options.larger), Learner(read_sizes()), settings, rank)
    if meeting is not None:
        torch.distributed.destroy_process_group()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a folder.

    Raises:
        SettingsError: there is one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = WeakFileLock(folder / ".lock", timeout=0.1)
    try:
        lock.__enter__()
    except TimeoutError as error:
        raise SettingsError(
            f"Another training runs in {folder}: wait for its end, or name another."
        ) from error
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def _end_with_parent() -> None:
    """End with the parent: an orphan would write to the same state as the processes that resume it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


@failures_in_words()
def main() -> int:
    options = _parse()
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")  # batches vary in size
    settings = RunSettings(
        folder=options.folder,
        steps=options.steps,
        minutes=options.minutes,
        begin_from=options.begin_from,
        heads=options.heads,
        added_layers=options.added_layers,
        device=options.device,
        processes=options.processes,
        drawers=options.drawers,
        passes=options.passes,
        falling_share=options.falling_share,
        save_s=options.save_s,
    )
    if missing := about_missing_typefaces():
        print(missing, file=sys.stderr)
    find_typefaces(held_out=False)  # tells here that there are none, and not in a process that draws
    if settings.processes == 1:
        _run(0, options, settings)
        return 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            spawn(_run, (options, settings, Path(folder, "meeting")), nprocs=settings.processes)  # type: ignore[no-untyped-call]
    except ProcessExitedException as ended:
        if ended.signal_name:
            raise
        return ended.exit_code  # it has said why
    return 0


if __name__ == "__main__":
    sys.exit(main())
