"""The training loop: batch, loss, gradient, step; killed at any moment, it goes on from its last state.

A stage defines what is learnt; this module only counts, steps, saves and resumes. Several processes on one
machine train together by averaging gradients. Knows no page and no loss.
"""

import copy
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from recipe.growth import NO_LAYERS, AddedLayers
from recipe.model import Learner, encoder_parameters
from recipe.muon import Optimiser
from recipe.processes import sums_over_processes
from recipe.states import STATE_FILE, load_weights, read_facts, read_state, save_state, shapes_of
from recipe.stock import load_stock
from recipe.typefaces import digest_typefaces
from rtocr_gui.errors import CheckpointError, SettingsError

LOG_FILE = "log.jsonl"

_BATCHES_AT_HAND = 33
"""How many batches are learnt from in turn before the next pass over them.

Odd, because the number of a step decides which eighth of the looks and of the blank points is asked for: the
next pass asks for others.
"""
_WARMUP_STEPS = 50
_FULL_RATE_STEPS = 600
FALLING_SHARE = 0.3
"""Final share of a training over which the rate falls linearly to almost zero."""
_LOWEST_RATE = 0.03
_SMOOTHING = 0.95

_CHANGED = "which have changed on this machine: begin a new training from its weights in a new folder"
_BEGUN = {
    "stage": "as the stage “{}”, not “{}”: name the same, or begin from it in a new folder",
    "seed": "on the pages of seed {}, not {}: name the same",
    "passes": "with --passes {}, not {}: name the same",
    "items_per_step": "with {} pages or crops a step, not {}: name the same --processes and --larger",
    "texts": f"with other texts, {_CHANGED}",
    "typefaces": f"with other typefaces, {_CHANGED}",
}
"""What a state says of its training that decides what the next step learns from, and what is told where it
differs from what is asked."""


class Stage(Protocol):
    """One part of the curriculum."""

    @property
    def name(self) -> str:
        """Identifier."""

    @property
    def rate(self) -> float:
        """Learning rate of AdamW."""

    @property
    def encoder_share(self) -> float:
        """Share of the learning rate for the encoder, except its parts for positions and blocks."""

    @property
    def items_per_batch(self) -> int:
        """Number of crops in a batch, or average number of pages."""

    @property
    def seed(self) -> int:
        """Seed of the pages."""

    def enlarged(self, factor: int) -> "Stage":
        """Return the same stage with larger batches."""

    def seeded(self, seed: int) -> "Stage":
        """Return the same stage with other pages."""

    def batches(self, processes: int = 1) -> Dataset[Any]:
        """Return batches by number, the same each time; `processes` of them share a step."""

    def parameters(self, learner: Learner) -> dict[str, nn.Parameter]:
        """Return the parameters to train, by name."""

    def loss(self, learner: Learner, batch: Any, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss to minimise, and figures to log."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a stage is run.

    Attributes:
        folder: folder of the state and the log.
        steps: length of the whole stage; may differ from that of the run being resumed.
        minutes: time limit since the start of the process, at which the stage ends with the rate lowered as
            usual; for a single process only.
        begin_from: folder of another stage, or a checkpoint folder, to start from if there is no state yet.
        heads: file with the heads of that checkpoint, if not in its folder.
        added_layers: layers that those weights do not have.
        device: "cpu" or "cuda".
        processes: number of processes that train together, each with its own batches.
        drawers: number of worker processes that draw pages, for each of them.
        passes: how often each batch is learnt from, for a machine that learns faster than it draws.
        falling_share: final share of the training over which the rate falls linearly.
        save_s: seconds between two states.
        show_steps: steps between two lines of the log.
    """

    folder: Path
    steps: int
    minutes: float | None = None
    begin_from: Path | None = None
    heads: Path | None = None
    added_layers: AddedLayers = NO_LAYERS
    device: str = "cpu"
    processes: int = 1
    drawers: int = 0
    passes: int = 1
    falling_share: float = FALLING_SHARE
    save_s: float = 120.0
    show_steps: int = 20

    def share_left(self, step: int, minutes: float) -> float:
        """Return the remaining share of the training: 1 at its beginning, 0 at its end.

        Args:
            step: steps made so far.
            minutes: minutes since the start of the process.
        """
        by_minutes = 1.0 if self.minutes is None else 1 - minutes / self.minutes
        return max(0.0, min(1 - step / self.steps, by_minutes))

    def batch_number(self, step: int) -> int:
        """Return which batch a step learns from: some dozens in turn, in all their passes, then the next."""
        rounds, place = divmod(step, _BATCHES_AT_HAND)
        return rounds // self.passes * _BATCHES_AT_HAND + place


def learning_rate(step: int, share_left: float, falling_share: float = FALLING_SHARE) -> float:
    """Return the share of the full learning rate at a step.

    The schedule is a warm-up, a plateau, and an inverse square root decay, which is independent of the length
    of the training; over the final share, it is multiplied by a linear decay.
    """
    slow = min(1.0, (step + 1) / _WARMUP_STEPS, math.sqrt(_FULL_RATE_STEPS / max(1, step)))
    return slow * min(1.0, max(_LOWEST_RATE, share_left / falling_share))


def train(stage: Stage, learner: Learner, settings: RunSettings, rank: int = 0) -> None:
    """Train one stage to its end, from wherever it was left.

    Args:
        stage: what to learn.
        learner: learner with its initial weights, the same in all processes.
        settings: how to run it.
        rank: rank of this process; rank 0 saves and logs.

    Raises:
        CheckpointError: see `take_up`.
        SettingsError: see `take_up`.
    """
    device = torch.device(settings.device)
    learner.to(device)
    learner.suit(device)
    parameters = stage.parameters(learner)
    slower = dict.fromkeys(encoder_parameters(learner), stage.encoder_share)
    optimiser = Optimiser(parameters, slower)
    items = stage.items_per_batch * settings.processes
    said = {
        "stage": stage.name,
        "seed": stage.seed,
        "passes": settings.passes,
        "items_per_step": items,
        "texts": load_stock().digest,
        "typefaces": digest_typefaces(held_out=False),
    }
    first = take_up(settings, learner, optimiser, said)
    worker = _in_half_precision(learner)
    learning = stage.parameters(worker)
    worker.requires_grad_(False)
    for parameter in learning.values():
        parameter.requires_grad_(True)
    batches = _batches(stage, settings, rank, first)
    journal = Journal(settings, items, first) if rank == 0 else None
    began = saved_at = time.monotonic()
    step = first
    while share_left := settings.share_left(step, (time.monotonic() - began) / 60):
        loss, figures = stage.loss(worker, next(batches), step)
        loss.backward()  # type: ignore[no-untyped-call]
        _move_gradients(learning, parameters)
        share_gradients(parameters.values(), settings.processes)
        optimiser.step(stage.rate * learning_rate(step, share_left, settings.falling_share))
        _copy_weights(parameters, learning)
        step += 1
        if journal is None:
            continue
        journal.note(step, {"loss": loss.detach(), **figures})
        if time.monotonic() - saved_at > settings.save_s:
            save_state(settings.folder, learner, optimiser, {**said, "step": step})
            saved_at = time.monotonic()
    if journal is not None and step > first:
        journal.show(step)
        save_state(settings.folder, learner, optimiser, {**said, "step": step})


def _in_half_precision(learner: Learner) -> Learner:
    """Copy a learner for the arithmetic: its weights in bfloat16; frequencies of positions stay float32."""
    worker = copy.deepcopy(learner)
    for parameter in worker.parameters():
        parameter.data = parameter.data.bfloat16()
    return worker


@torch.no_grad()
def _move_gradients(source: Mapping[str, nn.Parameter], target: Mapping[str, nn.Parameter]) -> None:
    for name, parameter in source.items():
        target[name].grad = None if parameter.grad is None else parameter.grad.float()
        parameter.grad = None


@torch.no_grad()
def _copy_weights(source: Mapping[str, nn.Parameter], target: Mapping[str, nn.Parameter]) -> None:
    for name, parameter in source.items():
        target[name].copy_(parameter)


def _batches(stage: Stage, settings: RunSettings, rank: int, first: int) -> Iterator[Any]:
    """Yield this process's batches on its device, from step `first` on."""
    order = [settings.batch_number(step) * settings.processes + rank for step in range(first, settings.steps)]
    loader = DataLoader(
        stage.batches(settings.processes),
        batch_size=None,
        sampler=list(dict.fromkeys(order)),
        num_workers=settings.drawers,
        collate_fn=_as_it_is,
    )
    drawn, at_hand = iter(loader), dict[int, Any]()
    for step, number in enumerate(order, first):
        if number not in at_hand:
            at_hand[number] = _on_device(next(drawn), settings.device)
        comes_again = settings.batch_number(step + _BATCHES_AT_HAND) == settings.batch_number(step)
        yield at_hand[number] if comes_again else at_hand.pop(number)


def _on_device(batch: Any, device: str) -> Any:
    """Copy a batch to a device: all tensors in its lists, named tuples and dataclasses."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, list):
        return [_on_device(one, device) for one in batch]
    if is_dataclass(batch) and not isinstance(batch, type):
        parts = {field.name: _on_device(getattr(batch, field.name), device) for field in fields(batch)}
        return replace(batch, **parts)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_on_device(one, device) for one in batch))
    return batch


def _as_it_is(batch: Any) -> Any:
    return batch


def share_gradients(parameters: Iterable[nn.Parameter], processes: int) -> None:
    """Average the gradients over all processes, in one message.

    Args:
        parameters: parameters; those with a gradient must be the same in every process.
        processes: number of processes.
    """
    if processes == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    for gradient, total in zip(gradients, sums_over_processes(gradients), strict=True):
        gradient.copy_(total / processes)


def take_up(
    settings: RunSettings, learner: Learner, optimiser: Optimiser, asked: Mapping[str, object]
) -> int:
    """Load the state of this stage, or start it with the weights of another.

    Args:
        settings: where the state is, and where to start without one.
        learner: receives the weights.
        optimiser: receives its own state.
        asked: what the next states will say of the training; what an older state does not say may differ.

    Returns:
        The number of steps already made.

    Raises:
        CheckpointError: the state is damaged, or of a training on other batches or of other parameters; or
            from `load_weights`.
        SettingsError: more steps are made than are asked for.
    """
    path = settings.folder / STATE_FILE
    if not path.exists():
        if settings.begin_from is not None:
            load_weights(settings.begin_from, learner, settings.heads, settings.added_layers)
        return 0
    said = read_facts(settings.folder)
    for fact, told in _BEGUN.items():
        if fact in said and said[fact] != str(asked[fact]):
            raise CheckpointError(f"{settings.folder} was begun {told.format(said[fact], asked[fact])}.")
    try:
        made = int(said["step"])
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is not the state of a training: it tells of no step.") from error
    if made > settings.steps:
        raise SettingsError(
            f"{made:,} steps are made already: name more, or begin from {settings.folder} in a new folder."
        )
    weights, learning = read_state(settings.folder)
    there = shapes_of(weights), shapes_of(learning)
    if there != (shapes_of(learner.state_dict()), shapes_of(optimiser.state())):
        raise CheckpointError(
            f"In {settings.folder} something else learnt, or it is of an older recipe: go on with the same "
            "--encoder-learns, or begin from it in a new folder."
        )
    learner.load_state_dict(weights)
    optimiser.load_state(learning)
    return made


class Journal:
    """Logs the training: a line of JSON in the log and on the terminal at regular steps and at the end.

    Args:
        settings: where and how often to log.
        items_per_step: pages or crops, for the throughput.
        first: steps made before.
    """

    def __init__(self, settings: RunSettings, items_per_step: int, first: int) -> None:
        settings.folder.mkdir(parents=True, exist_ok=True)
        self._path = settings.folder / LOG_FILE
        if self._path.is_file() and not self._path.read_bytes().endswith(b"\n"):
            with self._path.open("a") as log:
                log.write("\n")  # a kill has cut the last line short
        self._show_steps = settings.show_steps
        self._items_per_step = items_per_step
        self._smooth: dict[str, float] = {}
        self._began = self._shown_at = time.monotonic()
        self._shown_step = first

    def note(self, step: int, figures: Mapping[str, Tensor]) -> None:
        """Record one step."""
        for name, tensor in figures.items():
            value = float(tensor)
            if math.isfinite(value):
                self._smooth[name] = value + _SMOOTHING * (self._smooth.get(name, value) - value)
        if step % self._show_steps == 0:
            self.show(step)

    def show(self, step: int) -> None:
        """Log what has been noted up to this step, unless it has been shown already."""
        if step == self._shown_step:
            return
        now = time.monotonic()
        items = (step - self._shown_step) * self._items_per_step
        line = {
            "step": step,
            **{name: round(value, 4) for name, value in self._smooth.items()},
            "items_per_s": round(items / (now - self._shown_at), 2),
            "seconds": round(now - self._began),
        }
        self._shown_at, self._shown_step = now, step
        print(json.dumps(line), flush=True)
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
