"""Where a model does not fit into memory, a person hears why and can choose what does."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.library.library import Origin, look_into
from rtocr_gui.ocr.machine.spot import Spot
from rtocr_gui.ocr.memory.fit import Fit, Proposal
from rtocr_gui.ocr.memory.need import MemoryNeed
from rtocr_gui.ocr.reading import Mode, Scaling
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.background.models_shown import ModelsListed
from rtocr_gui.ui.background.replies import FitJudged
from rtocr_gui.ui.dialogs.models_opener import ModelsOpener
from rtocr_gui.ui.dialogs.models_window import ModelsWindow
from rtocr_gui.ui.state.notices import LoadModel, Notice, refusal
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.small_checkpoint import write_checkpoint
from tests.ui.steps import Draw, open_and_load, until_loaded

GB = 10**9
CARD = Spot("cuda", "bfloat16", 4 * GB, 20 * GB)
BASE = Scaling(Mode.BASE)
SMALLER = Proposal("Read in Base mode", "cuda", "bfloat16", BASE)
FEWER = Proposal("Read in Gundam mode with at most 4 tiles", "cuda", "bfloat16", Scaling(Mode.GUNDAM, 4))
ELSEWHERE = Proposal("Run it on the CPU, which takes longer", "cpu", "float32")
MINIATURE = Proposal("Use the miniature that comes with RTOCR")
TOO_LARGE = Fit(
    "DeepSeek-OCR",
    CARD,
    Scaling(Mode.GUNDAM),
    MemoryNeed(weights=7 * GB, encoding=GB, reading=GB),
    (FEWER, SMALLER, ELSEWHERE, MINIATURE),
)
ROOMY = Fit("DeepSeek-OCR", Spot("cpu", "bfloat16", 20 * GB, 20 * GB), BASE, TOO_LARGE.need)


def refused(qtbot: QtBot, session: Session, folder: Path) -> Notice:
    """What a person hears where the model of a folder does not fit."""
    with qtbot.waitSignal(session.notice_raised) as told:
        session.models.choose(folder)
    notice: Notice = told.args[0]
    return notice


def offer(notice: Notice, label: str) -> LoadModel:
    (found,) = (each for each in notice.offers if each.label == label)
    assert isinstance(found, LoadModel)
    return found


def loaded(qtbot: QtBot, session: Session, taken: LoadModel) -> None:
    until_loaded(qtbot, session, lambda: session.take_offer(taken))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "large"


def test_a_refusal_says_what_is_needed_and_offers_what_fits(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, folder: Path, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    before = session.models.model
    fake_engine.need = TOO_LARGE
    notice = refused(qtbot, session, folder)
    assert notice.sentence == f"{TOO_LARGE.sentence} It was not loaded."
    assert [each.label for each in notice.offers[:-1]] == [each.label for each in TOO_LARGE.proposals]
    assert notice.offers[-1].label.startswith("Load it anyway")
    assert session.models.model is before
    (button,) = (each for each in window.notice_bar.findChildren(QPushButton) if not each.isHidden())
    assert button.text() == "What to do"
    assert [action.text() for action in button.menu().actions()] == [each.label for each in notice.offers]
    until_loaded(qtbot, session, button.menu().actions()[-1].trigger)
    assert session.choices.settings.model_folder == str(folder)
    assert not window.notice_bar.notices


def test_what_was_said_of_a_model_that_did_not_load_goes_once_one_is_loaded(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, folder: Path
) -> None:
    fake_engine.load_error = CheckpointError("There is no folder like that.")
    refused(qtbot, session, folder)
    assert [notice.sentence for notice in window.notice_bar.notices] == ["There is no folder like that."]
    fake_engine.load_error = None
    until_loaded(qtbot, session, lambda: session.models.choose(folder))
    assert not window.notice_bar.notices


def test_what_was_said_of_another_model_stays_when_the_one_in_use_is_loaded_again(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, folder: Path, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(session.models.changed, check_params_cb=lambda status: status.unloaded):
        session.models.unload()
    fake_engine.need = TOO_LARGE
    refused(qtbot, session, folder)
    fake_engine.need = None
    with qtbot.waitSignal(session.models.reloaded):
        session.read_selected()
    assert [notice.model for notice in window.notice_bar.notices] == [folder]


def test_another_device_is_used_and_remembered_where_the_person_takes_that_offer(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, folder: Path
) -> None:
    fake_engine.need = TOO_LARGE
    taken = offer(refused(qtbot, session, folder), ELSEWHERE.label)
    fake_engine.need = ROOMY
    loaded(qtbot, session, taken)
    assert fake_engine.loads == [(folder, "cpu", "float32", Scaling(None))]
    assert (session.choices.settings.device, session.choices.settings.precision) == ("cpu", "float32")


@pytest.mark.parametrize(("proposal", "mode", "most_tiles"), [(SMALLER, "base", 9), (FEWER, "gundam", 4)])
def test_a_smaller_mode_is_used_and_remembered_and_the_device_still_chosen_by_itself(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    folder: Path,
    proposal: Proposal,
    mode: str,
    most_tiles: int,
) -> None:
    fake_engine.need = TOO_LARGE
    taken = offer(refused(qtbot, session, folder), proposal.label)
    fake_engine.need = ROOMY
    loaded(qtbot, session, taken)
    assert fake_engine.loads == [(folder, "auto", "auto", proposal.scaling)]
    assert (session.choices.settings.mode, session.choices.settings.most_tiles) == (mode, most_tiles)
    assert session.choices.settings.device == "auto"


def test_the_bundled_miniature_is_one_press_away(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, folder: Path, tmp_path: Path
) -> None:
    fake_engine.need = TOO_LARGE
    taken = offer(refused(qtbot, session, folder), MINIATURE.label)
    fake_engine.need = None
    loaded(qtbot, session, taken)
    assert fake_engine.loads[0][0] == tmp_path / "bundled"
    assert session.choices.settings.model_folder == ""


def test_what_a_proposal_leaves_alone_stays_as_it_was_asked_for(folder: Path) -> None:
    asked = LoadRequest(folder, "cuda", "auto", Scaling(Mode.GUNDAM))
    half = Proposal("Compute in float16", "cuda", "float16")
    fit = Fit("DeepSeek-OCR", CARD, Scaling(Mode.GUNDAM), TOO_LARGE.need, (half,))
    request = refusal(fit, asked, LoadRequest(Path("bundled"))).offers[0].request
    assert request == LoadRequest(folder, "cuda", "float16", Scaling(Mode.GUNDAM))


def test_the_mode_that_was_chosen_for_a_model_has_to_fit_and_the_limit_of_tiles_for_all(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, folder: Path, tmp_path: Path
) -> None:
    session.choices.remember(model_folder=str(folder), mode="large", most_tiles=4)
    until_loaded(qtbot, session, session.models.load)
    until_loaded(qtbot, session, lambda: session.models.choose(tmp_path / "other"))
    assert [scaling for *_, scaling in fake_engine.loads] == [Scaling(Mode.LARGE, 4), Scaling(None, 4)]


def test_a_model_that_was_let_go_and_no_longer_fits_is_told_with_the_same_offers(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(session.models.changed, check_params_cb=lambda status: status.unloaded):
        session.models.unload()
    fake_engine.need = TOO_LARGE
    with qtbot.waitSignal(session.notice_raised) as told:
        session.read_selected()
    assert len(told.args[0].offers) == 5
    assert window.tool_bar.model_chip.text() == "Fake model (unloaded)"


def test_the_window_of_models_says_whether_the_selected_one_fits(qtbot: QtBot, tmp_path: Path) -> None:
    window = ModelsWindow()
    qtbot.addWidget(window)
    entry = look_into(write_checkpoint(tmp_path / "model"), Origin.OWN)
    with qtbot.waitSignal(window.fit_requested) as wanted:
        window.show_models(ModelsListed((entry,), tmp_path, None))
    assert wanted.args == [entry.folder]
    window.show_fit(FitJudged(1, entry.folder, TOO_LARGE))
    assert TOO_LARGE.sentence in window.details.text()
    assert "It does not fit. What fits: read in Gundam mode with at most 4 tiles;" in window.details.text()
    window.show_fit(FitJudged(2, entry.folder, ROOMY))
    assert "It fits." in window.details.text()
    window.show_fit(FitJudged(3, entry.folder, replace(ROOMY, largest=TOO_LARGE)))
    assert "up to 8.0 GB in Gundam mode" in window.details.text()
    assert "It fits, but not in every mode" in window.details.text()
    window.show_fit(FitJudged(4, tmp_path / "another", TOO_LARGE))
    assert "fits" not in window.details.text()


@pytest.mark.parametrize(
    ("need", "sentence"), [(ROOMY, "It fits."), (None, "Nobody asked the test about memory.")]
)
def test_the_window_of_models_asks_the_engine_and_says_why_if_it_cannot_tell(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    need: Fit | None,
    sentence: str,
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    fake_engine.need = need
    opener = ModelsOpener(session, write_checkpoint(tmp_path / "bundled"), window)
    opener.open()
    qtbot.waitUntil(lambda: sentence in opener.window.details.text())
    assert opener.close(5)
