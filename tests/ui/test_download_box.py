"""The box of the download says how it stands, and offers what can be done about it."""

from dataclasses import replace

import pytest
from huggingface_hub import constants
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage
from rtocr_gui.ui.background.models_shown import DownloadShown, DownloadState
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.download_box import DownloadBox
from tests.ui.steps import choices, in_sight

HALF = DownloadProgress(DownloadStage.TRANSFER, 3_100_000_000, 6_682_000_000, 23_400_000, 153)


@pytest.fixture
def box(qtbot: QtBot) -> DownloadBox:
    return in_sight(qtbot, DownloadBox())


@pytest.mark.parametrize(
    ("shown", "buttons", "line"),
    [
        (DownloadShown(DownloadState.IDLE), ["Download"], ""),
        (
            DownloadShown(DownloadState.RUNNING, HALF),
            ["Pause", "Cancel"],
            "3.1 GB of 6.7 GB · 23.4 MB/s · 3 min left",
        ),
        (DownloadShown(DownloadState.STOPPING, HALF), ["Pause", "Cancel"], "Stopping…"),
        (
            DownloadShown(DownloadState.PAUSED, replace(HALF, stage=DownloadStage.PAUSED)),
            ["Resume", "Cancel"],
            "Paused at 3.1 GB of 6.7 GB",
        ),
        (
            DownloadShown(DownloadState.FAILED, HALF, "The disk is full."),
            ["Try again", "Cancel"],
            "The disk is full.",
        ),
        (DownloadShown(DownloadState.FOUND), ["Download again"], "The model is in this folder."),
        (
            DownloadShown(DownloadState.DONE),
            ["Download again"],
            "Downloaded and checked. Select it above and press Use.",
        ),
    ],
    ids=lambda value: value.state.value if isinstance(value, DownloadShown) else None,
)
def test_each_state_of_the_download_offers_what_can_be_done(
    shown: DownloadShown, buttons: list[str], line: str, box: DownloadBox
) -> None:
    box.show_download(shown)
    assert choices(box) == buttons
    assert box.status.text() == line
    assert box.pause.isEnabled() == (shown.state is DownloadState.RUNNING)


def test_the_keyboard_stays_with_the_button_that_takes_the_place(box: DownloadBox) -> None:
    box.activateWindow()
    box.start.setFocus()
    box.show_download(DownloadShown(DownloadState.RUNNING, HALF))
    assert box.pause.hasFocus()
    box.show_download(DownloadShown(DownloadState.FAILED, HALF, "The disk is full."))
    assert box.start.hasFocus()


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        ("https://me:secret@mirror.example/@hub", "https://mirror.example/@hub"),
        ("https://me:sec/ret@mirror.example", ""),
    ],
)
def test_the_usual_server_is_shown_without_a_password(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, endpoint: str, shown: str
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    assert in_sight(qtbot, DownloadBox()).server.placeholderText() == shown


def test_what_is_only_repaired_cannot_be_thrown_away(box: DownloadBox) -> None:
    for repairs, cancel in ((True, []), (False, ["Cancel"])):
        for state, button in ((DownloadState.RUNNING, "Pause"), (DownloadState.FAILED, "Try again")):
            box.show_download(DownloadShown(state, HALF, repairs=repairs))
            assert choices(box) == [button, *cancel]


def test_the_bar_shows_the_share_and_wavers_before_it_is_known(box: DownloadBox) -> None:
    box.show_download(DownloadShown(DownloadState.RUNNING))
    assert (box.bar.minimum(), box.bar.maximum()) == (0, 0)
    box.show_download(DownloadShown(DownloadState.RUNNING, HALF))
    assert box.bar.value() / box.bar.maximum() == pytest.approx(0.46, abs=0.01)


def test_what_arrived_before_the_server_was_asked_again_is_not_thrown_away_unasked(
    box: DownloadBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(questions, "agrees", lambda parent, title, text, *verbs: asked.append(text))
    asking = DownloadProgress(DownloadStage.CONNECT, 0, 0)
    for state in (DownloadState.RUNNING, DownloadState.FAILED):
        box.show_download(DownloadShown(state, asking, kept_bytes=HALF.done_bytes))
        box.discard.click()
    assert len(asked) == 2
    assert all("3.1 GB was downloaded" in text for text in asked)


@pytest.mark.parametrize(("agreed", "discarded"), [(True, 1), (False, 0)])
def test_what_arrived_is_thrown_away_only_after_asking(
    agreed: bool, discarded: int, box: DownloadBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    heard: list[None] = []
    monkeypatch.setattr(questions, "agrees", lambda parent, title, text, *verbs: asked.append(text) or agreed)
    box.discard_requested.connect(lambda: heard.append(None))
    box.show_download(DownloadShown(DownloadState.RUNNING, HALF))
    box.discard.click()
    assert (len(asked), len(heard)) == (1, discarded)
    assert "3.1 GB" in asked[0]
