"""What is kept of unsaved text is read back exactly, and nothing else is taken for it."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.documents.pages import ROTATIONS_DEG, Crop, Half, PageRef
from rtocr_gui.export.markdown import markdown_after, markdown_of_pages
from rtocr_gui.ui.state.kept_text import MOST_CUTS, KeptPage, content_of, pages_in
from rtocr_gui.ui.state.page_entry import TextOrigin

HERE = Path("/scans").absolute()
LETTER = PageRef(HERE / "letter.pdf", 2, "a" * 64, 90, (Crop(0.1, 0.25, 1.0, 1e-5 + 0.25), Half.LEFT))

texts = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1) | st.builds(
    lambda before, middle, after: before + middle + after,
    st.text("a\r\n-`|<>", max_size=5),
    st.sampled_from(
        [
            "\n<!-- RTOCR can restore these texts: {} -->\n",
            "<!-- page: letter.pdf, page 1 -->\n\n",
            "\n---\n\n",
            "<table><tr><td>cut short",
            "```",
        ]
    ),
    st.text("a\r\n-`|<>", max_size=5),
)
refs = st.builds(
    PageRef,
    st.sampled_from(["letter.pdf", "a--b-->.png", "ä\udcff\n漢.png", "\\--.png"]).map(HERE.joinpath),
    st.integers(0, 10**6),
    st.sampled_from(["a" * 64, "b" * 64]),
    st.sampled_from(ROTATIONS_DEG),
    st.sampled_from([(), (Half.TOP,), (Crop(0, 0.125, 0.5, 1), Half.RIGHT, Crop(0.1, 0.2, 0.3, 1))]),
)


def kept(
    ref: PageRef, text: str, origin: TextOrigin = TextOrigin.TYPED, is_exported: bool = False
) -> KeptPage:
    return KeptPage(ref.label, text, ref, origin, is_exported)


def written(pages: Sequence[KeptPage]) -> bytes:
    return content_of(pages, list(map(markdown_after, (None, *pages), pages)))


@given(
    st.lists(
        st.builds(kept, refs, texts, st.sampled_from(TextOrigin), st.booleans()),
        min_size=1,
        max_size=4,
        unique_by=lambda page: page.ref.whole,
    )
)
def test_what_was_written_is_read_back_and_an_export_precedes_it(pages: list[KeptPage]) -> None:
    content = written(pages)
    assert pages_in(content) == tuple(pages)
    markdown, comment = content.decode().rsplit("\n<!-- ", 1)
    assert markdown == markdown_of_pages(pages)
    assert comment.count("--") == 1
    assert comment.endswith(" -->\n")


def test_half_a_character_costs_nothing_else() -> None:
    first, second = kept(LETTER, "half \ud83d\ud83d"), kept(LETTER.other_halves[0], "mine")
    assert [page.text for page in pages_in(written([first, second]))] == ["half ??", "mine"]


def test_a_text_that_looks_like_a_record_or_ends_with_one_is_only_a_text() -> None:
    inner = written([kept(LETTER, "inner")]).decode()
    pages = (kept(LETTER, inner), kept(LETTER.other_halves[0], inner))
    assert pages_in(written(pages)) == pages
    assert pages_in(markdown_of_pages(pages).encode()) == ()  # as it was kept before there were records


def with_record(record: object, digest: str | None = None) -> bytes:
    """A file as it is kept of one page, with another record."""
    markdown = markdown_of_pages([kept(LETTER, "typed")]).encode()
    if isinstance(record, list):
        record = {"sha256": digest or sha256(markdown).hexdigest(), "pages": record}
    text = record if isinstance(record, str) else json.dumps(record)
    return markdown + f"\n<!-- RTOCR can restore these texts: {text} -->\n".encode()


def entry(**changes: object) -> dict[str, Any]:
    made = {"path": str(HERE / "a.png"), "index": 0, "sha256": "0", "rotation_deg": 0, "cuts": []}
    return {**made, "origin": "read in part", "exported": True, "start": 0, "end": 1, **changes}


def test_a_record_by_hand_is_understood() -> None:
    (page,) = pages_in(with_record([entry(cuts=["left", "left", [0, 0, 0.5, 1]])]))
    assert page == KeptPage(
        "a.png, page 1, part 1 of 4, cropped", "<", page.ref, TextOrigin.READ_IN_PART, True
    )
    assert page.ref.cuts == (Half.LEFT, Half.LEFT, Crop(0, 0, 0.5, 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "a.png"},
        {"path": str(HERE / ".." / "a.png")},
        {"path": ""},
        {"path": 7},
        {"path": [str(HERE)]},
        {"index": -1},
        {"index": True},
        {"index": 0.0},
        {"index": "0"},
        {"sha256": None},
        {"rotation_deg": 45},
        {"rotation_deg": False},
        {"rotation_deg": 90.0},
        {"rotation_deg": 10**400},
        {"cuts": None},
        {"cuts": "left"},
        {"cuts": {"left": 1}},
        {"cuts": ["centre"]},
        {"cuts": [None]},
        {"cuts": [[0, 0, 1]]},
        {"cuts": [[0, 0, 1, 1, 1]]},
        {"cuts": [[0, 0, 1, True]]},
        {"cuts": [[0, 0, 1, "1"]]},
        {"cuts": [[0, 0, 1, 10**400]]},
        {"cuts": [[0, 0, 1, float("inf")]]},
        {"cuts": [[0, 0, float("nan"), 1]]},
        {"cuts": [[0.5, 0, 0.5, 1]]},
        {"cuts": [[0, 0, 1, 1]] * (MOST_CUTS + 1)},
        {"origin": None},
        {"exported": 1},
        {"origin": "dreamt"},
        {"start": -1},
        {"start": 1},
        {"end": 10**400},
        {"end": 1000},
        {"end": 1.0},
        {"end": None},
    ],
)
def test_a_record_with_an_impossible_entry_counts_as_none(changes: dict[str, object]) -> None:
    assert pages_in(with_record([entry(path=str(HERE / "other.png")), entry(**changes)])) == ()


@pytest.mark.parametrize("broken", [{}, [], None, 7, "entry", {"path": str(HERE)}])
def test_a_record_with_something_else_among_its_entries_counts_as_none(broken: object) -> None:
    assert pages_in(with_record([entry(), broken])) == ()


def test_a_record_of_parts_that_cannot_be_in_the_list_together_counts_as_none() -> None:
    assert pages_in(with_record([entry(), entry(cuts=["left"])])) == ()
    assert pages_in(with_record([entry(cuts=["left"]), entry(cuts=["right"]), entry(rotation_deg=90)])) == ()
    assert len(pages_in(with_record([entry(cuts=["left"]), entry(cuts=["right"])]))) == 2


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{",
        "null",
        "7",
        '"text"',
        "{}",
        "[" * 100_000,
        '{"sha256": 1, "pages": []}',
        "1" * 5000,
        '{"pages": ' + "[" * 100_000,
    ],
)
def test_what_is_no_record_counts_as_none(record: str) -> None:
    assert pages_in(with_record(record)) == ()
    assert pages_in(with_record({"sha256": sha256(b"").hexdigest(), "pages": record})) == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"more",
        lambda content: b"more" + content,
        lambda content: content.replace(b"typed", b"Typed"),
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.replace(b'"start"', b'"\xff"'),
    ],
)
def test_a_file_that_was_changed_has_no_record(spoil: Callable[[bytes], bytes]) -> None:
    content = written([kept(LETTER, "typed")])
    assert pages_in(content)
    assert pages_in(spoil(content)) == ()


def test_a_text_that_is_no_utf_8_has_no_record() -> None:
    markdown = b"\xff\xfe"
    record = json.dumps({"sha256": sha256(markdown).hexdigest(), "pages": [entry()]}).encode()
    assert pages_in(markdown + b"\n<!-- RTOCR can restore these texts: " + record + b" -->\n") == ()


@given(st.binary(max_size=200))
def test_no_bytes_are_a_reason_to_fail(content: bytes) -> None:
    assert pages_in(content) == ()
    record = b"\n<!-- RTOCR can restore these texts: " + content + b" -->\n"
    assert pages_in(record) == ()
