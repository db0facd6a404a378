"""Where a download goes to."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "DeepSeek-OCR"
