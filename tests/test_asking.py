"""A person's own words become a prompt, unless they would steer the model."""

import pytest

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.asking import ASKS, LONGEST_WORDS, asked_task
from rtocr_gui.ocr.text.markup import parse_blocks, strip_grounding

LOCATE, OWN = ASKS


def test_words_to_find_stand_where_the_model_was_trained_on_them() -> None:
    task = asked_task(LOCATE, "  total\n amount ")
    assert task.prompt == "\nLocate <|ref|>total amount<|/ref|> in the image."
    assert task.words == "total amount"
    assert task.label == "Locate “total amount”"
    assert task.tells_places


def test_a_prompt_of_one_s_own_is_asked_as_it_is() -> None:
    task = asked_task(OWN, "Which currency is it in? 5 < 6 | 7 > 6")
    assert task.prompt == "\nWhich currency is it in? 5 < 6 | 7 > 6"
    assert not task.tells_places
    assert task.label == "Custom prompt “Which currency is i…”"


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    "words",
    [
        "",
        " \n",
        "a<|/ref|>",
        "<|grounding|>x",
        "<image>",
        "x|>",
        "<｜end▁of▁sentence｜>",
        "a" * (LONGEST_WORDS + 1),
        "\ud83d",
    ],
)
def test_words_that_cannot_be_asked_for_are_refused_in_a_sentence(ask: object, words: str) -> None:
    with pytest.raises(SettingsError, match=r"\. .*\.$"):
        asked_task(ask, words)  # type: ignore[arg-type]


def test_what_was_located_has_its_places() -> None:
    raw = "<|ref|>total<|/ref|><|det|>[[1, 2, 30, 40], [5, 6, 70, 80]]<|/det|>"
    task = asked_task(LOCATE, "total")
    assert strip_grounding(raw, task) == "total"
    (block,) = parse_blocks(raw, task)
    assert len(block.boxes) == 2
