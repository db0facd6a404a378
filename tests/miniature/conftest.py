"""The recipe of the miniature is not installed: it is found beside the program. It needs fonts."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "miniature"))

from recipe.stock import load_stock
from recipe.typefaces import MissingMaterial, _font_files, digest_typefaces, find_typefaces


@pytest.fixture(scope="module", autouse=True)
def _able_to_draw(one_thread: None) -> None:
    try:
        find_typefaces(held_out=False)
    except MissingMaterial as error:
        pytest.skip(str(error))


@pytest.fixture
def change_texts(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Gives the machine other documentation than it has."""

    def change() -> None:
        folder = tmp_path_factory.mktemp("doc")
        (folder / "editor").mkdir()
        (folder / "editor" / "README").write_text("A new editor, which explains itself in a sentence.")
        monkeypatch.setattr("recipe.stock._DOCUMENTATION", folder)
        load_stock.cache_clear()

    yield change
    load_stock.cache_clear()


@pytest.fixture
def change_typefaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """Gives the machine another file of one typeface: of those that are held out, or of the others."""

    def change(held_out: bool) -> None:
        regular, *_ = find_typefaces(held_out)[0].paths
        other = tmp_path / regular.name
        other.write_bytes(regular.read_bytes() + b"other")
        files = {**_font_files(), regular.stem: other}
        monkeypatch.setattr("recipe.typefaces._font_files", lambda: files)
        forget()

    def forget() -> None:
        find_typefaces.cache_clear()
        digest_typefaces.cache_clear()

    yield change
    forget()
