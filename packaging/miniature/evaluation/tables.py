"""Formats the tables of the model card in Markdown from whatever has been measured so far.

A dash stands for what was not measured. Knows outcomes; no page and no model.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from evaluation.outcomes import Outcome
from evaluation.page_sets import X_HEIGHTS_PX, Group, Look, PageSet
from rtocr_gui.cli.bench.scores import ALL_TOKENS, format_table, make_rows
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.views import choose_tiles

_UNKNOWN = "–"


def card_tables(sets: Sequence[PageSet], outcomes: Sequence[Outcome]) -> str:
    """Return all tables for which there are outcomes, each under its heading."""
    tables = (
        ("Character error rate by mode and x-height in the view (plain text, all tokens)", _error_rates),
        ("Markdown with grounding on clean pages", _markdown),
        ("By retention", _retention),
        ("The sample pages", _samples),
        ("An A4 page at 150 dpi, 11 points, one column, in Gundam", _a4),
        ("Pages of other shapes in Gundam (clean, x-height of 14 pixels on the tiles)", _shapes),
        ("Empty pages, loops, norms and time", _by_mode),
    )
    drawn = ((heading, table(sets, outcomes)) for heading, table in tables)
    return "\n".join(f"### {heading}\n\n{text}" for heading, text in drawn if text)


class _Chosen:
    """Outcomes of selected sets.

    Args:
        sets: all sets of the evaluation.
        outcomes: their outcomes.
        fits: selects the sets.
    """

    def __init__(
        self, sets: Iterable[PageSet], outcomes: Iterable[Outcome], fits: Callable[[PageSet], bool]
    ) -> None:
        names = {one.name for one in sets if fits(one)}
        self.outcomes = [outcome for outcome in outcomes if outcome.page_set in names]
        self.scores = [outcome.score for outcome in self.outcomes if outcome.score is not None]

    @property
    def error_rate(self) -> str:
        """Edits divided by characters of the truth, both summed over pages."""
        characters = sum(score.characters for score in self.scores)
        edits = math.fsum(score.error_rate * score.characters for score in self.scores)
        return f"{edits / characters:.1%}" if characters else _UNKNOWN

    @property
    def cut_off(self) -> str:
        """Number of readings that were stopped in a loop or at the length limit."""
        return f"{sum(score.cut_off for score in self.scores)} of {len(self.scores)}"

    @property
    def seconds(self) -> str:
        """Mean time of a reading."""
        times = [
            score.encode_ms + score.prune_ms + score.prefill_ms + score.decode_ms for score in self.scores
        ]
        return f"{fmean(times) / 1000:.1f}" if times else _UNKNOWN


def _modes(sets: Iterable[PageSet], group: Group) -> list[Mode]:
    return list(dict.fromkeys(one.mode for one in sets if one.group is group))


def _error_rates(sets: Sequence[PageSet], outcomes: Sequence[Outcome]) -> str:
    rows = []
    for mode in _modes(sets, Group.PRINT):
        for look in Look:
            cells = [
                _Chosen(sets, outcomes, _print_like(mode, look, x_height_px)) for x_height_px in X_HEIGHTS_PX
            ]
            if any(cell.scores for cell in cells):
                pages = sum(len(cell.scores) for cell in cells)
                rows.append((mode.value, look.value, str(pages), *(cell.error_rate for cell in cells)))
    return _table(("mode", "pages are", "pages", *(f"{size:g} px" for size in X_HEIGHTS_PX)), rows)


def _print_like(mode: Mode, look: Look, x_height_px: float) -> Callable[[PageSet], bool]:
    wanted = (Group.PRINT, mode, look, x_height_px)
    return lambda one: (one.group, one.mode, one.look, one.x_height_px) == wanted


def _markdown(sets: Sequence[PageSet], outcomes: Sequence[Outcome]) -> str:
    rows = []
    for mode in _modes(sets, Group.MARKDOWN):
        chosen = _Chosen(sets, outcomes, _in(Group.MARKDOWN, mode))
        blocks = sum(one.blocks for one in chosen.outcomes)
        found = sum(one.blocks_found for one in chosen.outcomes)
        right = [bool(one.structure_right) for one in chosen.outcomes]
        if blocks:
            kinds = sum(one.kinds_right for one in chosen.outcomes)
            rows.append(
                (
                    mode.value,
                    str(len(right)),
                    chosen.error_rate,
                    f"{found / blocks:.1%}",
                    f"{kinds / blocks:.1%}",
                    f"{fmean(right):.1%}",
                    chosen.cut_off,
                )
            )
    head = (
        "mode",
        "pages",
        "errors",
        "blocks found (IoU 0.5)",
        "with their kind",
        "structure right",
        "cut off",
    )
    return _table(head, rows)


def _in(group: Group, mode: Mode | None = None) -> Callable[[PageSet], bool]:
    return lambda one: one.group is group and mode in (None, one.mode)


def _retention(sets: Sequence[PageSet], outcomes: Sequence[Outcome]) -> str:
    return _by_setting(_Chosen(sets, outcomes, _in(Group.RETENTION)))


def _samples(sets: Sequence[PageSet], outcomes: Sequence[Outcome]) -> str:
    return _by_setting(_Chosen(sets, outcomes, _in(Group.SAMPLES)))


def _by_setting(chosen: _Chosen) -> str:
    """Format a row for each setting, over the pages that were read at every setting."""
    if not chosen.scores:
        return ""
    settings = dict.fromkeys(outcome.setting for outcome in chosen.outcomes)
    scores = {
        setting: [one.score for one in chosen.outcomes if one.setting == setting and one.score is not None]
        for setting in settings
    }
    shared = set.intersection(*({score.page for score in found} for found in scores.values()))
    return format_table(
        make_rows(
            {setting: [score for score in found if score.page in shared] for setting, found in scores.items()}
        )
    )


def _a4(sets: Sequence[PageSet], outcomes: Sequence[Outcome]) -> str:
    chosen = _Chosen(sets, outcomes, _in(Group.A4))
    row = (str(len(chosen.scores)), chosen.error_rate, chosen.seconds, chosen.cut_off)
    return _table(("pages", "errors", "seconds a page", "cut off"), [row] if chosen.scores else [])


def _shapes(sets: Sequence[PageSet], outcomes: Sequence[Outcome]) -> str:
    rows = []
    for one in sets:
        chosen = _Chosen([one], outcomes, _in(Group.SHAPE))
        if one.kind is not None and chosen.scores:
            width = one.kind.width_px[0]
            size = (width, round(width * one.kind.proportion[0]))
            across, down = choose_tiles(size)
            pages = str(len(chosen.scores))
            rows.append((f"{size[0]} x {size[1]}", f"{across} x {down}", pages, chosen.error_rate))
    return _table(("pixels", "tiles", "pages", "errors"), rows)


def _by_mode(sets: Sequence[PageSet], outcomes: Sequence[Outcome]) -> str:
    rows = []
    for mode in dict.fromkeys(one.mode for one in sets):
        empty = _Chosen(sets, outcomes, _in(Group.EMPTY, mode))
        read = _Chosen(sets, outcomes, _in(Group.PRINT, mode))
        whole = [one for one in read.outcomes if one.setting == ALL_TOKENS]
        correlations = [one.norm_correlation for one in whole if one.norm_correlation is not None]
        if read.outcomes or empty.outcomes:
            silent = f"{sum(one.silent for one in empty.outcomes)} of {len(empty.outcomes)}"
            correlation = f"{fmean(correlations):.2f}" if correlations else _UNKNOWN
            rows.append((mode.value, silent, read.cut_off, correlation, read.seconds))
    head = ("mode", "empty pages read as empty", "cut off", "norm and characters", "seconds a page")
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
