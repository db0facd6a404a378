"""What comes of opening a file, for tests that look at the outcome only."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from rtocr_gui.documents.loading import open_document
from rtocr_gui.errors import DocumentError

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def written(path: Path, content: bytes) -> Path:
    """A file with this content."""
    path.write_bytes(content)
    return path


def first_page(path: Path) -> Image.Image:
    """The picture that the first page of a file is read from."""
    with open_document(path) as document:
        return document.load_page(0).image


def error_of(action: Callable[[], object]) -> DocumentError:
    """The error that a document is refused with."""
    with pytest.raises(DocumentError) as caught:
        action()
    return caught.value
