"""What the preview promises of HTML: all text is seen, whatever tags are missing, and nothing takes long."""

import re
from time import thread_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from rtocr_gui.export.html import MOST_BLANK_CELLS, MOST_SPANNED, MOST_TABLES, as_html
from rtocr_gui.ui.text.safe_preview import SafePreview
from tests.ui.steps import in_sight, tooltip_at

TABLE = "<table><tr><td>a</td><td>b</td></tr></table>"


@pytest.fixture
def preview(qtbot: QtBot) -> SafePreview:
    return in_sight(qtbot, SafePreview(), 400, 300)


def seen(preview: SafePreview, markdown: str) -> list[str]:
    """The lines of a text that a person sees."""
    preview.follow(markdown)
    preview.catch_up()
    lines = (line.strip() for line in preview.toPlainText().split("\n"))
    return [line for line in lines if line]


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        (TABLE, ["a", "b"]),
        ("<table><tr><td>a<br>b</td></tr></table>", ["a", "b"]),
        ("| a<br>b | c |\n|---|---|\n| 1 | 2 |", ["a", "b", "c", "1", "2"]),
        ("<hr>", []),
        ('A <img src="a.png"> picture', ["A picture"]),
        ("![Company logo](logo.png)", ["Company logo"]),
        ('<img src="x.png" alt="Company &lt;b> logo">', ["Company <b> logo"]),
        ("~~~ Desserts ~~~\nTart\n~~~", ["Desserts ~~~", "Tart"]),
        ("~~~ Desserts\nTart\n~~~", ["Desserts", "Tart"]),
        ("```Python\nx = 1\n```", ["x = 1"]),
        ("```{r}\nx = 1\n```", ["x = 1"]),
        ("<p>x</p 12>", ["x</p 12>"]),
        ("First\n\n- <p>one\n  <p>two", ["First", "one", "two"]),
        ("cd <folder>", ["cd <folder>"]),
        ("Press <Enter> to go on.", ["Press <Enter> to go on."]),
        ("std::vector<int> v", ["std::vector<int> v"]),
        ("if a <b and c> d:", ["if a <b and c> d:"]),
        ("a <b c, or <i", ["a <b c, or <i"]),
        ("Intro <b>bold", ["Intro bold"]),
        ("- one <b>bold\n- two", ["one bold", "two"]),
        ("</td></tr></table>", ["</td></tr></table>"]),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c", ["a", "b", "c"]),
        ("<table><tr><td>a<td>b<tr><td>c</table>", ["a", "b", "c"]),
        ("<table>cut <tr>off", ["cut", "off"]),
        ("<ul><li>a<li>b</ul>", ["a", "b"]),
        ("<div>\n\nIn it\n\n## Heading\n\n</div>", ["In it", "Heading"]),
        ("<script>x</script>", ["<script>x</script>"]),
        ("<!-- <b> -->", []),
        ("<i> <!-- <b> and c", ["<!-- and c"]),
        ("<table><tr><td colspan=", ["<td colspan="]),
        ("`code <x>` and <y>", ["code <x> and <y>"]),
        ("```\n<b> <x>\n```", ["<b> <x>"]),
        ("- item\n  ```\n  <x>\n  ```\n- <y>", ["item", "<x>", "<y>"]),
        ("    <x> indented", ["<x> indented"]),
        (r"\<b> and <a href=http://x/>link</a>", ["<b> and link"]),
        ("a < b &lt; c > d <= e", ["a < b < c > d <= e"]),
        ("[1]: Smith2003\n[2]: https://example.org", ["[1]: Smith2003", "[2]: https://example.org"]),
        ("text[^1]\n\n[^1]: foot", ["text[^1]", "[^1]: foot"]),
        (f"{12 * '- '}cut here", [f"{4 * '- '}cut here"]),
        (f"{12 * '+ '}cut here", [f"{4 * '+ '}cut here"]),
        (f"{30 * '> '}cut here", [f"{14 * '> '}cut here"]),
    ],
)
def test_all_text_is_seen(preview: SafePreview, markdown: str, lines: list[str]) -> None:
    whole = f"# Head\n\n{markdown}\n\nAfter it.\n\n## End"
    assert seen(preview, whole) == ["Head", *lines, "After it.", "End"]


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        (r"\(a*b\) and *\(c_1*d_1\)*", [r"\(a*b\) and \(c_1*d_1\)"]),
        (r"\[ x_{1} \\ y \] [a](\(b\))", [r"\[ x_{1} \\ y \] a"]),
        (r"\( a <b> c &lt; `d` \)", [r"\( a <b> c &lt; `d` \)"]),
        ("## On \\(a*b*c\\)", [r"On \(a*b*c\)"]),
        ("| a |\n|---|\n| \\(a*b\\) *c* |", ["a", r"\(a*b\) c"]),
        ("<table><tr><td>\\(a*b\\)</td></tr></table>", [r"\(a*b\)"]),
        (
            "so\n\\[\na\n- b\n= c\n---\n# d\n\\]\nwhere",
            ["so", "\\[", "a", "- b", "= c", "---", "# d", "\\]", "where"],
        ),
        ("- so\n  \\[ a\n  + b \\]\n- *c*", ["so", "\\[ a", "+ b \\]", "c"]),
        ("> \\[ a\n> - b\n> \\] *c*", ["\\[ a", "- b", "\\] c"]),
        ("\\[ a\n\n- b \\]", ["[ a", "b ]"]),
        ("- \\[ a\n- *b* \\]", ["[ a", "b ]"]),
        (r"`\(a*b\)` and `` \( ` \) ``", [r"\(a*b\) and \( ` \)"]),
        ("```\n\\(a*b\\)\n```", [r"\(a*b\)"]),
        (r"\(a and *b*", ["(a and b"]),
        (r"a\) and \[*b*\)", ["a) and [b)"]),
        (r"\\(*a*\\)", [r"\(a\)"]),
        (r"$$a*b*c \\ \{d\}$$ and *e*", [r"$$a*b*c \\ \{d\}$$ and e"]),
        ("for $$5 *or* more", ["for $$5 or more"]),
        ("$$$ *or* $$$", ["$$$ or $$$"]),
        ("so\n$$\na\n- b_1*c*d\n# e\n$$\n*where*", ["so", "$$", "a", "- b_1*c*d", "# e", "$$", "where"]),
        ("\\[ a\n$$\nb\n# c\n$$", ["[ a", "$$", "b", "# c", "$$"]),
    ],
)
def test_formulae_are_seen_as_they_are_written(preview: SafePreview, markdown: str, lines: list[str]) -> None:
    assert seen(preview, f"Before\n\n{markdown}\n\nAfter") == ["Before", *lines, "After"]


def test_a_number_in_escaped_brackets_is_a_note_and_no_formula(preview: SafePreview) -> None:
    assert seen(preview, r"See \[1\] and \(2\)") == ["See [1] and (2)"]


def test_a_table_is_seen_while_it_is_read(preview: SafePreview) -> None:
    for end in range(len("<table><tr><td>a"), len(TABLE)):
        assert seen(preview, TABLE[:end])[0].startswith("a")


def test_tables_within_tables_are_limited(preview: SafePreview) -> None:
    whole = "<table><tr><td>" * 60 + "deep" + "</td></tr></table>" * 60 + "\n\nAfter"
    assert seen(preview, whole) == ["deep", "After"]
    assert as_html(whole).count("<table>") == MOST_TABLES


def test_tables_that_never_end_take_no_looks_from_what_follows() -> None:
    whole = "<div>" + "<table>" * (MOST_TABLES + 2) + "a</div>\n\n<b>bold</b>"
    assert as_html(whole).endswith("<p><b>bold</b></p>")


def test_a_cell_spans_a_limited_number_of_others(preview: SafePreview) -> None:
    cells = '<td colspan=999 rowspan="&#57;99">a</td><td colspan=x>b</td>'
    assert seen(preview, f"<table><tr>{cells}</tr></table>") == ["a", "b"]
    assert preview.document().find("a").currentTable().columns() == MOST_SPANNED + 1


@pytest.mark.parametrize(
    "table",
    [
        "| a | b |\n|---|---|\n| 1 | 2 | 3 |",
        "a | b\n--- | ---\n1 | 2 | 3",
        "> | a | b \\|\n> |---|---|\n> | 1 | 2 | 3",
        "- | a | b |\n  |---|---|\n  | 1 | 2 | 3 |",
    ],
)
def test_a_row_that_is_longer_than_the_first_is_shown_whole(preview: SafePreview, table: str) -> None:
    shown = [line.strip("| ") for line in seen(preview, table) if line.strip("| ")]
    assert shown == ["a", "b", "1", "2", "3"]
    assert as_html(table).count("<th>") == 3


def test_blank_cells_for_long_rows_are_limited_and_text_is_not() -> None:
    row = "| " + " | ".join("abcdef") + " |\n"
    assert as_html("| a | b |\n|---|---|\n" + 300 * row).count("<td>") == 300 * 6
    looped = "|a|\n|---|\n" + 300 * "|b|\n" + "|c" * 50 + "|\n\n"
    assert as_html(10 * looped).count("<td>") <= 10 * 301 + MOST_BLANK_CELLS
    assert len(re.sub("<[^>]*>|[^c]", "", as_html(10 * looped))) == 10 * 50
    assert as_html("|a|\n|---|\n|b" + 500 * "|").count("<td>") == 1
    few = as_html("|a|b|\n|---|---|\n" + 99 * "|c|d|\n" + "|e" * 13 + "|")
    assert few.count(">e<") == 2 + MOST_BLANK_CELLS // 100 - 1
    assert ">e|e<" in few


def test_a_table_becomes_no_wider_than_its_longest_row() -> None:
    assert as_html("> | a |\n> |---|\n> | b |\n\n| c |\n|---|").count("<th>") == 2


def test_the_address_of_a_link_is_told_where_it_is_pointed_at_and_nowhere_else(preview: SafePreview) -> None:
    seen(preview, "# [Form](https://host.org/?a=1&b=2)\n\nWords without a link")
    preview.moveCursor(QTextCursor.MoveOperation.End)
    assert tooltip_at(preview, preview.cursorRect().center() - QPoint(12, 0)) == ""
    preview.moveCursor(QTextCursor.MoveOperation.Start)
    told = tooltip_at(preview, preview.cursorRect().center() + QPoint(12, 0))
    assert "https://host.org/?a=1&amp;b=2" in told
    assert "not opened" in told


def test_columns_are_aligned_as_the_text_says() -> None:
    assert '<td align="right">2' in as_html("| a |\n|--:|\n| 2 |")


def test_no_tag_keeps_what_it_has_no_right_to() -> None:
    html = as_html('<p style="font-size: 900px" onclick="x()" id=a>a</p>\n\n<b style="text-align: left">b')
    assert 'align="left"' in html
    assert not any(word in html for word in ("style", "font", "onclick", "id="))


def test_no_attribute_ends_its_tag() -> None:
    html = as_html(f'<a href="&quot;>{"&lt;table&gt;" * 9}">a</a> <ol start="&quot; style=&quot;font: 9em">')
    assert "<table" not in html
    assert '" style=' not in html


FRAGMENTS = [
    *("<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<th>", "<thead>", "<hr>"),
    *("<p>", "</p>", "<div>", "</div>", "<ul>", "<li>", "</ul>", "<h1>", "</h1>"),
    *("<blockquote>", "<br>", "<br/>", "<b>", "</b>", "<i>", "<sup>", "<int>", "<", "</"),
    *("/>", "<pre>", "</pre>", "` ", "`` ", "<!--", "-->", "<?", "<!", "<http://x.y>", "&lt;"),
    *("|", "*", "**", "_", "[", "](", "<td\ncolspan=9>", "\\<", "</script>", "<script>"),
    *("<style>", "\\(", "\\)", "\\[", "\\]"),
]
BREAKS = ["\n", "\n\n", "\n- ", "\n1. ", "\n> ", "\n# ", "\n\n```\n", "\n\n    ", "\n  ", "\n\n---\n\n"]


@pytest.mark.qt_log_ignore("^attempted to insert into a list that no longer exists$", extend=True)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*FRAGMENTS, *BREAKS, *[" "] * 9]) | st.just("word"), max_size=24))
def test_every_word_is_seen_whatever_tags_are_around_it(preview: SafePreview, parts: list[str]) -> None:
    words = [f"w{number}x" for number in range(len(parts))]
    text = "".join(word if part == "word" else part for word, part in zip(words, parts, strict=True))
    expected = [word for word, part in zip(words, parts, strict=True) if part == "word"]
    if "<!--" not in parts and "](" not in parts:  # comments and addresses are not seen
        shown = "\n".join(seen(preview, f"{text}\n\nEnd"))
        assert [word for word in [*expected, "End"] if word not in shown] == []


@pytest.mark.parametrize(
    "unit",
    [
        *("<", "<b>", "</b>", "<b></i>", "<table><tr><td>", "<ul><li>\n\n", "<a "),
        *("\\(", "\\[", "[\\(", "\\[\n", "- \\[\n", "\\(\\)", "[1]: a\n"),
    ],
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    def seconds(length: int) -> float:
        began_s = thread_time()
        as_html((unit * length)[:length])
        return thread_time() - began_s

    def fastest(length: int) -> float:
        return min(seconds(length) for _ in range(3))  # garbage of other tests may be collected meanwhile

    seconds(1_000)
    assert fastest(40_000) < 0.1 + 4 * 8 * fastest(5_000)
