"""The figures of a reading beside those of the all-token reading, as rows of text.

Knows which figures there are, what is in each cell and what it is compared with. Knows no widget.
An unknown figure is a dash; a ratio is given only between figures obtained in the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rtocr_gui.ocr.reading import PrefillCost, Reading, StopReason
from rtocr_gui.ocr.text.unsure_words import UNSURE_BELOW
from rtocr_gui.ui.state.page_words import encoding_in_words
from rtocr_gui.ui.state.shown import FiguresShown
from rtocr_gui.units import counted, duration, grouped, percent, size_in_words, speed

DASH = "–"
MARK = " *"
"""Follows a decoding figure that is not that of plain decoding of this page alone; a note says why."""

_IF_PLAIN = "Compared only where both readings were decoded token by token"


class FigureKind(Enum):
    """How a figure was obtained; the values are headings."""

    COUNTED = "Counted"
    MEASURED = "Measured on this computer"
    COMPUTED = "Computed from the model's sizes"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure.

    Attributes:
        kind: how it was obtained.
        name: what it is.
        tip: what it means, in a sentence.
        this: for this reading.
        all_tokens: for the reading that keeps every token.
        ratio: `this` as a share of `all_tokens`.
    """

    kind: FigureKind
    name: str
    tip: str
    this: str
    all_tokens: str
    ratio: str


def figure_rows(shown: FiguresShown) -> tuple[FigureRow, ...]:
    """All rows, in the order to show them."""
    return (*_counted(shown), *_measured(shown), *_computed(shown))


def has_own_pace(reading: Reading) -> bool:
    """True if the decoding time is that of plain decoding of this page alone."""
    return not (reading.was_drafted or reading.read_together)


def _is_cut_short(reading: Reading) -> bool:
    return reading.stop_reason is StopReason.CANCELLED


def notes(shown: FiguresShown) -> tuple[str, ...]:
    """What one must know to interpret the figures correctly, a sentence or two each."""
    reading, plan = shown.reading, shown.plan
    sentences = []
    if reading is None:
        return (shown.lack,) if plan is not None and shown.lack else ()
    if plan is not None and len(plan.norms) != reading.total:
        sentences.append(
            f"Figures of the last reading, of {grouped(reading.total)} tokens; "
            f"the page now has {grouped(len(plan.norms))}."
        )
    elif plan is not None and len(plan.kept) != reading.kept:
        sentences.append(
            f"Figures of the last reading, with {grouped(reading.kept)} of {grouped(reading.total)} tokens; "
            f"the slider now keeps {grouped(len(plan.kept))}."
        )
    named = [("This reading", reading)]
    if shown.all_tokens not in (None, reading):
        named.append(("All tokens", shown.all_tokens))
    for name, one in named:
        if _is_cut_short(one):
            sentences.append(f"{name} was stopped before the end of the text, so its figures are lower.")
        if one.was_drafted:
            passes = counted(one.passes, "pass", "passes")
            sentences.append(
                f"{MARK.strip()} {name}: checked against a draft, in {passes} for "
                f"{counted(one.decoded_tokens, 'token')}, so this is not the speed of plain decoding."
            )
        elif one.read_together:
            sentences.append(
                f"{MARK.strip()} {name}: decoded in the same passes as other pages, "
                "so this is not the time of this page alone."
            )
    if reading.kept < reading.total:
        saved = 1 - reading.cost.flops / reading.cost_of_all.flops
        cache = reading.cost_of_all.cache_bytes - reading.cost.cache_bytes
        sentences.append(
            f"Pruning saves {percent(saved)} of the prefill's operations and "
            f"{size_in_words(cache)} of memory."
        )
    if shown.all_tokens is None:
        sentences.append("Read the page once at 100 % to compare the measured figures.")
    return tuple(sentences)


def _counted(shown: FiguresShown) -> list[FigureRow]:
    kept, total, padding = _counts_of(shown)
    merged = None if kept is None or total is None else total - kept
    padding_share = _share(padding, total)

    def row(name: str, tip: str, this: int | None, of_all: int | None) -> FigureRow:
        return FigureRow(FigureKind.COUNTED, name, tip, _count(this), _count(of_all), _share(this, of_all))

    return [
        row("Kept", "Visual tokens that the decoder is given", kept, total),
        row(
            "Merged", "Visual tokens that are merged into the kept ones", merged, None if total is None else 0
        ),
        FigureRow(
            FigureKind.COUNTED, "Total", "Visual tokens of the page", _count(total), _count(total), DASH
        ),
        FigureRow(
            FigureKind.COUNTED,
            "Padding",
            "Share of the visual tokens that cover only the border that makes the page square",
            padding_share,
            padding_share,
            DASH,
        ),
        row(
            "Unsure words",
            f"Words of the text that the model found less than {percent(UNSURE_BELOW)} likely",
            *(None if each is None else len(each.unsure_words) for each in (shown.reading, shown.all_tokens)),
        ),
    ]


def _measured(shown: FiguresShown) -> list[FigureRow]:
    reading, all_tokens = shown.reading, shown.all_tokens
    known = [each for each in (reading, all_tokens) if each is not None]
    decoded_alike = all(has_own_pace(each) for each in known)
    whole = not any(_is_cut_short(each) for each in known)
    measured_alike = len({each.timings.encode_ms > 0 for each in known}) == 1

    def row(
        name: str,
        tip: str,
        figure: Callable[[Reading], float],
        words: Callable[[float], str],
        comparable: bool = True,
        of_decoding: bool = False,
    ) -> FigureRow:
        def cell(one: Reading | None) -> str:
            if one is None:
                return DASH
            return words(figure(one)) + (MARK if of_decoding and not has_own_pace(one) else "")

        ratio = DASH
        if reading is not None and all_tokens is not None and comparable:
            ratio = _share(figure(reading), figure(all_tokens))
        return FigureRow(FigureKind.MEASURED, name, tip, cell(reading), cell(all_tokens), ratio)

    def encoding(one: Reading | None) -> str:
        return DASH if one is None else encoding_in_words(one.timings)

    return [
        FigureRow(
            FigureKind.MEASURED,
            "Encode",
            "Turning the page into visual tokens: done once for a page, whatever its retention",
            encoding(reading),
            encoding(all_tokens),
            DASH,
        ),
        row(
            "Prune",
            "Choosing tokens and merging the others, after measuring them if the page was just encoded. "
            "Compared only if that holds for both readings or for neither",
            lambda each: each.timings.prune_ms,
            duration,
            measured_alike,
        ),
        row(
            "Prefill",
            "Processing the prompt, before the first word of the text",
            lambda each: each.timings.prefill_ms,
            duration,
        ),
        row(
            "Decode",
            f"Writing the text. {_IF_PLAIN}, to the end",
            lambda each: each.timings.decode_ms,
            duration,
            decoded_alike and whole,
            of_decoding=True,
        ),
        row(
            "Tokens/s",
            f"Decoding speed. {_IF_PLAIN}",
            lambda each: each.tokens_per_second,
            lambda per_second: speed(per_second) if per_second else DASH,
            decoded_alike,
            of_decoding=True,
        ),
        row(
            "Passes",
            f"Passes of the decoder after the prefill. {_IF_PLAIN}, to the end",
            lambda each: each.passes,
            _count,
            decoded_alike and whole,
            of_decoding=True,
        ),
        row(
            "Text tokens",
            "Tokens of the text that was written. Compared only where both readings came to an end",
            lambda each: len(each.token_ids),
            _count,
            whole,
        ),
    ]


def _computed(shown: FiguresShown) -> list[FigureRow]:
    reading = shown.reading

    def row(
        name: str, tip: str, figure: Callable[[PrefillCost], float], words: Callable[[float], str]
    ) -> FigureRow:
        if reading is None:
            return FigureRow(FigureKind.COMPUTED, name, tip, DASH, DASH, DASH)
        this, of_all = figure(reading.cost), figure(reading.cost_of_all)
        return FigureRow(FigureKind.COMPUTED, name, tip, words(this), words(of_all), _share(this, of_all))

    return [
        row(
            "Prompt tokens",
            "Tokens of the prefill: visual ones, their newlines and the words of the task",
            lambda cost: cost.prompt_tokens,
            _count,
        ),
        row("Prefill work", "Floating-point operations of the prefill", lambda cost: cost.flops, operations),
        row(
            "KV cache",
            "Memory for the keys and values of the prompt while the page is read",
            lambda cost: cost.cache_bytes,
            size_in_words,
        ),
    ]


def _counts_of(shown: FiguresShown) -> tuple[int | None, int | None, int | None]:
    """Kept, total and padding: of the reading, or of the plan before the first reading, else unknown."""
    if shown.reading is not None:
        return shown.reading.kept, shown.reading.total, shown.reading.padding
    if shown.plan is not None:
        layout = shown.plan.layout
        return len(shown.plan.kept), len(shown.plan.norms), int(layout.padding[layout.prunable].sum())
    return None, None, None


def operations(flops: float) -> str:
    """Floating point operations with their unit."""
    units = ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP")
    power = 0
    while flops >= 1000 and power < len(units) - 1:
        flops, power = flops / 1000, power + 1
    return f"{flops:.3g} {units[power]}" if flops < 100 else f"{flops:.0f} {units[power]}"


def _count(figure: float | None) -> str:
    return DASH if figure is None else grouped(figure)


def _share(this: float | None, of_all: float | None) -> str:
    return DASH if this is None or not of_all else percent(this / of_all)
