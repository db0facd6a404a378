"""The recipe of the miniature is not installed: it is found beside the program. It needs fonts."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "miniature"))

from recipe.typefaces import MissingMaterial, find_typefaces


@pytest.fixture(scope="module", autouse=True)
def _able_to_draw(one_thread: None) -> None:
    try:
        find_typefaces(held_out=False)
    except MissingMaterial as error:
        pytest.skip(str(error))
