"""The recipe of the miniature is not installed: it is found beside the program. It needs fonts."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "miniature"))

from recipe.typefaces import MissingMaterial, find_typefaces


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", autouse=True)
def _typefaces() -> None:
    try:
        find_typefaces(held_out=False)
    except MissingMaterial as error:
        pytest.skip(str(error))
