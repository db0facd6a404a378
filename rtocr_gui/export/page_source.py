"""Which page, model and mode an exported file is of, as plain data, the same in every file."""

from typing import Any

from rtocr_gui.documents.pages import PageRef


def source_as_json(ref: PageRef, model_name: str, mode_name: str) -> dict[str, Any]:
    """Describe where something comes from; pages count from 1."""
    return {
        "file": str(ref.path),
        "page": ref.index + 1,
        "sha256": ref.sha256,
        "rotation_deg": ref.rotation_deg,
        "model": model_name,
        "mode": mode_name,
    }
