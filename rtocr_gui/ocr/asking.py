"""Makes tasks from the user's own words: to find something on the page, or any other prompt.

What the user types becomes part of a prompt in which some strings control the model; those are refused.
Knows no model and no window.
"""

from dataclasses import dataclass

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.reading import Task

LONGEST_WORDS = 500
"""Most characters that a person may type: a longer prompt leaves less room for the text."""

_LONGEST_LABEL = 20
_STEERING = ("<|", "|>", "<｜", "｜>", "<image>")


@dataclass(frozen=True, slots=True)
class Ask:
    """A kind of task that needs words.

    Attributes:
        name: stable identifier, like `Task.name`.
        label: name in menus.
        question: label of the input field.
        before: text before the words in the prompt.
        after: text after them.
    """

    name: str
    label: str
    question: str
    before: str
    after: str


ASKS = (
    Ask("locate", "Locate", "Words to find on the page:", "\nLocate <|ref|>", "<|/ref|> in the image."),
    Ask("own", "Custom prompt", "What to ask the model about the page:", "\n", ""),
)
"""In menu order."""


def asked_task(ask: Ask, words: str) -> Task:
    """Make a task from what a person typed.

    Args:
        ask: its kind.
        words: what was typed; each run of whitespace becomes a single space.

    Returns:
        The task; its label quotes the words.

    Raises:
        SettingsError: the text is empty, too long, contains a string that controls the model, or contains
            half a character (a lone surrogate).
    """
    one_line = " ".join(words.split())
    if not one_line:
        raise SettingsError("There are no words to ask for. Type some.")
    if len(one_line) > LONGEST_WORDS:
        raise SettingsError(f"The text has {len(one_line)} characters. Use at most {LONGEST_WORDS}.")
    if any("\ud800" <= character <= "\udfff" for character in one_line):
        raise SettingsError("These words contain half a character. Type them again.")
    for character in _STEERING:
        if character in one_line:
            raise SettingsError(
                f"“{character}” is a control code of the model and cannot be asked for. Leave it out."
            )
    quoted = one_line if len(one_line) <= _LONGEST_LABEL else one_line[: _LONGEST_LABEL - 1].rstrip() + "…"
    return Task(ask.name, f"{ask.label} “{quoted}”", f"{ask.before}{one_line}{ask.after}", one_line)
