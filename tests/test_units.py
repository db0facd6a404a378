"""A figure reads the same wherever it stands."""

import pytest

from rtocr_gui.units import (
    counted,
    duration,
    error_in_percent,
    grouped,
    percent,
    share_of_whole,
    size_in_words,
    speed,
    time_in_words,
)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (percent(0.004), "0.4 %"),
        (percent(0.0), "0 %"),
        (percent(0.0004), "0.1 %"),
        (percent(0.05), "5 %"),
        (percent(0.0999), "10 %"),
        (percent(0.8425), "84 %"),
        (percent(0.994), "99 %"),
        (percent(0.996), "99.6 %"),
        (percent(0.99999), "99.9 %"),
        (percent(1.0), "100 %"),
        (percent(1.6), "160 %"),
        (speed(0.43), "0.4"),
        (speed(1.43), "1.4"),
        (speed(9.96), "10"),
        (speed(0.04), "0.1"),
        (speed(1156), "1,156"),
        (duration(0.42), "0.4 ms"),
        (duration(41.2), "41 ms"),
        (duration(12345.0), "12.3 s"),
        (time_in_words(0.2), "1 s"),
        (time_in_words(89), "89 s"),
        (time_in_words(90), "2 min"),
        (time_in_words(89 * 60), "89 min"),
        (time_in_words(90 * 60), "2 h"),
        (time_in_words(100 * 3600), "more than 4 days"),
        (size_in_words(999), "999 bytes"),
        (size_in_words(1_048_576), "1.0 MB"),
        (size_in_words(592_000), "592 kB"),
        (size_in_words(6_672_000_000), "6.7 GB"),
        (share_of_whole(1.0), "100.0 %"),
        (share_of_whole(0.9997), "99.9 %"),
        (share_of_whole(0.8346), "83.5 %"),
        (error_in_percent(0.0), "0.0 %"),
        (error_in_percent(0.0003), "0.1 %"),
        (error_in_percent(0.055), "5.5 %"),
        (error_in_percent(1.25), "125.0 %"),
        (grouped(897), "897"),
        (grouped(1156), "1,156"),
        (counted(1, "page"), "1 page"),
        (counted(1156, "token"), "1,156 tokens"),
        (counted(0, "page"), "0 pages"),
        (counted(2, "pass", "passes"), "2 passes"),
    ],
)
def test_figures_and_counts_are_told_with_their_units_and_nouns(told: str, words: str) -> None:
    assert told == words
