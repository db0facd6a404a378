"""What keeps torch from being imported is told in a sentence."""

import sys
from types import ModuleType

import pytest

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.engine_import import real_engine


class ModuleWithoutItsLibrary(ModuleType):
    """Stands in for `ocr.engine`, where a library that torch loads is missing."""

    def __getattribute__(self, name: str) -> object:
        if name == "Engine":
            raise OSError("[WinError 126] The specified module could not be found")
        return super().__getattribute__(name)


def test_a_library_of_torch_that_cannot_be_loaded_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "rtocr_gui.ocr.engine"
    monkeypatch.setitem(sys.modules, name, ModuleWithoutItsLibrary(name))
    with pytest.raises(
        SettingsError, match=r"could not be loaded \(\[WinError 126\].*the Visual C\+\+ Redist"
    ):
        real_engine()
