"""Whether a model fits into the memory that is free, and what would fit where it does not.

Decided from sizes, before a weight is loaded. Knows needs and modes; no PyTorch and no hardware: `devices`
tells where the model could run and what is free there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.machine.spot import Spot
from rtocr_gui.ocr.memory.gentler import smaller_views
from rtocr_gui.ocr.memory.need import MemoryNeed, View, memory_need
from rtocr_gui.ocr.model.architecture import Architecture
from rtocr_gui.ocr.model.model_info import ModelInfo
from rtocr_gui.ocr.reading import Mode, Scaling
from rtocr_gui.tokens import MOST_TILES
from rtocr_gui.units import size_in_words

MINIATURE_BYTES = 400 * 10**6
"""What the model that comes with the program takes, in any mode."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something else that fits.

    Attributes:
        label: what to do, as a button or an item of a list says it.
        device: where to run the model then; empty for the bundled one.
        precision: in which to compute.
        scaling: how to scale pages; None to leave that as it is.
    """

    label: str
    device: str = ""
    precision: str = "auto"
    scaling: Scaling | None = None

    @property
    def is_bundled_model(self) -> bool:
        """True where it is to use the model that comes with the program instead."""
        return not self.device


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits.

    Attributes:
        name: of the model.
        spot: where it would run.
        scaling: how pages would be scaled.
        need: what that takes.
        proposals: what else fits, the nearest to what was asked for first; none where it fits.
        largest: the same for pages scaled as takes most, where each page decides on that; None where that is
            decided.
    """

    name: str
    spot: Spot
    scaling: Scaling
    need: MemoryNeed
    proposals: tuple[Proposal, ...] = ()
    largest: "Fit | None" = None

    @property
    def fits(self) -> bool:
        """True where there is enough memory, also on the way there."""
        return _has_room(self.spot, self.need)

    @property
    def sentence(self) -> str:
        """What is needed against what is free."""
        if not self.fits and self.need.total <= self.spot.free_bytes:
            weights, free = size_in_words(self.need.weights), size_in_words(self.spot.main_free_bytes)
            way = f"On its way to {self.spot.name}"
            return f"{way}, {self.name} needs {weights} of main memory; {free} are free."
        needs = f"{size_in_words(self.need.total)} on {self.spot.name} in mode {self.scaling.label}"
        if self.fits and self.largest is not None:
            most = self.largest
            needs += f", up to {size_in_words(most.need.total)} in mode {most.scaling.label}"
        return f"{self.name} needs {needs}; {size_in_words(self.spot.free_bytes)} are free."


class DoesNotFit(CheckpointError):
    """A model is not loaded, because the memory that is free would not suffice.

    Attributes:
        fit: what is needed, what is free, and what would fit.
    """

    def __init__(self, fit: Fit) -> None:
        ways = "; ".join(proposal.label[0].lower() + proposal.label[1:] for proposal in fit.proposals)
        what_fits = f"What fits: {ways}. Or close" if ways else "Close"
        super().__init__(f"{fit.sentence} {what_fits} other programs.")
        self.fit = fit


def judge_fit(
    info: ModelInfo,
    architecture: Architecture,
    scaling: Scaling | None,
    spot: Spot,
    others: Sequence[Spot] = (),
) -> Fit:
    """Tell whether a model fits, and what else would where it does not.

    Args:
        info: of the model.
        architecture: its sizes.
        scaling: how pages shall be scaled. Without a mode the one that takes least has to fit, as pages are
            judged one by one before they are read; the one that takes most is told.
        spot: where the model shall run.
        others: where else it could, the best first.
    """

    def need(view: View, at: Spot = spot) -> MemoryNeed:
        return memory_need(architecture, info.parameter_count, view, at.precision, at.device)

    def first_that_fits(views: Iterable[View], at: Spot = spot) -> View | None:
        return next((view for view in views if _has_room(at, need(view, at))), None)

    most_tiles = MOST_TILES if scaling is None else scaling.most_tiles
    modes = info.modes if scaling is None or scaling.mode is None else (scaling.mode,)
    views = [View(mode, most_tiles if mode is Mode.GUNDAM else 0) for mode in modes]
    asked, most = (choose(views, key=lambda view: need(view).total) for choose in (min, max))
    largest = Fit(info.name, spot, _scaling(most), need(most)) if most != asked else None
    fit = Fit(info.name, spot, _scaling(asked), need(asked), largest=largest)
    if fit.fits:
        return fit
    proposals = []
    smaller = tuple(smaller_views(asked, info.modes))
    for similar in (True, False):
        found = first_that_fits(view for view in smaller if (view.mode is asked.mode) is similar)
        if found:
            label = f"Read in mode {_scaling(found).label}"
            proposals.append(Proposal(label, spot.device, spot.precision, _scaling(found)))
    for other in others:
        found = first_that_fits((asked, *smaller), other)
        proposed = {proposal.device for proposal in proposals} - {spot.device}
        if found and not (other.is_slow and other.device in proposed):
            changed = None if found == asked else _scaling(found)
            proposals.append(Proposal(_move(spot, other, changed), other.device, other.precision, changed))
    if min(fit.need.total, spot.main_free_bytes) > MINIATURE_BYTES:
        proposals.append(Proposal("Use the miniature that comes with RTOCR"))
    return replace(fit, proposals=tuple(proposals))


def _has_room(spot: Spot, need: MemoryNeed) -> bool:
    """Whether so much is free there, and in main memory for the weights on their way there."""
    on_the_way = need.weights if spot.device.startswith("cuda") else 0
    return need.total <= spot.free_bytes and on_the_way <= spot.main_free_bytes


def _scaling(view: View) -> Scaling:
    return Scaling(view.mode, view.tiles or MOST_TILES)


def _move(spot: Spot, other: Spot, scaling: Scaling | None) -> str:
    """What to do to have the model run somewhere else."""
    label = f"Compute in {other.precision}"
    if other.device != spot.device:
        label = f"Run it on {other.name}, which takes longer"
        label += f", in {other.precision}" if other.is_slow else ""
    label += ", in which this processor is very slow" if other.is_slow and other.device == "cpu" else ""
    return label + (f", and read in mode {scaling.label}" if scaling else "")
