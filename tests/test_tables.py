"""HTML tables become pipe tables where these can say the same, and stay untouched where not."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rtocr_gui.export.tables import with_pipe_tables

SIMPLE = "<table><tr><td>Year</td><td>Grain</td></tr><tr><td>2024</td><td>822</td></tr></table>"
PIPES = "| Year | Grain |\n| --- | --- |\n| 2024 | 822 |"
_CELL_BEGINS = ("td_open", "th_open")
_PLAIN = ("text", "text_special", "code_inline", "softbreak")


def table(*rows: tuple[str, ...]) -> str:
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def rendered_cells(markdown: str) -> list[str]:
    """The text of the cells as a Markdown program shows it, none of it being taken for HTML."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    cells = [token.children or [] for before, token in pairwise(tokens) if before.type in _CELL_BEGINS]
    assert not any(child.type == "html_inline" for cell in cells for child in cell)
    return ["".join(child.content for child in cell if child.type in _PLAIN) for cell in cells]


def test_a_simple_table_becomes_one_of_pipes_between_blank_lines() -> None:
    assert with_pipe_tables(SIMPLE) == PIPES
    assert with_pipe_tables(f"Before\n{SIMPLE}\nAfter\n") == f"Before\n\n{PIPES}\n\nAfter\n"
    assert with_pipe_tables(f"Before\n\n{SIMPLE}\n\n\nAfter") == f"Before\n\n{PIPES}\n\n\nAfter"
    assert with_pipe_tables(f"{SIMPLE}{SIMPLE}") == f"{PIPES}\n\n{PIPES}"
    assert with_pipe_tables(f"{SIMPLE}\n{SIMPLE}{SIMPLE}") == f"{PIPES}\n\n{PIPES}\n\n{PIPES}"


def test_head_and_body_header_cells_and_other_attributes_are_understood() -> None:
    text = (
        '<TABLE border="1">\n<thead><tr><th align="left">Year</th><th>Grain</th></tr></thead>\n'
        '<tbody>\n<tr><td colspan="1">2024</td><td> 822\n</td></tr></tbody></TABLE>'
    )
    assert with_pipe_tables(text) == PIPES


def test_short_rows_are_filled_up() -> None:
    assert with_pipe_tables(table(("a", "b"), ("c",))) == "| a | b |\n| --- | --- |\n| c |  |"


def test_formats_and_line_breaks_within_a_cell_stay() -> None:
    assert with_pipe_tables(table(("m<sup>2</sup><br/>net",))) == "| m<sup>2</sup><br>net |\n| --- |"


def test_a_formula_keeps_its_signs() -> None:
    assert "| \\( a_1 * \\vert b\\vert \\) |" in with_pipe_tables(table(("\\( a_1 * |b| \\)",)))
    assert r"| \( \Vert w\Vert _2 \) |" in with_pipe_tables(table((r"\( \|w\|_2 \)",)))
    assert r"| \( a \\\vert b \) |" in with_pipe_tables(table((r"\( a \\| b \)",)))
    assert "| $$$ \\| $$$ |" in with_pipe_tables(table(("$$$ | $$$",)))
    for formula in (r"$$ x_1 < 2 $$", r"\( p_1 < 0.05 \)", r"\(x_1 < y_2\)", r"\( a < b < c_1 \)"):
        assert f"| {formula.replace('<', '&lt;')} |" in with_pipe_tables(table((formula,)))


@pytest.mark.parametrize(
    "text",
    [
        '<table><tr><td colspan="2">a</td></tr></table>',
        "<table><tr><td rowspan=3>a</td></tr></table>",
        "<table><tr><td colspan=x>a</td></tr></table>",
        "<table><tr><td colspan>a</td></tr></table>",
        "<table><tr><td><table><tr><td>a</td></tr></table></td></tr></table>",
        "<table><tr><td>a<td>b</tr></table>",
        "<table><tr><td>a</td></tr>",
        "<table><tr><td>a</td></table>",
        "<table><tr><td>a</tr></td></table>",
        "<table>loose<tr><td>a</td></tr></table>",
        "<table><tr><td>a</td></tr><tr><td>b <b </table>",
        "<table><br><tr><td>a</td></tr></table>",
        "<table><caption>c</caption><tr><td>a</td></tr></table>",
        "<table><tr><td><p>a</p></td></tr></table>",
        '<table><tr><td><a href="x">a</a></td></tr></table>',
        "<table><tr><td><script>a</script></td></tr></table>",
        "<table><tr><td>a<!-- b --></td></tr></table>",
        "<table><tr></tr></table>",
        "<table></table>",
        "<table><tr><td>a</td></tr></tbody></table>",
        f"```html\n{SIMPLE}\n```",
        f"````\n```\n{SIMPLE}\n````",
        f"  ~~~\n{SIMPLE}\n  ~~~",
        f"a\r\rb\r```\r{SIMPLE}\r```",
        f"a\r\n\r\nb\r\n```\r\n{SIMPLE}\r\n```",
        f"~~~\n{SIMPLE}",
        f"    {SIMPLE}",
        f"`{SIMPLE}`",
        f"Words {SIMPLE}",
        f"> {SIMPLE}",
        f"> {SIMPLE}\n> quoted",
        f"- item\n  {SIMPLE}\n- item",
        f"1. item\n\n   {SIMPLE}",
        f"<pre>\n{SIMPLE}\n</pre>",
        f"<!--\n{SIMPLE}\n-->",
        f"<div>\n<!--\n{SIMPLE}\n-->\n</div>",
        f"<div>{SIMPLE}</div>",
        f"<table><tr><td>\n{SIMPLE}\n{SIMPLE}\n</td></tr></table>",
        f"<table><tr><td>\n\n{SIMPLE}\n\n</td></tr></table>",
        "<table><tr><td>a\n\n```\n</td></tr></table>\n```",
        "a | b",
        "[a]: <table>",
    ],
)
def test_what_pipes_cannot_say_stays_to_the_last_character(text: str) -> None:
    assert with_pipe_tables(text) == text
    around = f"Before\n{text}\nAfter"
    assert with_pipe_tables(around) == around


@pytest.mark.parametrize(
    "kept", ['<table><tr><td colspan="2">a</td></tr></table>', "<table>\n\nx\n\n</table>"]
)
def test_a_table_that_stays_keeps_no_other_from_changing(kept: str) -> None:
    assert with_pipe_tables(f"{kept}\n\n{SIMPLE}\n") == f"{kept}\n\n{PIPES}\n"


def test_a_table_beside_others_and_other_html_changes() -> None:
    assert with_pipe_tables(f"{SIMPLE} {SIMPLE}") == f"{PIPES}\n\n{PIPES}"
    caption = "<center>Table 1</center>"
    assert with_pipe_tables(f"{caption}\n   {SIMPLE}\n{caption}") == f"{caption}\n\n{PIPES}\n\n{caption}"
    for before in ("- item", "> quoted", "<!-- a remark -->", f"`{SIMPLE}`", f"> {SIMPLE}"):
        assert with_pipe_tables(f"{before}\n{SIMPLE}") == f"{before}\n\n{PIPES}"


@given(st.lists(st.text(alphabet="aZ09 .,*_`[]()|\\~<>&#!-+", max_size=8), min_size=1, max_size=4))
def test_a_cell_shows_the_text_it_showed(cells: list[str]) -> None:
    escaped = [text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in cells]
    markdown = with_pipe_tables(table(tuple(escaped)))
    if "\\(" in "".join(cells) or "\\[" in "".join(cells):
        return  # might be a formula, which is left to itself
    assert rendered_cells(markdown) == [" ".join(text.split()) for text in cells]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("&lt;img src=x&gt;", "<img src=x>"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        (r"\( &lt;img src=x&gt; \)", "( <img src=x> )"),
        (r"\[ &lt;img src=x&gt; \]", "[ <img src=x> ]"),
    ],
)
def test_the_text_of_a_cell_never_becomes_html(cell: str, shown: str) -> None:
    assert rendered_cells(with_pipe_tables(table((cell,)))) == [shown]


def test_tables_and_formulae_without_an_end_take_no_time() -> None:
    table = "<table><tr><td>a</td></tr></table>"
    opened, formulae = "<table " * 100_000, r"\( " * 100_000
    started = time.process_time()
    assert with_pipe_tables(opened) == opened
    assert with_pipe_tables(f"{table}\n\n{opened}") == f"{with_pipe_tables(table)}\n\n{opened}"
    assert with_pipe_tables(f"<table><tr><td>{formulae}</td></tr></table>").count(r"\\(") == 100_000
    assert time.process_time() - started < 5


def test_a_number_may_be_a_formula_and_what_stands_in_brackets_keeps_them():
    table = r"<table><tr><td>\(12\)</td><td>[1]</td></tr></table>"
    assert with_pipe_tables(table).splitlines()[0] == r"| \(12\) | \[1\] |"
