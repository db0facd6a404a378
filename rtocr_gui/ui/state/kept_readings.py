"""The readings of one page that can be compared with each other, and the curves made of them."""

from dataclasses import dataclass, field, replace

from rtocr_gui.ocr.reading import Mode, Reading, ReadSettings, StopReason
from rtocr_gui.ui.state.shown import CurveShown

PRUNED_READINGS_KEPT = 40
"""How many pruned readings of a page are kept, the newest; those of all tokens stay."""


@dataclass(slots=True)
class KeptReadings:
    """Complete readings of a page, as it is rotated, by the model in use, whoever requested them.

    Attributes:
        by_settings: the readings; the newest last.
        curves: the curves that were begun, by the settings of their readings; those that are not complete are
            compared again.
    """

    by_settings: dict[ReadSettings, Reading] = field(default_factory=dict)
    curves: dict[tuple[ReadSettings, ...], CurveShown] = field(default_factory=dict)

    def keep(self, reading: Reading) -> None:
        """Keep a reading; stopped readings are not comparable."""
        if reading.stop_reason is not StopReason.CANCELLED:
            if self.by_settings.pop(reading.settings, None) is not None:
                self.curves = dict.fromkeys(self.curves, CurveShown())
            self.by_settings[reading.settings] = reading
        pruned = [settings for settings, kept in self.by_settings.items() if kept.kept < kept.total]
        for settings in pruned[:-PRUNED_READINGS_KEPT]:
            del self.by_settings[settings]

    def forget(self) -> None:
        """Drop all: what is read from now on cannot be compared with them."""
        self.by_settings.clear()
        self.curves.clear()

    def all_tokens(self, settings: ReadSettings) -> Reading | None:
        """A reading with the same settings that kept every token; None if there is none."""
        return next(
            (
                reading
                for asked, reading in self.by_settings.items()
                if reading.kept == reading.total and replace(asked, pruning=settings.pruning) == settings
            ),
            None,
        )

    def has_looped(self, settings: ReadSettings) -> bool:
        """True if a reading looped that scaled the page as these settings do, by Auto or by name."""
        return any(_looped_like(settings, before) for before in self.by_settings.values())


def _looped_like(settings: ReadSettings, before: Reading) -> bool:
    was, asked = before.settings.scaling, settings.scaling
    has_tiles = asked.mode is Mode.GUNDAM
    return (
        before.stop_reason is StopReason.LOOP
        and before.mode is asked.mode
        and (was.most_tiles == asked.most_tiles or not has_tiles)
        and replace(before.settings, scaling=asked) == settings
    )
