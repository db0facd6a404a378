"""Describes the page, model and mode behind an exported file as plain data, the same way in every file."""

from dataclasses import asdict
from typing import Any

from rtocr_gui.documents.pages import Crop, PageRef


def source_as_json(ref: PageRef, model_name: str, mode_name: str) -> dict[str, Any]:
    """Describe where exported data comes from; pages are numbered from 1, and parts are those in the file."""
    return {
        "file": str(ref.path),
        "page": ref.index + 1,
        "sha256": ref.sha256,
        "rotation_deg": ref.rotation_deg,
        "cuts": [asdict(cut) if isinstance(cut, Crop) else cut.value for cut in ref.cuts],
        "model": model_name,
        "mode": mode_name,
    }
