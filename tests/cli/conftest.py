"""What the tests of the command read."""

from pathlib import Path

import pytest

from tests.broken_files import pdf_of_pages
from tests.made_pages import page_image


@pytest.fixture
def page(tmp_path) -> Path:
    path = tmp_path / "page.png"
    page_image().save(path)
    return path


@pytest.fixture
def book(tmp_path) -> Path:
    path = tmp_path / "book.pdf"
    path.write_bytes(pdf_of_pages(5, media_box=b"0 0 200 300"))
    return path
