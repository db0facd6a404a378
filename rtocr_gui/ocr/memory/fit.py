"""Decides whether a model fits into the free memory, and what would fit if it does not.

Decided from sizes, before any weight is loaded. Knows needs and modes; no PyTorch and no hardware: `devices`
finds where the model could run and how much is free there.
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
from rtocr_gui.units import size_in_words

MINIATURE_BYTES = 400 * 10**6
"""Memory that the bundled model takes, in any mode."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An alternative that fits.

    Attributes:
        label: what to do, as on a button or in a list.
        device: where to run the model; empty for the bundled one.
        precision: precision to run it in.
        scaling: how to scale pages; None to leave it unchanged.
    """

    label: str
    device: str = ""
    precision: str = "auto"
    scaling: Scaling | None = None

    @property
    def is_bundled_model(self) -> bool:
        """True if the proposal is to use the bundled model instead."""
        return not self.device


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits.

    Attributes:
        name: name of the model.
        spot: where it would run.
        scaling: how pages would be scaled.
        need: memory needed for that.
        proposals: alternatives that fit, nearest to the request first; empty if it fits.
        largest: the same for the scaling that needs most memory, if each page chooses its own mode; None if
            the mode is set.
    """

    name: str
    spot: Spot
    scaling: Scaling
    need: MemoryNeed
    proposals: tuple[Proposal, ...] = ()
    largest: "Fit | None" = None

    @property
    def fits(self) -> bool:
        """True if there is enough memory, including main memory on the way there."""
        return _has_room(self.spot, self.need)

    @property
    def ways(self) -> str:
        """What would fit instead, within a sentence; empty if nothing would."""
        return "; ".join(f"{one.label[0].lower()}{one.label[1:]}" for one in self.proposals)

    @property
    def sentence(self) -> str:
        """What is needed and what is free."""
        if not self.fits and self.need.total <= self.spot.free_bytes:
            weights, free = size_in_words(self.need.weights), size_in_words(self.spot.main_free_bytes)
            way = f"While loading to {self.spot.name}"
            return f"{way}, {self.name} needs {weights} of main memory; {free} is free."
        needs = f"{size_in_words(self.need.total)} on {self.spot.name} in {self.scaling.phrase}"
        if self.fits and self.largest is not None:
            most = self.largest
            needs += f", up to {size_in_words(most.need.total)} in {most.scaling.phrase}"
        return f"{self.name} needs {needs}; {size_in_words(self.spot.free_bytes)} is free."


class DoesNotFit(CheckpointError):
    """A model was not loaded because there is not enough free memory.

    Attributes:
        fit: what is needed, what is free, and what would fit.
    """

    def __init__(self, fit: Fit) -> None:
        what_fits = f"What fits: {fit.ways}. Or close" if fit.ways else "Close"
        super().__init__(f"{fit.sentence} {what_fits} other programs.")
        self.fit = fit


def judge_fit(
    info: ModelInfo,
    architecture: Architecture,
    scaling: Scaling,
    spot: Spot,
    others: Sequence[Spot] = (),
) -> Fit:
    """Decide whether a model fits, and what else would if it does not.

    Args:
        info: description of the model.
        architecture: its sizes.
        scaling: how pages should be scaled. Without a mode, the one that needs least must fit, as each page
            is judged before it is read; the one that needs most is reported as `largest`.
        spot: where the model should run.
        others: where else it could, best first.
    """

    def need(view: View, at: Spot = spot) -> MemoryNeed:
        return memory_need(architecture, info.parameter_count, view, at.precision, at.device)

    def first_that_fits(views: Iterable[View], at: Spot = spot) -> View | None:
        return next((view for view in views if _has_room(at, need(view, at))), None)

    modes = info.modes if scaling.mode is None else (scaling.mode,)
    views = [View(mode, scaling.most_tiles if mode is Mode.GUNDAM else 0) for mode in modes]
    asked, most = (choose(views, key=lambda view: need(view).total) for choose in (min, max))
    largest = Fit(info.name, spot, most.scaling(scaling.most_tiles), need(most)) if most != asked else None
    fit = Fit(info.name, spot, asked.scaling(scaling.most_tiles), need(asked), largest=largest)
    if fit.fits:
        return fit
    proposals = []
    smaller = tuple(smaller_views(asked, info.modes))
    for similar in (True, False):
        found = first_that_fits(view for view in smaller if (view.mode is asked.mode) is similar)
        if found:
            changed = found.scaling(scaling.most_tiles)
            proposals.append(Proposal(f"Read in {changed.phrase}", spot.device, spot.precision, changed))
    for other in others:
        found = first_that_fits((asked, *smaller), other)
        proposed = {proposal.device for proposal in proposals} - {spot.device}
        if found and not (other.is_slow and other.device in proposed):
            other_scaling = None if found == asked else found.scaling(scaling.most_tiles)
            label = _move(spot, other, other_scaling)
            proposals.append(Proposal(label, other.device, other.precision, other_scaling))
    if min(fit.need.total, spot.main_free_bytes) > MINIATURE_BYTES:
        proposals.append(Proposal("Use the miniature that comes with RTOCR"))
    return replace(fit, proposals=tuple(proposals))


def _has_room(spot: Spot, need: MemoryNeed) -> bool:
    """True if there is enough memory there, and enough main memory for the weights on their way there."""
    on_the_way = need.weights if spot.device.startswith("cuda") else 0
    return need.total <= spot.free_bytes and on_the_way <= spot.main_free_bytes


def _move(spot: Spot, other: Spot, scaling: Scaling | None) -> str:
    """Describe how to run the model somewhere else."""
    label = f"Compute in {other.precision}"
    if other.device != spot.device:
        label = f"Run it on {other.name}, which takes longer"
        label += f", in {other.precision}" if other.is_slow else ""
    label += ", in which this processor is very slow" if other.is_slow and other.device == "cpu" else ""
    return label + (f", and read in {scaling.phrase}" if scaling else "")
