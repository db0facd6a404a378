"""Endless repetition, the most common complaint about this model: what to ban, and when to give up.

All lengths are in tokens of DeepSeek-OCR's vocabulary. A vocabulary of single bytes needs more tokens for the
same text, and so lengths are scaled: otherwise, three lines of a price list would count as a repetition.
Those of tables are not, as their tags are single tokens there too.

Pure NumPy on generated token ids. Knows no model and no text.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

NGRAM_SIZE, NGRAM_WINDOW = 30, 90
"""No n-gram of this size is generated twice within a window of this many tokens: the published settings of
DeepSeek-OCR for images. Deviation: for PDF files it publishes 20 and 50. Here a page is read alike whichever
file it comes in, and the shorter n-gram forbids more lines that do repeat, such as the rows of a list."""

BYTES_PER_TOKEN = 4
"""How many bytes of text a token of DeepSeek-OCR stands for, on average."""

ALLOWED_TOKENS = ("<td>", "</td>")
"""Tokens that may repeat nevertheless, as table cells do."""

LONGEST_PERIOD = 200
"""Longest repeated passage, in tokens, that counts as a loop."""

_TABS_OF_A_LOOP = 60
_LEAST_REPETITIONS = 3
_TABLE_SHARE = 0.25
_GLANCE = 64
_WORST_GLANCE = 0.5

_BANS_OF_A_LOOP = 6
_BAN_SPAN = 300
_NGRAM = 3
# In a loop, the ban on 30-grams strikes at most ten times per span, and makes three trigrams new each time.
_NOVELTY_OF_A_LOOP = 0.11


@dataclass(frozen=True, slots=True)
class _Rule:
    """How long a repetition must last to count as a loop.

    Attributes:
        most_different: share of tokens that may differ from those one period earlier.
        longest_period: longest period, in tokens.
        least_tokens: least length in ordinary text, in tokens.
        least_table_tokens: the same in a table, whose empty rows repeat legitimately; 0 if a table never
            counts.
    """

    most_different: float
    longest_period: int
    least_tokens: int
    least_table_tokens: int

    def scaled(self, scale: int) -> "_Rule":
        """Return the rule for a vocabulary that needs this many times as many tokens."""
        return replace(
            self, longest_period=scale * self.longest_period, least_tokens=scale * self.least_tokens
        )


_RULES = (
    _Rule(0.0, LONGEST_PERIOD, least_tokens=150, least_table_tokens=1000),
    _Rule(0.1, LONGEST_PERIOD, least_tokens=600, least_table_tokens=1500),
    _Rule(0.35, 40, least_tokens=4000, least_table_tokens=0),  # endless counting
)


def banned_tokens(token_ids: Sequence[int], size: int, window: int) -> list[int]:
    """Find the tokens that would complete an n-gram that is already in the window.

    The rule of DeepSeek-OCR's own n-gram processor, applied to generated tokens only.

    Args:
        token_ids: tokens generated so far.
        size: n, at least 2.
        window: how many of the latest tokens to search, at least 1.

    Returns:
        Token ids, possibly with duplicates, possibly none.
    """
    recent = token_ids[-window:]
    lead = size - 1
    end = recent[len(recent) - lead :]
    # Comparing the last token first rules out nearly all places without making a slice.
    return [
        recent[place + lead]
        for place in range(len(recent) - lead)
        if recent[place + lead - 1] == end[-1] and recent[place : place + lead] == end
    ]


def find_tabs(token_ids: Sequence[int], tabs: Mapping[int, int]) -> int | None:
    """Find out whether a text ends in more tabs than the row of a table has cells, and since when.

    Letter by letter, the ban would end such a run before it counts as a loop, and another would follow. Runs
    of dots, dashes and underscores are not looked for: in contents pages and forms, text follows them.

    Args:
        token_ids: tokens generated so far; to be called after every one.
        tabs: number of tabs by token, for tokens that are nothing else.

    Returns:
        Index of the first of these tabs; None if there are not as many.
    """
    start, count = len(token_ids), 0
    while count < _TABS_OF_A_LOOP:
        if not start or token_ids[start - 1] not in tabs:
            return None
        start -= 1
        count += tabs[token_ids[start]]
    return start


def find_loop(
    token_ids: Sequence[int],
    changed_at: Sequence[int] = (),
    table_ids: Collection[int] = (),
    scale: int = 1,
) -> int | None:
    """Find out whether a text ends in a passage that repeats itself, and since when.

    Args:
        token_ids: tokens generated so far.
        changed_at: ascending indices of the tokens that the ban on repetition changed.
        table_ids: tokens that build tables; a passage largely made of them must repeat for longer.
        scale: how many tokens stand for as much text as one of DeepSeek-OCR's.

    Returns:
        Index of the first token that only repeats, before which the text is good; None if no loop is
        recognised.
    """
    start = _periodic(token_ids, table_ids, scale)
    return _held(token_ids, changed_at, scale) if start is None else start


def _periodic(token_ids: Sequence[int], table_ids: Collection[int], scale: int) -> int | None:
    """Find a passage that repeats at a fixed distance, exactly or except for a few tokens."""
    rules = [rule.scaled(scale) for rule in _RULES]
    longest = max(max(rule.least_tokens, rule.least_table_tokens) for rule in rules)
    longest_period = LONGEST_PERIOD * scale
    backwards = np.full(longest + longest_period, -1, dtype=np.int32)
    recent = np.asarray(token_ids[-len(backwards) :], dtype=np.int32)[::-1]
    backwards[: len(recent)] = recent
    earlier = np.lib.stride_tricks.sliding_window_view(backwards, longest)[1:]  # (period, token)
    # The last few tokens suffice to rule out most periods.
    glance = (earlier[:, : _GLANCE * scale] != backwards[: _GLANCE * scale]).mean(axis=1)
    is_table = np.cumsum(np.isin(backwards[:longest_period], list(table_ids)))
    for rule in rules:
        for period in (np.flatnonzero(glance[: rule.longest_period] <= _WORST_GLANCE) + 1).tolist():
            in_table = is_table[period - 1] >= _TABLE_SHARE * period
            least = rule.least_table_tokens if in_table else rule.least_tokens
            needed = max(_LEAST_REPETITIONS * period, least) - period
            if not least or len(recent) < needed + period:
                continue
            differing = np.cumsum((earlier[period - 1] != backwards[:longest]) | (earlier[period - 1] < 0))
            spare = rule.most_different * np.arange(1, longest + 1) - differing
            if spare[needed - 1] >= 0:
                # The loop begins where the balance is greatest: farther back it only loses.
                length = longest - int(spare[::-1].argmax())
                return len(token_ids) - length
    return None


def _held(token_ids: Sequence[int], changed_at: Sequence[int], scale: int) -> int | None:
    """Find a passage that would repeat endlessly if the ban did not keep changing it.

    Each change shifts what follows, so there is no fixed distance any more, but hardly any short run of
    tokens is new. The dot leaders in a table of contents also trigger the ban, but have new titles between
    them.
    """
    count, span, length = len(token_ids), _BAN_SPAN * scale, _NGRAM * scale
    if len(changed_at) < _BANS_OF_A_LOOP or changed_at[-_BANS_OF_A_LOOP] < count - span:
        return None
    recent = token_ids[-3 * span :]
    ngrams = [tuple(recent[place : place + length]) for place in range(len(recent) - length + 1)]
    known = set(ngrams[:-span])
    novel = 0
    for ngram in ngrams[-span:]:
        novel += ngram not in known
        known.add(ngram)
    if novel > _NOVELTY_OF_A_LOOP * span:
        return None
    first = len(changed_at) - 1
    while first and changed_at[first] - changed_at[first - 1] <= span // _BANS_OF_A_LOOP * 2:
        first -= 1
    return _first_repeated(token_ids[: changed_at[first]], length)


def _first_repeated(token_ids: Sequence[int], length: int) -> int:
    """Return where the final run of tokens begins that all occurred earlier, in runs of this length."""
    first_place: dict[tuple[int, ...], int] = {}
    start = len(token_ids)
    for place in range(len(token_ids) - length + 1):
        if first_place.setdefault(tuple(token_ids[place : place + length]), place) == place:
            start = len(token_ids)
        else:
            start = min(start, place)
    return start
