"""Describes an open page in words: how its text came about, what to mistrust, what to do.

Plain functions of a page; they change nothing.
"""

from rtocr_gui.ocr.model.model_info import ModelInfo
from rtocr_gui.ocr.reading import Doubt, EncodedPage, Reading, StageTimings, StopReason
from rtocr_gui.ui.state.notices import retry_label
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.units import counted, duration, grouped, percent

_IN_PARTS = "If you split the page across its longer side, or crop it (Edit menu),"


def summary_of(page: OpenPage) -> str:
    """One line on how the text came about; empty if there is nothing to say."""
    parts, reading = list[str](), page.text_reading
    if reading is not None:
        kept, total = grouped(reading.kept), grouped(reading.total)
        how = "automatic" if reading.automatic else "set by hand"
        parts += ["Read before it was rotated"] if page.is_turned else []
        parts += [
            f"Read from {kept} of {total} tokens (ratio {percent(reading.retention)}, {how})",
            _mode_in_words(page, reading),
            reading.model_name,
        ]
        unsure = len(reading.unsure_words)
        if unsure and not page.corrected and reading.doubt is not Doubt.UNSURE_WORDS:
            parts.append(f"{grouped(unsure)} of {counted(reading.word_count, 'word')} unsure")
    if page.text and (explanation := explanation_of(page)):
        parts.append(explanation)
    if page.edited:
        parts.append("edited by you; reading again replaces your text" if page.was_read else "typed by you")
    return " · ".join(parts)


def encoding_in_words(timings: StageTimings) -> str:
    """How long the encoding of a reading took, and whether that was before it: "1.2 s", "cached (1.2 s)"."""
    return f"cached ({duration(timings.cached_ms)})" if timings.cached_ms else duration(timings.encode_ms)


def _mode_in_words(page: OpenPage, reading: Reading) -> str:
    if page.scaling is not None and page.scaling == reading.settings.scaling:
        return f"{page.scaling.label} (this page only)"
    return reading.mode.label


def explanation_of(page: OpenPage) -> str:
    """Why a page is shown in its state, what to mistrust, and the way out that is offered; may be empty."""
    if page.lacks_picture:
        return page.picture_problem
    parts = [page.sentence] if page.sentence else []
    if page.retry_scaling is not None and not page.edited:
        parts.append(f"To try again, choose “{retry_label(page.retry_scaling)}” in the Read menu.")
    is_as_read = page.state in (PageState.READ, PageState.STOPPED) or page.is_mistrusted
    if page.reading is not None and is_as_read:
        match page.reading.doubt:
            case Doubt.SMALL_PRINT:
                large, name = page.reading.needs_large_print, page.reading.model_name
                parts.append(_about_small_print(page.reading, name, needs_large_print=large))
            case Doubt.LONG_PAGE:
                parts.append(_about_long_page(page.reading, page.reading.model_name))
            case Doubt.UNREAD_PRINT:
                parts.append(_about_unread_print(page.reading))
            case Doubt.UNSURE_WORDS:
                parts.append(_about_unsure_words(page.reading))
            case None if page.reading.stop_reason is StopReason.LENGTH:
                parts.append(f"{_IN_PARTS} each part has a limit of its own.")
    return " ".join(parts)


def outlook_of(encoded: EncodedPage, model: ModelInfo) -> str:
    """Why the text of a page may be wrong that is yet to be read; empty if nothing is known against it."""
    match encoded.doubt:
        case Doubt.SMALL_PRINT:
            return _about_small_print(encoded, model.name, needs_large_print=model.needs_large_print)
        case Doubt.LONG_PAGE:
            return _about_long_page(encoded, model.name)
    return ""


def placeholder_of(page: OpenPage, outlook: str = "") -> str:
    """What is shown in place of the text while there is none.

    Args:
        page: the page.
        outlook: what is known of its text before it is read, as from `outlook_of`.
    """
    by_state = {
        PageState.READING: "Reading…",
        PageState.READ: "No text was found on this page.",
        PageState.EDITED: "",
    }
    unread = f"Not read yet. Press Read. {outlook}".rstrip()
    return explanation_of(page) or by_state.get(page.state, unread)


def _about_small_print(shown: EncodedPage | Reading, model_name: str, *, needs_large_print: bool) -> str:
    """Say that a text may be wrong, and what would show the print larger."""
    if shown.larger_mode is not None:
        mode, larger = (each.label for each in (shown.mode, shown.larger_mode))
        return f"The print seems too small for {mode} mode: the text may be wrong. Choose {larger} mode."
    sentence = f"The print seems too small for {model_name}: the text may be wrong."
    sentence += f" {_IN_PARTS} it is shown larger."
    if not needs_large_print:
        return sentence
    return f"{sentence} DeepSeek-OCR, under Model > Models…, reads smaller print."


def _about_long_page(shown: EncodedPage | Reading, model_name: str) -> str:
    """Say that a text may be wrong, and that parts of the page are read better."""
    return (
        f"The page is too long or too wide for {shown.mode.label} mode of {model_name}: "
        f"the text may be wrong. {_IN_PARTS} it is read better."
    )


def _about_unread_print(reading: Reading) -> str:
    """Say that lines or columns may be missing, and how more of the page is read."""
    sentence = "Much of the print on this page seems to be missing in the text."
    more = _way_to_more_tokens(reading)
    return f"{sentence} {more or f'{_IN_PARTS} more of it is read.'}"


def _about_unsure_words(reading: Reading) -> str:
    """Say that a text may be wrong as a whole, and what the print may be like."""
    causes = "The print may be blurred, on its side, or of a kind that the model does not know."
    return (
        f"{reading.model_name} was unsure of {percent(reading.unsure_share)} of the words: "
        "the text may be wrong. "
        f"{_way_to_more_tokens(reading) or causes}"
    )


def _way_to_more_tokens(reading: Reading) -> str:
    """Say what helps if it was the person who had few tokens kept; empty if it was not."""
    if not reading.was_pruned_by_hand:
        return ""
    return f"Only {percent(reading.retention)} of the tokens were kept: keep more of them, or choose Auto."
