"""What the window tells a person unasked: a sentence, and what they can do about it.

Frozen values. Knows neither how a notice is shown nor how an offer is carried out.
"""

from dataclasses import dataclass

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import MOST_TILES, Mode, Scaling


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """An offer to read one page once more, scaled in another way than the others.

    Attributes:
        ref: the page.
        scaling: how to scale it from now on.
    """

    ref: PageRef
    scaling: Scaling

    @property
    def label(self) -> str:
        """What a button says."""
        return retry_label(self.scaling)

    @property
    def tip(self) -> str:
        """What a button says when it is pointed at."""
        return f"Read {self.ref.label} again: {self.scaling.label}"


Offer = ReadAgain


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell.

    Attributes:
        sentence: what happened.
        offers: what a person can do about it, the best first.
        is_passing: True where it went well and nobody has to do anything: the notice leaves by itself.
    """

    sentence: str
    offers: tuple[Offer, ...] = ()
    is_passing: bool = False


def retry_label(scaling: Scaling) -> str:
    """Name another try: "Read in Base mode", "Read with at most 4 tiles"."""
    if scaling.mode in (None, Mode.GUNDAM) and scaling.most_tiles < MOST_TILES:
        return f"Read with at most {scaling.most_tiles} tiles"
    return f"Read in {scaling.label} mode"
