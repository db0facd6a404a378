"""How well readings agree with the truth: the figures of `rtocr bench accuracy`, and their table.

Normalised edit distance (NED, best at 0) is the edit distance over the length of the longer text, page by
page, averaged over the pages. As OmniDocBench (arXiv 2412.07626, `Edit_dist`, `ALL_page_avg`) has it:
only letters, digits and underscores count, of any script; case counts; every page weighs the same. Not as
there: OmniDocBench first matches the reading block by block with the annotation, scores text, formulae and
tables apart, and sums edits and lengths over the matched text blocks of a page. Here the whole page is one
text in reading order, captions, formulae and tables included, whose HTML tags are taken out; LaTeX stays as
it is, where OmniDocBench turns it into Unicode. Wrong reading order and headers that are read out therefore
cost here, and distances come out larger than published ones; rows of one table compare.

Character error rate (CER, best at 0) is edits over characters of the truth, summed over the pages. All
characters count; any run of blanks and line breaks counts as one.

Relative accuracy (best at 1) is (1 - NED) / (1 - NED with all tokens), on the pages that both were read on.
"""

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rtocr_gui.cli.columns import aligned, widths_of
from rtocr_gui.cli.readings_file import KeptReading
from rtocr_gui.ocr.reading import StopReason
from rtocr_gui.ocr.text.comparison import character_error_rate, similarity
from rtocr_gui.pruning.plan import PruneMethod

_TABLE_TAG = re.compile(
    r"</?(?:table|thead|tbody|tfoot|tr|td|th|caption|colgroup|col)\b[^<>]*>", re.IGNORECASE
)
_NOT_COUNTED = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.

    Attributes:
        method: by which tokens are chosen; None for all tokens.
        retention: ratio to keep; None where the page decides.
    """

    method: PruneMethod | None
    retention: float | None

    @property
    def label(self) -> str:
        """What the table calls the method."""
        return "All tokens" if self.method is None else self.method.label

    @property
    def ratio(self) -> str:
        """What the table says of the ratio."""
        return "auto" if self.retention is None else f"{self.retention:g}"


ALL_TOKENS = Setting(None, 1.0)


@dataclass(frozen=True, slots=True)
class PageScore:
    """One reading of one page against its truth.

    Attributes:
        page: names the page.
        distance: normalised edit distance, 0..1.
        error_rate: character error rate; may exceed 1.
        characters: length of the truth, as the error rate counts it.
        kept: share of the prunable visual tokens that was kept.
        cut_off: whether the reading was stopped, in a loop or at the greatest length.
        encode_ms: time of encoding; 0 where the encoding was at hand.
        prune_ms: time of planning and merging.
        prefill_ms: time of the prefill.
        decode_ms: time of decoding; less where an earlier reading of the page served as a draft.
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


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one setting over all its pages; `relative_accuracy` is None without a comparison."""

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


def counted(text: str) -> str:
    """What of a text counts in the normalised edit distance."""
    return _NOT_COUNTED.sub("", html.unescape(_TABLE_TAG.sub("", text)))


def score_page(page: str, reading: KeptReading, truth: str) -> PageScore:
    """Compare one reading with the truth.

    Args:
        page: names the page.
        reading: what was read.
        truth: what it says, not empty.
    """
    joined = " ".join(truth.split())
    return PageScore(
        page=page,
        distance=1.0 - similarity(counted(reading.text), counted(truth)),
        error_rate=character_error_rate(" ".join(reading.text.split()), joined),
        characters=len(joined),
        kept=reading.kept / reading.total,
        cut_off=reading.stop_reason != StopReason.END.value,
        encode_ms=reading.encode_ms,
        prune_ms=reading.prune_ms,
        prefill_ms=reading.prefill_ms,
        decode_ms=reading.decode_ms,
    )


def make_rows(scores: Mapping[Setting, Sequence[PageScore]]) -> list[Row]:
    """Sum up every setting that has a page.

    Args:
        scores: of each setting, in the order of the table.
    """
    of_all = {score.page: score.distance for score in scores.get(ALL_TOKENS, ())}
    return [_row(setting, found, of_all) for setting, found in scores.items() if found]


def _row(setting: Setting, scores: Sequence[PageScore], of_all: dict[str, float]) -> Row:
    shared = [score for score in scores if score.page in of_all]
    reference = fmean(1 - of_all[score.page] for score in shared) if shared else 0.0
    characters = sum(score.characters for score in scores)
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
    )


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return fmean(found) if found else 0.0


def row_as_json(row: Row, scores: Sequence[PageScore]) -> dict[str, object]:
    """A row as plain data, with its distance page by page."""
    return {
        "method": None if row.setting.method is None else row.setting.method.value,
        "retention": row.setting.ratio if row.setting.retention is None else row.setting.retention,
        "pages": row.pages,
        "kept": row.kept,
        "normalised_edit_distance": row.distance,
        "character_error_rate": row.error_rate,
        "relative_accuracy": row.relative_accuracy,
        "cut_off": row.cut_off,
        "mean_ms": {
            "encode": row.encode_ms,
            "prune": row.prune_ms,
            "prefill": row.prefill_ms,
            "decode": row.decode_ms,
        },
        "distance_by_page": {score.page: score.distance for score in scores},
    }


def format_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, which reads well as plain text too."""
    head = ("Method", "Ratio", "Pages", "Kept", "NED", "CER", "Relative accuracy", "Cut off")
    timed = ("Prune ms", "Prefill ms", "Decode ms")
    cells = [(*head, *timed)]
    for row in rows:
        relative = "" if row.relative_accuracy is None else f"{row.relative_accuracy:.2%}"
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
                f"{row.prune_ms:.1f}",
                f"{row.prefill_ms:.1f}",
                f"{row.decode_ms:.0f}",
            )
        )
    first, *others = widths_of(cells)
    rule = ("-" * first, *("-" * (width - 1) + ":" for width in others))
    lines = aligned((cells[0], rule, *cells[1:]), between=" | ")
    return "".join(f"| {line} |\n" for line in lines)
