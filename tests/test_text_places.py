"""Words of a text are placed where they are printed, whatever its lines and whatever was misread."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from rtocr_gui.documents.picture_pdf import PlacedWord
from rtocr_gui.documents.text_places import Box, TextPart, place_words

SIZE = (1000, 700)
FONT = ImageFont.load_default(22)
LINES = (
    "Minutes of the harbour board",
    "The board met on the second of May in the old",
    "customs house. Mr Porter was in the chair, and",
    "eleven members had come.",
    "Repairs to the northern mole will begin in June.",
    "Until then, boats may moor at the fish market.",
)


def printed(lines: Sequence[str], left: int = 70, top: int = 60) -> tuple[Image.Image, list[tuple[str, Box]]]:
    """A page with lines of print, and where each of their words stands."""
    page = Image.new("RGB", SIZE, "white")
    return page, print_on(page, lines, left, top)


def print_on(page: Image.Image, lines: Sequence[str], left: int, top: int) -> list[tuple[str, Box]]:
    places = []
    for row, line in enumerate(lines):
        upper = top + 36 * row
        ImageDraw.Draw(page).text((left, upper), line, "black", FONT)
        before = ""
        for word in line.split():
            start = line.index(word, len(before))
            begin, end = left + FONT.getlength(line[:start]), left + FONT.getlength(line[: start + len(word)])
            places.append((word, (begin, upper, end, upper + 36)))
            before = line[: start + len(word)]
    return places


def words_of(lines: Sequence[Sequence[PlacedWord]]) -> list[PlacedWord]:
    return [word for line in lines for word in line]


def is_at(word: PlacedWord, box: Box, slack_px: float = 6) -> bool:
    """True if a word stands in this box, and fills it."""
    left, top, right, bottom = box
    is_on_line = top <= (word.top + word.bottom) / 2 <= bottom
    return is_on_line and abs(word.left - left) <= slack_px and abs(word.right - right) <= slack_px


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(LINES),
        "\n\n".join((LINES[0], " ".join(LINES[1:4]), " ".join(LINES[4:]))),
        " ".join(LINES),
    ],
    ids=["lines", "paragraphs", "one line"],
)
def test_words_stand_where_they_are_printed_however_the_text_is_divided_into_lines(text):
    page, places = printed(LINES)
    words = words_of(place_words([TextPart(text)], page))
    assert [word.text for word in words] == text.split()
    assert all(is_at(word, box) for word, (_, box) in zip(words, places, strict=True))


def test_misread_words_move_no_others():
    page, places = printed(LINES)
    text = "\n".join(LINES).replace("eleven members", "elewen rnembers").replace("May in", "Mayin")
    words = words_of(place_words([TextPart(text)], page))
    misread = {"elewen", "rnembers", "Mayin"}
    right = {word.text: word for word in words if word.text not in misread}
    elsewhere = [(text, box) for text, box in places if text in right and box[1] != 60 + 36]
    assert len(elsewhere) > 30
    assert all(
        is_at(right[text], box, 14) for text, box in elsewhere if sum(text == one for one, _ in places) == 1
    )


def test_print_that_was_not_read_has_no_words():
    page, _ = printed(LINES)
    lines = place_words([TextPart("\n".join((LINES[0], *LINES[3:])))], page)
    tops = [round((line[0].top - 60) / 36) for line in lines]
    assert tops == [0, 3, 4, 5]


def test_text_that_is_not_printed_stands_beside_what_is():
    page, _ = printed(LINES[:2])
    text = "\n".join((LINES[0], "and much more that nobody printed, here or anywhere else at all", LINES[1]))
    lines = place_words([TextPart(text)], page)
    assert [word.text for word in words_of(lines)] == text.split()
    assert lines[-1][-1].text == "old"


def test_first_lines_that_are_not_printed_stand_before_what_is():
    page, _ = printed(LINES[:1])
    nowhere = "and much more that nobody printed, here or anywhere else at all " * 2
    lines = place_words([TextPart("\n".join((nowhere, LINES[0])))], page)
    assert [" ".join(word.text for word in line) for line in lines] == [nowhere + LINES[0]]


def test_cells_of_a_table_stand_in_their_columns():
    page, places = printed(("Apples", "Pears and plums", "Cherries"))
    places += print_on(page, ("2.90", "13.40", "8.50"), 600, 60)
    words = {
        word.text: word
        for word in words_of(
            place_words([TextPart("Apples 2.90\nPears and plums 13.40\nCherries 8.50")], page)
        )
    }
    assert all(is_at(words[text], box, 8) for text, box in places)


def test_cells_of_a_table_may_be_lines_of_text():
    rows = [
        ("Apples", "ripe", "2.90"),
        ("Pears and plums", "green", "13.40"),
        ("Cherries", "red", "8.50"),
    ] * 2
    page = Image.new("RGB", SIZE, "white")
    places = [
        [print_on(page, [cell], 70 + 300 * column, 60 + 36 * row)[0] for column, cell in enumerate(cells)]
        for row, cells in enumerate(rows)
    ]
    text = "\n".join(cell for cells in rows for cell in cells)
    lines = place_words([TextPart(text)], page)
    assert [[word.text for word in line] for line in lines] == [" ".join(cells).split() for cells in rows]
    assert all(is_at(line[0], cells[0][1], 8) for line, cells in zip(lines, places, strict=True))


@pytest.mark.parametrize("dots", ["", "." * 40, ". " * 25, " . . . . ."])
def test_leaders_to_page_numbers_are_no_words(dots):
    lines = [
        f"{name} {'.' * 40} {page}" for name, page in (("Preface", 1), ("The harbour", 12), ("The mole", 31))
    ]
    page, places = printed(lines)
    wanted = [(word, box) for word, box in places if "." not in word]
    text = f"Preface {dots} 1\nThe harbour {dots} 12\nThe mole {dots} 31"
    words = words_of(place_words([TextPart(text)], page))
    assert [word.text for word in words] == [word for word, _ in wanted]
    assert all(is_at(word, box, 8) for word, (_, box) in zip(words, wanted, strict=True))


def test_dots_that_end_a_sentence_are_placed():
    page, _ = printed(("And then....", "Nothing. . ."))
    words = words_of(place_words([TextPart("And then....\nNothing. . .")], page))
    assert [word.text for word in words] == ["And", "then....", "Nothing.", ".", "."]


@pytest.mark.parametrize("change", [str.upper, lambda line: line.replace(" ", "  ")], ids=["caps", "spread"])
def test_wide_print_is_matched_too(change):
    page, places = printed([change(line) for line in LINES])
    words = words_of(
        place_words(
            [TextPart("\n\n".join(change(" ".join(part)) for part in (LINES[:1], LINES[1:4], LINES[4:])))],
            page,
        )
    )
    assert all(is_at(word, box) for word, (_, box) in zip(words, places, strict=True))


def test_the_beginning_of_a_page_is_not_spread_over_all_of_it():
    page, places = printed(LINES + LINES[::-1])
    words = words_of(place_words([TextPart("\n".join(LINES[:3]))], page))
    assert all(is_at(word, box) for word, (_, box) in zip(words, places, strict=False))


@pytest.mark.parametrize("degrees", [-2, 1, 3])
def test_columns_of_a_skewed_page_are_told_apart(degrees):
    left, right = (
        ["It was a dark night and rain fell on the", "quay where we waited for the boat to come"] * 6,
        ["Nobody came until it was three, and then", "we heard a bell on the water, far out"] * 6,
    )
    page = Image.new("RGB", SIZE, "white")
    print_on(page, left, 40, 60)
    print_on(page, right, 505, 60)
    page = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
    words = words_of(place_words([TextPart("\n".join((*left, *right)))], page))
    middles = [(word.left + word.right) / 2 for word in words]
    half = len(" ".join(left).split())
    assert max(middles[:half]) < 540
    assert min(middles[half:]) > 480


def test_no_word_is_lost_where_only_one_order_has_print_in_the_box():
    page = Image.new("RGB", SIZE, "white")
    left = print_on(page, ["left column words here"] * 8, 40, 60)
    print_on(page, ["right column words here"] * 8, 540, 78)
    for top in range(50, 360, 11):
        box = (30.0, float(top), 480.0, top + 24.0)
        words = words_of(place_words([TextPart("left column words here", box)], page))
        assert [word.text for word in words] == [word for word, _ in left[:4]]


@pytest.mark.parametrize("order", ["columns", "rows"])
def test_columns_are_told_from_rows_by_the_order_of_the_text(order):
    left = ("It was a dark night", "and rain fell on the", "quay where we waited")
    right = ("Nobody came until three", "struck. We heard a bell", "far out on the water")
    page, places = printed(left)
    places += print_on(page, right, 520, 60)
    rows = [f"{one} {two}" for one, two in zip(left, right, strict=True)]
    text = "\n".join((*left, *right) if order == "columns" else rows)
    words = {word.text: word for word in words_of(place_words([TextPart(text)], page))}
    once = [(word, box) for word, box in places if sum(word == other for other, _ in places) == 1]
    assert all(is_at(words[word], box, 8) for word, box in once)


def test_a_part_of_the_text_stands_in_its_box():
    page, _ = printed(("The same words", "The same words"))
    boxes: list[Box] = [(0, 90, 1000, 140), (0, 50, 1000, 94)]
    lower, upper = place_words([TextPart("The same words", box) for box in boxes], page)
    assert lower[0].top - upper[0].top == pytest.approx(36, abs=1)


def test_a_part_without_print_begins_at_the_corner_of_its_box():
    page = Image.new("RGB", SIZE, "white")
    first, second = place_words([TextPart("one two\nthree", (100, 200, 300, 260))], page)
    assert (first[0].left, first[0].top, first[0].bottom) == (100, 200, 224)
    assert (second[0].left, second[0].top, second[0].bottom) == (100, 230, 254)
    assert 200 < first[-1].right < 230
    ((*_, last),) = place_words([TextPart("a line that is too long", (100, 200, 300, 260))], page)
    assert last.right == pytest.approx(300)
    assert last.bottom < 222
    (((word,),),) = [place_words([TextPart("\u0301")], page)]
    assert word.left < word.right
    assert place_words([TextPart(" \n \n"), TextPart("")], page) == []


@pytest.mark.parametrize("text", ["東京都庁展望室案内図" * 3, "ภาษาไทยไม่มีช่องว่าง" * 3])
def test_text_without_blanks_is_broken_between_the_lines_of_print(text):
    page = Image.new("RGB", SIZE, "white")
    for number in range(30):
        left, top = 60 + 26 * (number % 12), 80 + 40 * (number // 12)
        ImageDraw.Draw(page).rectangle((left, top, left + 21, top + 21), "black")
    lines = place_words([TextPart(text)], page)
    assert [round((line[0].top - 80) / 40) for line in lines] == [0, 1, 2]
    assert all(len(line) == 1 for line in lines)
    shares = [len(line[0].text) / len(text) for line in lines]
    assert shares == pytest.approx([12 / 30, 12 / 30, 6 / 30], abs=0.06)


def test_an_address_goes_on_in_the_next_line_of_print():
    lines = ("It is at https://www.harbour.example/board/", "minutes/1926/october.html for now.")
    page, _ = printed(lines)
    first, second = place_words([TextPart("".join(lines))], page)
    assert second[0].top > first[-1].bottom
    broken = first[-1].text + second[0].text
    assert broken == "https://www.harbour.example/board/minutes/1926/october.html"
    assert abs(len(first[-1].text) - len("https://www.harbour.example/board/")) <= 2


def test_words_that_run_leftwards_begin_on_the_right():
    page, _ = printed(("wxyz abc lmnop",))
    (line,) = place_words([TextPart("שלום 123 עולם")], page)
    assert [word.text for word in line] == ["שלום", "123", "עולם"]
    assert line[2].left < line[1].left < line[0].left


@given(st.text(alphabet=st.sampled_from("aß漢,\u0301 \n\t"), max_size=80))
def test_every_letter_is_placed_once_in_order_and_on_the_page(text):
    page, _ = printed(LINES[:3])
    words = words_of(place_words([TextPart(text)], page))
    assert "".join(word.text for word in words) == "".join(text.split())
    for word in words:
        assert 0 <= word.left <= word.right <= SIZE[0]
        assert 0 <= word.top < word.bottom <= SIZE[1]
