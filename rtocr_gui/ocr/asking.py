"""Tasks in a person's own words: to find something on the page, or whatever else a prompt may say.

What a person types becomes part of a prompt in which some words steer the model; those are refused. Knows
no model and no window.
"""

from dataclasses import dataclass

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.reading import Task

LONGEST_WORDS = 500
"""Characters that a person may type; a prompt takes room from the text."""

_LONGEST_LABEL = 20
_STEERING = ("<|", "|>", "<｜", "｜>", "<image>")


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of task that needs words.

    Attributes:
        name: stable identifier, as `Task.name` is.
        label: what a menu shows.
        question: what a person is asked.
        before: what stands before the words in the prompt.
        after: what stands behind them.
    """

    name: str
    label: str
    question: str
    before: str
    after: str


ASKS = (
    Ask("locate", "Locate", "Words to find on the page:", "\nLocate <|ref|>", "<|/ref|> in the image."),
    Ask("own", "Own prompt", "What to ask the model about the page:", "\n", ""),
)
"""In menu order."""


def asked_task(ask: Ask, words: str) -> Task:
    """Make a task of what a person typed.

    Args:
        ask: its kind.
        words: what was typed; line breaks and repeated blanks become one blank.

    Returns:
        The task, whose label quotes the words.

    Raises:
        SettingsError: there are no words, or too many, or they hold signs that steer the model or are none.
    """
    said = " ".join(words.split())
    if not said:
        raise SettingsError("There are no words to ask for. Type some.")
    if len(said) > LONGEST_WORDS:
        raise SettingsError(f"These are {len(said)} characters. Ask in at most {LONGEST_WORDS}.")
    if any("\ud800" <= sign <= "\udfff" for sign in said):
        raise SettingsError("These words hold half a character, which cannot be asked for. Type them anew.")
    for sign in _STEERING:
        if sign in said:
            raise SettingsError(f"“{sign}” steers the model and cannot be asked for. Leave it out.")
    quoted = said if len(said) <= _LONGEST_LABEL else said[: _LONGEST_LABEL - 1].rstrip() + "…"
    return Task(ask.name, f"{ask.label} “{quoted}”", f"{ask.before}{said}{ask.after}", said)
