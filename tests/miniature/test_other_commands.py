"""The other programs of the recipe: what makes no sense or is not there is said in a sentence."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import draw_documents
import evaluate
import export
import measure_encoder
import write_card
from recipe.muon import Optimiser
from recipe.states import STATE_FILE, save_state
from recipe.training import LOG_FILE
from tests.miniature.materials import MINIATURE, tiny_learner

EXPORT = ("run", "out", "--modes", "tiny", "--tasks", "text")


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Starts a program with its arguments, in this process and an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(program: ModuleType, *words: object) -> int:
        monkeypatch.setattr(sys, "argv", [program.__name__, *map(str, words)])
        return program.main()

    return run


@pytest.mark.parametrize(
    ("program", "words", "said"),
    [
        (export, (*EXPORT, "--x-height", 14, 8), "LEAST not above WELL"),
        (export, (*EXPORT, "--x-height", 0, 8), "--x-height must be above 0"),
        (export, (*EXPORT, "--blend-share", 0.3), "need --blend-with"),
        (export, (*EXPORT, "--blend-with", "run", "--blend-share", 1.3), "must be in 0..1"),
        (draw_documents, ("pages", "--width", 1000, 500), "take the least and the greatest"),
        (draw_documents, ("pages", "--x-height", 0, 10), "above 0"),
        (draw_documents, ("pages", "--count", 0), "is not a number from 1"),
        (draw_documents, ("pages", "--rich", 2), "must be in 0..1"),
        (evaluate, ("folder", "figures", "--threads", -1), "is not a number from 1"),
        (evaluate, ("folder", "figures", "--minutes", -1), "must be above 0"),
        (measure_encoder, ("run", "--pages", 0), "is not a number from 1"),
    ],
)
def test_what_makes_no_sense_is_refused(
    program: ModuleType,
    words: tuple[object, ...],
    said: str,
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        call(program, *words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_what_stands_where_a_folder_should_be_is_told(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for program, words in ((export, EXPORT), (draw_documents, ("out",))):
        Path("out").touch()
        with pytest.raises(SystemExit):
            call(program, *words)
        assert "out is a file, not a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--name", "two\nlines"), "“name” must be a line of 1 to 80 characters"),
        (("--description", "x" * 1200), "“description” must be a line of 1 to 1000 characters"),
        (("--x-height", 100, 300), "“x_height_px” must hold"),
        (("--x-height", 1, "inf"), "“x_height_px” must hold"),
    ],
)
def test_a_checkpoint_that_the_program_would_refuse_is_not_written(
    words: tuple[object, ...], said: str, call: Callable[..., int]
) -> None:
    with pytest.raises(SystemExit, match=said):
        call(export, *EXPORT, *words)
    assert not Path("out").exists()


def test_drawn_pages_come_with_what_they_lack(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("draw_documents.about_missing_typefaces", lambda: "Without Lato")
    assert call(draw_documents, "pages", "--count", 1, "--width", 300, 300) == 0
    assert "Without Lato" in capsys.readouterr().err
    assert len(list(Path("pages").iterdir())) == 3


@pytest.mark.parametrize("program", [evaluate, write_card])
def test_a_checkpoint_that_is_none_is_told(program: ModuleType, call: Callable[..., int]) -> None:
    with pytest.raises(SystemExit, match="There is no folder"):
        call(program, "nowhere", "figures.jsonl")


@pytest.mark.parametrize(
    ("program", "words"),
    [(export, EXPORT), (measure_encoder, ("run",)), (measure_encoder, ("run", "--heads", "no"))],
)
def test_a_stage_that_is_none_is_told(
    program: ModuleType, words: tuple[object, ...], call: Callable[..., int]
) -> None:
    with pytest.raises(SystemExit, match="There is no folder run: name that of a stage"):
        call(program, *words)


def test_a_stage_that_was_ended_before_it_saved_a_state_is_told(call: Callable[..., int]) -> None:
    Path("run").mkdir()
    Path("run", LOG_FILE).touch()
    with pytest.raises(SystemExit, match="no stage has saved a state there yet: train that stage first"):
        call(export, *EXPORT)


def test_a_place_that_cannot_be_written_to_is_told(call: Callable[..., int]) -> None:
    Path("file").touch()
    with pytest.raises(SystemExit, match="file/pages: Not a directory"):
        call(draw_documents, "file/pages")


@pytest.mark.parametrize("option", ["--proportion", "--x-height"])
def test_an_endless_page_is_not_drawn(
    option: str, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        call(draw_documents, "pages", option, 1, "inf")
    assert "must be above 0" in capsys.readouterr().err


def test_ctrl_c_ends_a_program_without_a_traceback(
    call: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("draw_documents.draw_page", press)
    with pytest.raises(SystemExit) as ended:
        call(draw_documents, "pages")
    assert ended.value.code == 130


def test_a_card_without_figures_is_not_written(call: Callable[..., int]) -> None:
    Path("other.jsonl").write_bytes(b'\xff\xfe\n5\n{}\n{"reader": "other"}')
    for figures in ("nowhere.jsonl", "other.jsonl"):
        with pytest.raises(SystemExit, match=f"{figures} holds no reading of this checkpoint"):
            call(write_card, MINIATURE, figures, "--card", "card.md")
    assert not Path("card.md").exists()


def test_what_a_card_needs_of_a_stage_is_told(call: Callable[..., int]) -> None:
    run = Path("run")

    def told() -> str:
        with pytest.raises(SystemExit) as ended:
            call(write_card, MINIATURE, "figures.jsonl", run, "--card", "card.md")
        return str(ended.value.code)

    assert "run is not the folder of a stage" in told()
    save_state(run, tiny_learner(), Optimiser({}, {}), {"stage": "encoder", "seed": 9, "step": 1})
    assert "log.jsonl is missing or tells of no step" in told()
    (run / LOG_FILE).write_text('{"step": 1, "lo')
    assert "log.jsonl is missing or tells of no step" in told()
    (run / LOG_FILE).write_text('{"step": 1, "seconds": 1}')
    assert "does not tell its items_per_step" in told()
    (run / STATE_FILE).write_bytes(b"damaged")
    assert "state.safetensors is damaged" in told()
