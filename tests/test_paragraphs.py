"""Lines of print are joined where a paragraph goes on, and nowhere else."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.ocr.text.paragraphs import line_joins, with_lines_joined

REPORT = """\
Harvest report for October
The orchard by the river gave eleven tons of apples this
year, two more than in the year before. Rain in August
kept the pears small, but they were sweet.
Three ladders were repaired, and one had to be re-
placed. The new press arrived on the second of the
month.
Apples\t11.0 t
Pears and plums and cherries, all of them together\t2.5 t"""

SHORT_PARAGRAPHS = """\
The orchard by the river gave eleven tons of apples this
year, and more than in the years before that one.
Three ladders were repaired in May, and one of them was
replaced by one that Mr Porter gave to us all.
The new press arrived on the second of the month, which
was a day later than the letter had promised."""
JAPANESE_AND_CHINESE = """\
東京都庁の展望室は四十五階にあります。北展望室と南
展望室があり、無料で入ることができます。晴れた日に
は富士山が見えることもあります。
中文的段落也是这样的，一行写满以后就换到下一行继续
写下去，直到段落结束为止，这里还有更多的文字，并且
到此结束了。"""
PRICES = (Path(__file__).parents[1] / "resources/samples/prices.txt").read_text(encoding="utf-8")


def test_the_lines_of_a_paragraph_are_joined_and_headings_and_tables_are_not():
    assert with_lines_joined(REPORT).split("\n") == [
        "Harvest report for October",
        "The orchard by the river gave eleven tons of apples this year, two more than in the year before. "
        "Rain in August kept the pears small, but they were sweet.",
        "Three ladders were repaired, and one had to be replaced. The new press arrived on the second of the "
        "month.",
        "Apples\t11.0 t",
        "Pears and plums and cherries, all of them together\t2.5 t",
    ]


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        (REPORT, 5),
        (REPORT[:120], 3),
        ("\n".join(f"{line}, {line}." for line in ("one", "two") * 3), 6),
        (SHORT_PARAGRAPHS, 3),
        (JAPANESE_AND_CHINESE, 2),
    ],
)
def test_paragraphs_that_were_joined_are_not_joined_again(text, paragraphs):
    once = with_lines_joined(text)
    assert len(once.split("\n")) == paragraphs
    assert with_lines_joined(once) == once


@pytest.mark.parametrize("length", [40, 80, 125])
def test_paragraphs_that_are_about_as_long_as_each_other_stay(length):
    text = "\n".join("a word " * ((length + more) // 7) + "ends." for more in (0, 8, 3, 5, 0, 9))
    assert with_lines_joined(text) == text


def test_lines_many_of_which_are_much_longer_than_most_are_paragraphs():
    text = "\n".join(("word " * count).strip() for count in (2, 10, 10, 30, 2, 10, 10, 30, 2, 2))
    assert with_lines_joined(text) == text


def test_a_paragraph_that_was_joined_alone_leaves_the_others_to_be_joined():
    joined_alone = SHORT_PARAGRAPHS.replace("this\nyear", "this year")
    assert with_lines_joined(joined_alone) == with_lines_joined(SHORT_PARAGRAPHS)


@pytest.mark.parametrize(
    "text",
    [
        PRICES,
        "Rye bread 4,20 €\nBrown eggs 3,75 €\nApples 2,90 EUR\nHoney, a jar 50 %",
        "All we sold this week at market\nRye bread and rolls 4,20 €\nEggs of all sizes 3,75 €",
        "1 Introduction 3\n2 Methods and materials 7\n3 Results of them all 12",
        "Introduction ..... iii\nHow it was done ..... v\nWhat was found ..... xi",
        "Introduction . . . . iii\nHow it was done . . . v\nWhat was found . . . . xi",
    ],
)
def test_the_rows_of_price_lists_and_contents_stay(text):
    assert with_lines_joined(text) == text


CODE = "first = compute(alpha, beta)\nsecond = compute(gamma, delta)\n\nreturn first + second, 0"


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_code_between_fences_stays_and_the_text_around_it_is_joined(fence):
    code = f"{fence}\n{CODE}\n{fence}"
    text = f"A line as long as the others,\nand one more.\n{code}\nAnother line that is as long\nas they are"
    joined = f"A line as long as the others, and one more.\n{code}\nAnother line that is as long as they are"
    assert with_lines_joined(text) == joined


@pytest.mark.parametrize("fence", ["```python", "~~~", "````"])
def test_code_that_is_still_open_at_the_end_stays(fence):
    text = f"{fence}\n{CODE}\n\n{CODE}"
    assert with_lines_joined(text) == text


@pytest.mark.parametrize("rule", ["---", "***", "___"])
def test_a_rule_stays_on_a_line_of_its_own(rule):
    text = f"A line that is as long as the others,\n{rule}\nand one more that is as long as they are"
    assert with_lines_joined(text) == text


@pytest.mark.parametrize(
    "mark", [*"●○◦▪▫■□‣⁃◆◇►▶➢✓✔☐☑→①", "(ii)", "iii)", "A)", "(B)", "II.", "第四条", "二、", "(三)", "（3）"]
)
def test_items_of_lists_are_known_by_their_marks(mark):
    text = f"All that we need for the next trip by boat is\n{mark} a tent with all of its poles and its ropes"
    assert with_lines_joined(text) == text


@pytest.mark.parametrize(
    "marks", [("[1]", "[2]"), ("1.1", "1.2"), ("Art. 1", "Art. 2"), ("§ 1", "§ 2"), ("A.", "B.")]
)
def test_marks_that_stand_in_sentences_too_are_those_of_items_after_a_sentence_or_an_item(marks):
    first, second = (f"{mark} a tent with all of its poles and its ropes" for mark in marks)
    text = f"All that we need for the next trip by boat is this:\n{first}\n{second}"
    assert with_lines_joined(text) == text
    in_a_sentence = f"All that we need for the next trip is named in\n{second}"
    assert with_lines_joined(in_a_sentence) == in_a_sentence.replace("\n", " ")


@pytest.mark.parametrize(
    ("following", "joined"),
    [
        ("it goes on in the same way as before, to the end", True),
        ("- the first item of a list that has several items", False),
        ("2. the second item of a list that has several ones", False),
        ("4.11.2. Requirements for all that was said before", False),
        ("4.11 percent of all that was said before is true", True),
        ("# A heading as Markdown writes it, in one long line", False),
        ("| a row | of a table | that is as long as the rest |", False),
        ("<table><tr><td>one that is as long as the rest</td>", False),
        ("    code that is indented by four blanks, as it is", False),
        ("Name:          all that stands in columns is a table", False),
    ],
)
def test_what_begins_something_else_stays_on_a_line_of_its_own(following, joined):
    text = f"A line that is as long as all of the others here,\n{following}"
    assert ("\n" not in with_lines_joined(text)) is joined


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("the Anglo-\nSaxon kings", "the Anglo-Saxon kings"),
        ("an exam\u00ad\nple of it", "an example of it"),
        ("Haus-\nund Gartenarbeit", "Haus- und Gartenarbeit"),
        ("Ein-\nbzw. Ausgang", "Ein- bzw. Ausgang"),
        ("short-\nor long-term", "short- or long-term"),
        ("mid-\nto long-term", "mid- to long-term"),
        ("una cosa mol-\nto bella", "una cosa molto bella"),
        ("voor-\nen nadelen", "voor- en nadelen"),
        ("micro-\net macroéconomie", "micro- et macroéconomie"),
        ("ma-\nyor que ella", "mayor que ella"),
        ("from 1990-\n1995 and so", "from 1990- 1995 and so"),
        ("it ends here \n  and goes on", "it ends here and goes on"),
        ("東京都庁の展望室は\n四十五階にあります", "東京都庁の展望室は四十五階にあります"),
        (
            "从前有一座山，山里有。\n一座庙，庙里有一个老和尚",
            "从前有一座山，山里有。\n一座庙，庙里有一个老和尚",
        ),
        (
            "It goes on here and\nends where a line does.\nSo does this one too.",
            "It goes on here and ends where a line does. So does this one too.",
        ),
        ("one paragraph that\n\nanother that here", "one paragraph that\n\nanother that here"),
        ("Short.\nA line that is longer than that", "Short.\nA line that is longer than that"),
    ],
)
def test_words_and_scripts_are_joined_as_they_are_written(text, joined):
    assert with_lines_joined(text) == joined


@given(st.text(alphabet=st.sampled_from("ab漢.- \n\t#|1"), max_size=120))
def test_joining_changes_nothing_but_line_ends_blanks_and_hyphens(text):
    assert re.sub(r"[\s-]", "", with_lines_joined(text)) == re.sub(r"[\s-]", "", text)
    places = [place for start, end, _ in line_joins(text) for place in (start, end)]
    assert places == sorted(places)
    assert all("\n" in text[start:end] for start, end, _ in line_joins(text))
