"""Proposes other settings for a page: fewer visual tokens if memory ran out, another view if it looped.

Pure decisions. Knows modes and tiles; no model, no memory and no page.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rtocr_gui.ocr.memory.need import View
from rtocr_gui.ocr.reading import Mode, ReadSettings

TILE_STEPS = (6, 4, 2)
"""Tile limits to try one after the other."""


def smaller_views(view: View, modes: Sequence[Mode]) -> Iterator[View]:
    """Yield views with fewer visual tokens, the next smaller one first: fewer tiles, then other modes.

    Args:
        view: how the page was shown.
        modes: modes the model was made for.
    """
    yield from (View(Mode.GUNDAM, tiles) for tiles in TILE_STEPS if tiles < view.tiles)
    smaller = (mode for mode in modes if _size(mode) < _size(_shown_as(view)))
    yield from map(View, sorted(smaller, key=_size, reverse=True))


def after_memory_ran_out(
    settings: ReadSettings, view: View, modes: Sequence[Mode], fits: Callable[[View], bool]
) -> ReadSettings | None:
    """Find settings that need less memory.

    Args:
        settings: the settings that needed too much.
        view: how the page was shown.
        modes: modes the model was made for.
        fits: returns whether a view fits into memory.

    Returns:
        The same settings with the largest smaller view that fits; None if none does.
    """
    found = next(filter(fits, smaller_views(view, modes)), None)
    return replace(settings, scaling=found.scaling(settings.scaling.most_tiles)) if found else None


def after_a_loop(
    settings: ReadSettings, view: View, modes: Sequence[Mode], is_legible: Callable[[View], bool]
) -> ReadSettings | None:
    """Find settings with which the text may not end in a loop.

    Args:
        settings: the settings that ended in a loop.
        view: how the page was shown.
        modes: modes the model was made for.
        is_legible: returns whether a view shows the print of the page large enough.

    Returns:
        The same settings with the next smaller view that is legible, or else with the next larger mode; None
        if there is no such view.
    """
    larger = (mode for mode in modes if _size(mode) > _size(_shown_as(view)) and mode is not view.mode)
    found = next(filter(is_legible, smaller_views(view, modes)), None)
    found = found or next(map(View, sorted(larger, key=_size)), None)
    return replace(settings, scaling=found.scaling(settings.scaling.most_tiles)) if found else None


def _shown_as(view: View) -> Mode:
    """The mode that shows a page as this view does: without tiles, Gundam is Base."""
    return Mode.BASE if view.mode is Mode.GUNDAM and not view.tiles else view.mode


def _size(mode: Mode) -> tuple[bool, int]:
    """Sort key: Gundam shows more than any other mode, whatever its tiles."""
    return mode is Mode.GUNDAM, mode.view_px
