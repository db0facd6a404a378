"""Scores readings against the truth: the figures of `rtocr bench accuracy`, and their table.

Normalised edit distance (NED, best at 0) is the edit distance divided by the length of the longer text,
averaged over pages. As in OmniDocBench (arXiv 2412.07626, `Edit_dist`, `ALL_page_avg`), only letters, digits
and underscores of any script count, case counts, and all pages have equal weight. Deviations: OmniDocBench
first matches the reading with the annotation block by block, scores text, formulae and tables separately,
and sums edits and lengths over the matched text blocks of a page. Here the whole page is one text in reading
order, including captions, formulae and tables, with HTML tags removed; LaTeX is left as it is, where
OmniDocBench converts it to Unicode. Wrong reading order and headers in the reading therefore count as errors
here, and distances are larger than published ones; rows of one table can be compared.

Character error rate (CER, best at 0) is edits divided by characters of the truth, both summed over pages.
All characters count; a run of whitespace counts as one.

A word is wrong if it is not the word of the truth that it is aligned with. Precision is the share of the
unsure words that are wrong, recall the share of the wrong words that are unsure; words that were left out do
not count.

Relative accuracy (best at 1) is (1 - NED) / (1 - NED with all tokens), over the pages read both ways. Knows
no page and no model.
"""

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rtocr_gui.cli.bench.readings_file import KeptReading
from rtocr_gui.cli.columns import aligned, widths_of
from rtocr_gui.ocr.reading import StopReason
from rtocr_gui.ocr.text.comparison import as_counted, character_error_rate, similarity
from rtocr_gui.ocr.text.unsure_words import find_right_words, find_words
from rtocr_gui.pruning.plan import PruneMethod

_TABLE_TAG = re.compile(
    r"</?(?:table|thead|tbody|tfoot|tr|td|th|caption|colgroup|col)\b[^<>]*>", re.IGNORECASE
)
_NOT_COUNTED = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.

    Attributes:
        method: how tokens are selected; None for all tokens.
        retention: retention ratio; None for automatic.
    """

    method: PruneMethod | None
    retention: float | None

    @property
    def label(self) -> str:
        """Name of the method in the table."""
        return "All tokens" if self.method is None else self.method.label

    @property
    def ratio(self) -> str:
        """The ratio as shown in the table."""
        return "auto" if self.retention is None else f"{self.retention:g}"


ALL_TOKENS = Setting(None, 1.0)


@dataclass(frozen=True, slots=True)
class PageScore:
    """One reading of one page against its truth.

    Attributes:
        page: name of the page.
        distance: normalised edit distance, 0..1.
        error_rate: character error rate; may exceed 1.
        characters: length of the truth, as counted for the error rate.
        kept: share of the prunable visual tokens that was kept.
        cut_off: True if the reading did not end by itself, i.e. was stopped in a loop or at the length limit.
        encode_ms: time of encoding; 0 if the encoding was cached.
        prune_ms: time of planning and merging.
        prefill_ms: time of the prefill.
        decode_ms: time of decoding; shorter if an earlier reading of the page served as a draft.
        words: number of words that were read.
        wrong_words: how many of them are wrong.
        unsure_words: how many of them the model was unsure of.
        found_words: how many of these are wrong.
    """

    page: str
    distance: float
    error_rate: float
    characters: int
    kept: float
    cut_off: bool
    encode_ms: float
    prune_ms: float
    prefill_ms: float
    decode_ms: float
    words: int = 0
    wrong_words: int = 0
    unsure_words: int = 0
    found_words: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one setting over all its pages; None where there is nothing to compare or to divide by.

    Attributes:
        setting: how tokens were pruned.
        pages: number of pages.
        kept: mean share of the prunable visual tokens that was kept, in 0..1.
        distance: mean normalised edit distance (NED), in 0..1.
        error_rate: character error rate (CER) over all pages; may exceed 1.
        relative_accuracy: accuracy relative to that with all tokens; may exceed 1.
        cut_off: number of readings that did not end by themselves.
        encode_ms: mean time of encoding where it was not cached; 0 if it always was.
        prune_ms: mean time of planning and merging.
        prefill_ms: mean time of the prefill.
        decode_ms: mean time of decoding.
        unsure: share of the words that the model was unsure of, in 0..1.
        precision: share of these that are wrong, in 0..1.
        recall: share of the wrong words that are among these, in 0..1.
    """

    setting: Setting
    pages: int
    kept: float
    distance: float
    error_rate: float
    relative_accuracy: float | None
    cut_off: int
    encode_ms: float
    prune_ms: float
    prefill_ms: float
    decode_ms: float
    unsure: float | None
    precision: float | None
    recall: float | None


def countable(text: str) -> str:
    """Return the part of a text that counts in the normalised edit distance."""
    return _NOT_COUNTED.sub("", html.unescape(_TABLE_TAG.sub("", text)))


def score_page(page: str, reading: KeptReading, truth: str) -> PageScore:
    """Compare one reading with the truth.

    Args:
        page: name of the page.
        reading: what was read.
        truth: its true text, not empty.
    """
    words = set(find_words(reading.text))
    right = find_right_words(reading.text, truth)
    unsure = words.intersection(reading.unsure_words)
    return PageScore(
        page=page,
        distance=1.0 - similarity(countable(reading.text), countable(truth)),
        error_rate=character_error_rate(reading.text, truth),
        characters=len(as_counted(truth)),
        kept=reading.kept / reading.total,
        cut_off=reading.stop_reason != StopReason.END.value,
        encode_ms=reading.encode_ms,
        prune_ms=reading.prune_ms,
        prefill_ms=reading.prefill_ms,
        decode_ms=reading.decode_ms,
        words=len(words),
        wrong_words=len(words) - len(right),
        unsure_words=len(unsure),
        found_words=len(unsure - right),
    )


def make_rows(scores: Mapping[Setting, Sequence[PageScore]]) -> list[Row]:
    """Aggregate the scores of every setting that has any.

    Args:
        scores: page scores by setting, in the order of the table.
    """
    of_all = {score.page: score.distance for score in scores.get(ALL_TOKENS, ())}
    return [_row(setting, found, of_all) for setting, found in scores.items() if found]


def _row(setting: Setting, scores: Sequence[PageScore], of_all: dict[str, float]) -> Row:
    shared = [score for score in scores if score.page in of_all]
    reference = fmean(1 - of_all[score.page] for score in shared) if shared else 0.0
    characters = sum(score.characters for score in scores)
    unsure, found = sum(score.unsure_words for score in scores), sum(score.found_words for score in scores)
    return Row(
        setting=setting,
        pages=len(scores),
        kept=fmean(score.kept for score in scores),
        distance=fmean(score.distance for score in scores),
        error_rate=math.fsum(score.error_rate * score.characters for score in scores) / characters,
        relative_accuracy=fmean(1 - score.distance for score in shared) / reference if reference else None,
        cut_off=sum(score.cut_off for score in scores),
        encode_ms=_mean(score.encode_ms for score in scores if score.encode_ms),
        prune_ms=_mean(score.prune_ms for score in scores),
        prefill_ms=_mean(score.prefill_ms for score in scores),
        decode_ms=_mean(score.decode_ms for score in scores),
        unsure=_share(unsure, sum(score.words for score in scores)),
        precision=_share(found, unsure),
        recall=_share(found, sum(score.wrong_words for score in scores)),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return fmean(found) if found else 0.0


def row_as_json(row: Row, scores: Sequence[PageScore]) -> dict[str, object]:
    """Return a row as plain data, with the distance of each page."""
    return {
        "method": None if row.setting.method is None else row.setting.method.value,
        "retention": row.setting.ratio if row.setting.retention is None else row.setting.retention,
        "pages": row.pages,
        "kept": row.kept,
        "normalised_edit_distance": row.distance,
        "character_error_rate": row.error_rate,
        "relative_accuracy": row.relative_accuracy,
        "cut_off": row.cut_off,
        "unsure_words": {"share": row.unsure, "precision": row.precision, "recall": row.recall},
        "mean_ms": {
            "encode": row.encode_ms,
            "prune": row.prune_ms,
            "prefill": row.prefill_ms,
            "decode": row.decode_ms,
        },
        "distance_by_page": {score.page: score.distance for score in scores},
    }


def format_table(rows: Sequence[Row]) -> str:
    """Format the rows as a Markdown table that is also readable as plain text."""
    head = ("Method", "Ratio", "Pages", "Kept", "NED", "CER", "Relative accuracy", "Cut off")
    timed = ("Prune ms", "Prefill ms", "Decode ms")
    cells: list[tuple[str, ...]] = [(*head, "Unsure", "Precision", "Recall", *timed)]
    for row in rows:
        relative = "" if row.relative_accuracy is None else f"{row.relative_accuracy:.2%}"
        shares = (
            "" if share is None else f"{share:.1%}" for share in (row.unsure, row.precision, row.recall)
        )
        cells.append(
            (
                row.setting.label,
                row.setting.ratio,
                str(row.pages),
                f"{row.kept:.1%}",
                f"{row.distance:.4f}",
                f"{row.error_rate:.2%}",
                relative,
                str(row.cut_off),
                *shares,
                f"{row.prune_ms:.1f}",
                f"{row.prefill_ms:.1f}",
                f"{row.decode_ms:.0f}",
            )
        )
    first, *others = widths_of(cells)
    rule = ("-" * first, *("-" * (width - 1) + ":" for width in others))
    lines = aligned((cells[0], rule, *cells[1:]), between=" | ")
    return "".join(f"| {line} |\n" for line in lines)
