"""Text becomes ids and ids become text, whole characters at a time."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.model.architecture import read_architecture
from rtocr_gui.ocr.model.tokenizer import PageTokenizer, TextStream, end_of_character, spell
from rtocr_gui.ocr.reading import TASKS
from rtocr_gui.resources import resource_path

BUNDLED = resource_path("miniature/tokenizer.json")


def load(path: Path) -> PageTokenizer:
    config = json.loads(resource_path("miniature/config.json").read_text())
    return PageTokenizer.from_file(path, read_architecture(config), [task.prompt for task in TASKS])


TOKENIZER = load(BUNDLED)
FIRST_BYTE = 64  # the bundled vocabulary has the bytes 0..255 at 64..319


def merging(merges: list[tuple[str, str]]) -> Tokenizer:
    """A tokenizer with tokens of several bytes."""
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet()) + ["".join(merge) for merge in merges]
    tokenizer = Tokenizer(models.BPE({token: place for place, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def stream(token_ids: list[int]) -> list[str]:
    text = TextStream(TOKENIZER)
    return [text.feed(token_id) for token_id in token_ids]


@given(st.text())
def test_text_survives_encoding_and_streaming(text: str) -> None:
    assert "".join(stream(TOKENIZER.encode(text))) == text


@given(st.binary())
@example(b"a\xed\xa0")  # the beginning of a surrogate, which Python finds wrong only at the end: two signs
def test_any_bytes_stream_as_their_utf8_text(data: bytes) -> None:
    text = "".join(stream([FIRST_BYTE + byte for byte in data]))
    assert data.decode("utf-8", errors="replace") in (text, text + "\ufffd", text + "\ufffd\ufffd")


def test_no_piece_holds_half_a_character() -> None:
    pieces = stream(TOKENIZER.encode("a漢é"))
    assert pieces == ["a", "", "", "漢", "", "é"]


def test_a_character_that_is_not_finished_is_left_out() -> None:
    assert stream(TOKENIZER.encode("Größe")[:3]) == ["G", "r", ""]


def test_a_place_within_a_character_is_put_behind_it() -> None:
    ids = TOKENIZER.encode("a漢é")
    assert [end_of_character(TOKENIZER, ids, place) for place in range(7)] == [0, 1, 4, 4, 4, 6, 6]
    assert end_of_character(TOKENIZER, [FIRST_BYTE + 0x80] * 400, 5) == 8


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
    assert spell(TOKENIZER, TOKENIZER.encode("é")[:1])[1].tolist() == [0, 0]


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


@pytest.mark.parametrize(
    "tokenizer",
    [TOKENIZER, PageTokenizer(merging([("ĉ", "ĉ"), ("ĉĉ", "ĉ"), ("ĉ", "t")]), start_id=0, end_id=1)],
    ids=["bytes", "merged"],
)
def test_the_tokens_of_tabs_alone_are_known_with_their_number(tokenizer: PageTokenizer) -> None:
    runs = (b"\t", b"\t\t", b"\t\t\t")
    known = {tokenizer.token_bytes(token_id): count for token_id, count in tokenizer.tabs.items()}
    assert known == {run: len(run) for run in runs[: 1 if tokenizer.is_of_bytes else 3]}


@given(st.text())
def test_merged_tokens_stream_as_the_library_decodes_them(text: str) -> None:
    """A vocabulary with tokens of several bytes, as the published model has it."""
    tokenizer = merging([("Ġ", "t"), ("Ġt", "h"), ("Ã", "©"), ("æ", "¼")])
    page_tokenizer = PageTokenizer(tokenizer, start_id=0, end_id=1)
    ids = page_tokenizer.encode(text + " the é 漢")
    streamed = TextStream(page_tokenizer)
    pieces = map(streamed.feed, ids)
    assert "".join(pieces) == tokenizer.decode(ids) == text + " the é 漢"


def splitting(*expressions: str) -> list[dict[str, Any]]:
    return [
        {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": False}
        for expression in expressions
    ]


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
DEEPSEEK_V3_SPLITS = splitting(
    r"\p{N}{1,3}",
    "[一-龥\u3040-ゟ゠-ヿ]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
)
DEEPSEEK_CODER_SPLITS = [
    *splitting("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+"),
    {"type": "Digits", "individual_digits": True},
]


@pytest.mark.parametrize("splits", [DEEPSEEK_V3_SPLITS, DEEPSEEK_CODER_SPLITS], ids=["V3", "Coder"])
def test_the_steps_of_the_published_tokenizers_are_taken(
    splits: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Parts as in the files of DeepSeek-V3, whose vocabulary DeepSeek-OCR has, and of DeepSeek-Coder."""
    values = json.loads(BUNDLED.read_bytes()) | {
        "normalizer": {"type": "Sequence", "normalizers": []},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [*splits, BYTE_LEVEL]},
        "post_processor": BYTE_LEVEL | {"add_prefix_space": True, "trim_offsets": False, "use_regex": True},
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(values))
    text = "In 2024, é 漢字\n<|ref|>it's</"
    assert load(tmp_path / "tokenizer.json").encode(text) == TOKENIZER.encode(text)


def test_words_on_which_the_library_fails_are_told(tmp_path: Path) -> None:
    """The expression gives up on long runs of one letter, of which no prompt has any."""
    panics = splitting("(y|y)*$")
    values = json.loads(BUNDLED.read_bytes())
    values["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [*panics, BYTE_LEVEL]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(values))
    tokenizer = load(tmp_path / "tokenizer.json")
    with pytest.raises(ReadingError, match="tokenizer failed on the prompt"):
        tokenizer.encode("y" * 40 + "x")


def test_words_that_are_no_unicode_text_are_told() -> None:
    with pytest.raises(ReadingError, match="tokenizer failed on the prompt"):
        TOKENIZER.encode("\ud800")


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_program_is_no_failure_of_the_tokenizer(
    end: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ending:
        def encode(self, text: str, add_special_tokens: bool) -> None:
            raise end

    monkeypatch.setattr(TOKENIZER, "_tokenizer", Ending())
    with pytest.raises(end):
        TOKENIZER.encode("a")
