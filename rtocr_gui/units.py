"""Formats figures with their units and counts with their nouns.

Every package shares these, so that a figure reads the same everywhere.
"""


def percent(share: float) -> str:
    """A share: "84 %", or "0.4 %" and "99.8 %" where whole percents would hide that it is not none or all."""
    shown = 100 * share
    if 99.5 <= shown < 100:
        return f"{min(shown, 99.9):.1f} %"
    if 0 < shown < 0.1:
        return "0.1 %"
    return f"{f'{shown:.1f}'.removesuffix('.0') if shown < 10 else f'{shown:.0f}'} %"


def share_of_whole(share: float) -> str:
    """A share in 0..1 to a tenth of a percent; only a whole is "100.0 %"."""
    return f"{100.0 if share >= 1 else min(100 * share, 99.9):.1f} %"


def error_in_percent(rate: float) -> str:
    """An error rate to a tenth of a percent; only none is "0.0 %"."""
    return f"{max(100 * rate, 0.1) if rate else 0.0:.1f} %"


def speed(per_second: float) -> str:
    """How many a second: "1,156", or "0.4" where whole numbers would hide it."""
    return grouped(per_second) if per_second >= 9.95 else f"{max(per_second, 0.1):.1f}"


def duration(milliseconds: float) -> str:
    """A time: "12.3 s", "41 ms" or "0.4 ms"."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def time_in_words(seconds: float) -> str:
    """A time to wait, no more exact than an estimate is: "45 s", "3 min" or "2 h"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 100 * 3600 else "more than 4 days"


def size_in_words(byte_count: float) -> str:
    """A size, e.g. "6.7 GB"; in powers of ten, as disks and the hub do."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if byte_count >= factor:
            return f"{byte_count / factor:.{1 if byte_count < 100 * factor else 0}f} {unit}"
    return f"{byte_count:.0f} bytes"


def grouped(count: float) -> str:
    """A count with thousands separators: "1,156"."""
    return f"{count:,.0f}"


def counted(count: int, one: str, several: str = "") -> str:
    """A number of things: "1 page", "2 pages".

    Args:
        count: how many.
        one: the noun.
        several: its plural; empty if that is the noun with an s.
    """
    return f"{grouped(count)} {one if count == 1 else several or f'{one}s'}"
