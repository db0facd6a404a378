"""Pictures from the clipboard: each is read once, and its text copied once it was read to its end."""

from dataclasses import replace
from pathlib import Path

import pytest

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import TASKS, Mode, ReadSettings, Scaling, StopReason
from rtocr_gui.settings import Settings
from rtocr_gui.ui.state.choices import Choices
from rtocr_gui.ui.state.pasted_pictures import PastedPictures
from tests.made_readings import REF, make_reading

READ = make_reading(ReadSettings(Scaling(Mode.BASE), TASKS[0]))


@pytest.fixture
def pasted() -> PastedPictures:
    return PastedPictures(Choices(Settings(read_pasted=True, copy_pasted=True)))


def test_a_pasted_picture_is_read_once_and_no_other_page_is(pasted: PastedPictures) -> None:
    pasted.begin(REF.path)
    assert pasted.take_to_read([PageRef(Path("/scans/other.png"), 0, "cd"), REF]) == (REF,)
    assert pasted.take_to_read([REF]) == ()


def test_its_text_is_copied_once_and_only_if_reading_was_not_stopped(pasted: PastedPictures) -> None:
    pasted.begin(REF.path)
    assert not pasted.take_to_copy(replace(READ, stop_reason=StopReason.CANCELLED))
    assert pasted.take_to_copy(READ)
    assert not pasted.take_to_copy(READ)
