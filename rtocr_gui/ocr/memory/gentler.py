"""How else a page could be read: with fewer visual tokens where memory ran out, differently where it looped.

Pure decisions. Knows modes and tiles; no model, no memory, no page.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rtocr_gui.ocr.memory.need import View
from rtocr_gui.ocr.reading import Mode, ReadSettings, Scaling

TILE_STEPS = (6, 4, 2)
"""Limits of tiles that are tried one after the other."""


def smaller_views(view: View, modes: Sequence[Mode]) -> Iterator[View]:
    """Views with fewer visual tokens, the next smaller one first: fewer tiles, then other modes.

    Args:
        view: how the page was shown.
        modes: modes that the model was made for.
    """
    if view.mode is Mode.GUNDAM:
        yield from (View(Mode.GUNDAM, tiles) for tiles in TILE_STEPS if tiles < view.tiles)
    smaller = (mode for mode in modes if _size(mode) < _size(view.mode))
    yield from map(View, sorted(smaller, key=_size, reverse=True))


def after_memory_ran_out(
    settings: ReadSettings, view: View, modes: Sequence[Mode], fits: Callable[[View], bool]
) -> ReadSettings | None:
    """Settings that need less memory.

    Args:
        settings: that needed too much.
        view: how the page was shown.
        modes: modes that the model was made for.
        fits: tells whether a view fits into memory.

    Returns:
        The same settings with the largest smaller view that fits; None where none does.
    """
    found = next(filter(fits, smaller_views(view, modes)), None)
    return _with_view(settings, found) if found else None


def after_a_loop(
    settings: ReadSettings, view: View, modes: Sequence[Mode], is_legible: bool = True
) -> ReadSettings | None:
    """Settings with which the text may come out without going round in circles.

    Args:
        settings: that ended in a loop.
        view: how the page was shown.
        modes: modes that the model was made for.
        is_legible: False where the view shows the print too small already.

    Returns:
        The same settings with the next smaller view, or the next larger mode where the view is the smallest
        or its print too small; None where there is none.
    """
    smaller = smaller_views(view, modes) if is_legible else iter(())
    larger = sorted((mode for mode in modes if _size(mode) > _size(view.mode)), key=_size)
    found = next(smaller, None) or next(map(View, larger), None)
    return _with_view(settings, found) if found else None


def _with_view(settings: ReadSettings, view: View) -> ReadSettings:
    most = view.tiles or settings.scaling.most_tiles
    return replace(settings, scaling=Scaling(view.mode, most))


def _size(mode: Mode) -> tuple[bool, int]:
    """Gundam shows more than any other mode, whatever its tiles."""
    return mode is Mode.GUNDAM, mode.view_px
