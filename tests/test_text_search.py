"""What is found in text that was read from paper."""

import pytest

from rtocr_gui.ocr.text.text_search import find_occurrences, replacement


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("An Example, an EXAMPLE", "example", ["Example", "EXAMPLE"]),
        ("the end of\nthe line", "end  of the", ["end of\nthe"]),
        ("a long exam-\nple", "example", ["exam-\nple"]),
        ("well-known", "wellknown", []),
        ("exam\u00adple", "example", ["exam\u00adple"]),
        ("根据中\n华人民 共和国", "中华人民", ["中\n华人民"]),
        ("ab\ncd 中\nab", "abcd", []),
        ("x\n中", "x中", []),
        ("佐々\n木、「東京\n」中-\n国", "佐々木、「東京」中国", ["佐々\n木、「東京\n」中-\n国"]),
        ("well-\nknown and well–known", "well-known", ["well-\nknown", "well–known"]),
        ("it’s “quoted” and it's", "it's", ["it’s", "it's"]),
        ("it’s “quoted”", '"quoted"', ["“quoted”"]),
        ("1.5 and 165", "1.5", ["1.5"]),
        ("(a+b)* [c]\\d", "[c]\\D", ["[c]\\d"]),
        ("café, cafe\u0301, cafe", "café", ["café", "cafe\u0301"]),
        ("x \u0958लम y", "\u0958लम", ["\u0958लम"]),
        ("\uf900 ê\u0301", "ê\u0301", ["ê\u0301"]),
        ("café, cafe\u0301", "cafe\u0301", ["café", "cafe\u0301"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("straße 𝔸𝔹 Ω", "𝔹 ω", ["𝔹 Ω"]),
        ("anything", "  ", []),
        ("", "word", []),
    ],
)
def test_words_are_found_as_they_stand_on_paper(text: str, words: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in find_occurrences(text, words)] == found


def test_a_long_text_of_nearly_the_words_is_searched_at_once() -> None:
    assert find_occurrences("a-\n" * 50_000 + " " * 50_000, "a" * 200 + " b") == ()
    assert find_occurrences("-\n" * 5_000, "-" * 200 + "b") == ()
    assert find_occurrences("a\u00ad" * 50_000, "a" * 200 + " b") == ()


@pytest.mark.parametrize(
    ("found", "words", "by", "written"),
    [
        ("word", "word", "term", "term"),
        ("Word", "word", "term", "Term"),
        ("WORD", "word", "term", "TERM"),
        ("IT", "it", "dv", "DV"),
        ("A", "a", "the", "The"),
        ("Word", "Word", "term", "term"),
        ("Word", "word", "DFSG", "DFSG"),
        ("Word", "word", "", ""),
        ("12", "12", "l2", "l2"),
        ("grand Total", "grand total", "sum", "sum"),
        ("iPhone", "iphone", "phone", "phone"),
    ],
)
def test_a_replacement_is_written_in_the_case_of_what_it_replaces(
    found: str, words: str, by: str, written: str
) -> None:
    assert replacement(found, words, by) == written
