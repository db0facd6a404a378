"""Text becomes ids and ids become text, whole characters at a time."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from rtocr_gui.ocr.model.architecture import read_architecture
from rtocr_gui.ocr.model.tokenizer import PageTokenizer, TextStream, spell
from rtocr_gui.ocr.reading import TASKS
from rtocr_gui.resources import resource_path


def bundled_tokenizer() -> PageTokenizer:
    config = json.loads(resource_path("miniature/config.json").read_text())
    return PageTokenizer.from_file(resource_path("miniature/tokenizer.json"), read_architecture(config))


TOKENIZER = bundled_tokenizer()
FIRST_BYTE = 64  # the bundled vocabulary has the bytes 0..255 at 64..319


def stream(token_ids: list[int]) -> list[str]:
    text = TextStream(TOKENIZER)
    return [*(text.feed(token_id) for token_id in token_ids), text.finish()]


@given(st.text())
def test_text_survives_encoding_and_streaming(text: str) -> None:
    assert "".join(stream(TOKENIZER.encode(text))) == text


@given(st.binary())
def test_any_bytes_stream_as_their_utf8_text(data: bytes) -> None:
    pieces = stream([FIRST_BYTE + byte for byte in data])
    assert "".join(pieces) == data.decode("utf-8", errors="replace")


def test_no_piece_holds_half_a_character() -> None:
    pieces = stream(TOKENIZER.encode("a漢é"))
    assert pieces == ["a", "", "", "漢", "", "é", ""]


def test_an_unfinished_character_is_told_at_the_end() -> None:
    assert stream(TOKENIZER.encode("é")[:1]) == ["", "\ufffd"]


@given(st.binary())
def test_tokens_are_placed_in_the_text_that_streams(data: bytes) -> None:
    token_ids = [FIRST_BYTE + byte for byte in data]
    text, offsets = spell(TOKENIZER, token_ids)
    assert text == "".join(stream(token_ids))
    assert len(offsets) == len(data) + 1
    assert (offsets[0], offsets[-1]) == (0, len(text))
    assert (offsets[1:] >= offsets[:-1]).all()


def test_tokens_of_one_character_begin_together() -> None:
    assert spell(TOKENIZER, TOKENIZER.encode("a漢é"))[1].tolist() == [0, 1, 1, 1, 2, 2, 3]
    assert spell(TOKENIZER, TOKENIZER.encode("é")[:1])[1].tolist() == [0, 1]


def test_leading_and_repeated_spaces_stay() -> None:
    assert "".join(stream(TOKENIZER.encode("  two,  then\n  more "))) == "  two,  then\n  more "


def test_markup_and_table_tags_are_single_tokens() -> None:
    assert len(TOKENIZER.encode("<|ref|><td></td><|/ref|>")) == 4
    assert TOKENIZER.token_bytes(TOKENIZER.encode("<td>")[0]) == b"<td>"


def test_only_tokens_of_the_model_have_ids() -> None:
    assert TOKENIZER.token_ids(["<td>", "</td>"]) == set(TOKENIZER.encode("<td></td>"))
    assert TOKENIZER.token_ids(["no such token"]) == frozenset()


def test_a_gap_in_the_vocabulary_says_nothing() -> None:
    assert TOKENIZER.token_bytes(10**6) == b""


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_prompt_is_encoded_as_it_stands(task: object) -> None:
    prompt = task.prompt  # type: ignore[attr-defined]
    ids = TOKENIZER.encode(prompt)
    assert b"".join(map(TOKENIZER.token_bytes, ids)).decode() == prompt
    assert TOKENIZER.start_id not in ids


@given(st.text())
def test_merged_tokens_stream_as_the_library_decodes_them(text: str) -> None:
    """A vocabulary with tokens of several bytes, as the published model has it."""
    merges = [("Ġ", "t"), ("Ġt", "h"), ("Ã", "©"), ("æ", "¼")]
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet()) + ["".join(merge) for merge in merges]
    tokenizer = Tokenizer(models.BPE({token: place for place, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    page_tokenizer = PageTokenizer(tokenizer, start_id=0, end_id=1)
    ids = page_tokenizer.encode(text + " the é 漢")
    streamed = TextStream(page_tokenizer)
    pieces = [*map(streamed.feed, ids), streamed.finish()]
    assert "".join(pieces) == tokenizer.decode(ids) == text + " the é 漢"
