"""`train.py`: what it is asked makes sense, what went wrong is said, and no process is left behind."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import train as command
from recipe.muon import Optimiser
from recipe.pages import EVALUATION_SEED
from recipe.states import save_state
from recipe.typefaces import find_typefaces
from tests.miniature.materials import RECIPE, tiny_learner

TRAIN = RECIPE / "train.py"


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Gives `train.py` a stage and options, in this process."""
    for variable in ("OMP_WAIT_POLICY", "PYTORCH_ALLOC_CONF"):
        monkeypatch.setenv(variable, "")

    def run(stage: str, *options: object) -> int:
        words = [stage, tmp_path, "--steps", 3, *options]
        monkeypatch.setattr(sys, "argv", ["train.py", *map(str, words)])
        return command.main()

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("both", "--added-layers", "clip:3"), "only to weights that the training begins from"),
        (("both", "--heads", "heads.safetensors"), "name those with --begin-from"),
        (("both", "--minutes", 5, "--processes", 2), "count steps, not minutes"),
        (("pages", "--pruned", 0.3), "are for the stage “both”"),
        (("pages", "--encoder-learns", "tokens"), "are for the stage “both”"),
        (("both", "--seed", EVALUATION_SEED), "are kept for the evaluation"),
        (("both", "--steps", 0), "“0” is not a number from 1"),
        (("both", "--processes", 0), "“0” is not a number from 1"),
        (("both", "--passes", 0), "“0” is not a number from 1"),
        (("both", "--threads", 0), "“0” is not a number from 1"),
        (("both", "--drawers", -1), "“-1” is not a number from 0"),
        (("both", "--rate", "nan"), "“nan” must be above 0"),
        (("both", "--minutes", "inf"), "“inf” must be above 0"),
        (("both", "--falling-share", 0), "“0” must be above 0"),
        (("both", "--pruned", 2), "“2” must be in 0..1"),
        (("both", "--pruned", "half"), "“half” must be in 0..1"),
        (("both", "--device", "foo"), "“foo” is not a device"),
        (("both", "--device", "cuda:99"), "This computer has no device “cuda:99”"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[object, ...], said: str, train: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        train(*words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_what_a_training_cannot_go_on_from_is_said_in_a_sentence(
    train: Callable[..., int], tmp_path: Path
) -> None:
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), {"seed": 9, "step": 1})
    with pytest.raises(SystemExit, match="on the pages of seed 9, not 1"):
        train("encoder")


def test_that_no_steps_are_left_is_said_in_a_sentence(train: Callable[..., int], tmp_path: Path) -> None:
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), {"stage": "encoder", "seed": 1, "step": 4})
    with pytest.raises(SystemExit, match="4 steps are made already: name more"):
        train("encoder")


@pytest.mark.parametrize("facts", [{"stage": "encoder"}, {"stage": "encoder", "step": "many"}])
def test_a_state_that_tells_of_no_step_is_none(
    facts: dict[str, str], train: Callable[..., int], tmp_path: Path
) -> None:
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), facts)
    with pytest.raises(SystemExit, match="it tells of no step"):
        train("encoder")


def test_that_no_typeface_is_there_is_said_before_processes_draw(
    train: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    find_typefaces.cache_clear()
    monkeypatch.setattr("recipe.typefaces._font_files", dict)
    with pytest.raises(SystemExit, match="None of these typefaces is installed"):
        train("encoder", "--drawers", 1)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_several_processes_cannot_go_on_from_is_said_in_a_sentence(
    train: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), {"seed": 9, "step": 1})
    assert train("encoder", "--processes", 2) == 1
    said = capfd.readouterr().err
    assert "on the pages of seed 9, not 1" in said
    assert "Traceback" not in said


@pytest.fixture
def in_the_background() -> Iterator[None]:
    """What is started ignores Ctrl-C, as a shell lets it, which torch would end orphans with."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("in_the_background")
def test_no_process_of_a_training_outlives_the_one_that_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ("encoder", str(folder), "--steps", "1000", "--processes", "2")
    with subprocess.Popen([sys.executable, str(TRAIN), *words]) as training:
        try:
            while not folder.exists():  # it is made as the first step begins
                with pytest.raises(subprocess.TimeoutExpired):
                    training.wait(0.2)
            children = psutil.Process(training.pid).children()
        finally:
            training.kill()
    assert len(children) >= 2
    _, alive = psutil.wait_procs(children, timeout=60)
    assert all(child.status() == psutil.STATUS_ZOMBIE for child in alive)


def test_a_folder_in_which_another_training_runs_is_refused(
    train: Callable[..., int], tmp_path: Path
) -> None:
    with command._alone_in(tmp_path), pytest.raises(SystemExit, match="Another training runs in"):
        train("encoder", "--device", "cpu")
