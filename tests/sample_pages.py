"""The sample pages that come with the program."""

from pathlib import Path

from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.resources import resource_path

SAMPLES = sorted(resource_path("samples").glob("*.png"))


def load_sample(path: Path) -> PageImage:
    """The page as the program opens it."""
    with open_document(path) as document:
        return document.load_page(0)
