"""What `rtocr read` says about a reading: a summary, what to mistrust, and where sought words are.

Knows the options of the command line that help, and no page.
"""

from rtocr_gui.ocr.reading import Doubt, Reading, StopReason
from rtocr_gui.units import counted, percent, speed

_WARNINGS = {
    StopReason.LOOP: "the text began to repeat itself and was stopped there. Its end may be missing.",
    StopReason.LENGTH: "the text reached the length limit. Its end may be missing, or made up.",
    StopReason.CANCELLED: "interrupted. The end of its text is missing.",
}


def summary_of(reading: Reading) -> str:
    """Summarise what a page took, stage by stage."""
    timings = reading.timings
    how = "automatic" if reading.automatic else "as asked"
    pace = f" at {speed(reading.tokens_per_second)} tokens/s" if reading.tokens_per_second else ""
    if reading.read_together:
        pace = " with other pages"
    unsure = f"; {len(reading.unsure_words)} of {counted(reading.word_count, 'word')} unsure"
    return (
        f"{counted(reading.decoded_tokens, 'token')}{pace}{unsure if reading.unsure_words else ''}; "
        f"{reading.kept} of {reading.total} visual tokens kept ({how}); mode {reading.mode.value}; "
        f"encode {timings.encode_ms:.0f} ms, prune {timings.prune_ms:.0f} ms, "
        f"prefill {timings.prefill_ms:.0f} ms, decode {timings.decode_ms:.0f} ms"
    )


def places_in_words(reading: Reading) -> str:
    """Say where the words that were sought are, a line for each place; empty if they were not found."""
    return "\n".join(
        f"- {reading.text[block.start : block.end].strip() or reading.settings.task.words}: "
        f"left {left:.1f} %, top {top:.1f} %, right {right:.1f} %, bottom {bottom:.1f} % of the page"
        for block in reading.blocks
        for left, top, right, bottom in block.boxes_px((100, 100))
    )


def warnings_about(reading: Reading) -> list[str]:
    """Say what to mistrust about a text, and what to try instead."""
    warnings = [_WARNINGS[reading.stop_reason]] if reading.stop_reason in _WARNINGS else []
    match reading.doubt:
        case Doubt.SMALL_PRINT:
            warnings.append(_about_small_print(reading))
        case Doubt.LONG_PAGE:
            warnings.append(_about_long_page(reading))
        case Doubt.UNREAD_PRINT:
            sentence = "much of its print seems to be missing in the text."
            warnings.append(f"{sentence} {_with_more_tokens(reading) or _part_by_part(reading)}")
        case Doubt.UNSURE_WORDS:
            unsure = f"{reading.model_name} was unsure of {percent(reading.unsure_share)} of the words."
            causes = "The print may be blurred, on its side (--rotate), or of an unknown kind."
            warnings.append(f"{unsure} The text may be wrong. {_with_more_tokens(reading) or causes}")
    return warnings


def _about_small_print(reading: Reading) -> str:
    """Warn that a text may be wrong, and say what would show the print larger."""
    if reading.larger_mode is not None:
        mode, larger = reading.mode.value, reading.larger_mode.value
        return f"the print seems too small for mode {mode}. Its text may be wrong. Try --mode {larger}."
    sentence = f"the print seems too small for {reading.model_name}. Its text may be wrong."
    sentence += f" {_part_by_part(reading)}"
    if not reading.needs_large_print:
        return sentence
    return f"{sentence} DeepSeek-OCR reads smaller print: rtocr models download."


def _about_long_page(reading: Reading) -> str:
    """Warn that a text may be wrong, and say how to read parts of the page instead."""
    return (
        f"the page is too long or too wide for mode {reading.mode.value} of {reading.model_name}. "
        f"Its text may be wrong. {_part_by_part(reading)}"
    )


def _with_more_tokens(reading: Reading) -> str:
    return "Try a larger --retention." if reading.was_pruned_by_hand else ""


def _part_by_part(reading: Reading) -> str:
    if reading.ref.half is None:
        return "Try --split top-bottom, or left-right if the page is wide."
    return "Try --crop to read one part after the other."
