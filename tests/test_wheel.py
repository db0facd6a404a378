"""What an installation brings: the wheel's contents, its commands, and pinned versions."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The root of a wheel built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.Path(path)


def test_the_wheel_holds_the_whole_package(wheel: zipfile.Path) -> None:
    modules = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "rtocr_gui").rglob("*.py")}
    assert modules <= set(wheel.root.namelist())


@pytest.mark.parametrize("folder", ["miniature", "samples", "icons"])
def test_the_wheel_holds_the_resources(folder: str, wheel: zipfile.Path) -> None:
    resources = {path.name for path in (CHECKOUT / "resources" / folder).iterdir()}
    assert resources
    assert {path.name for path in (wheel / "rtocr_gui" / "resources" / folder).iterdir()} == resources


def test_the_wheel_puts_nothing_beside_the_package(wheel: zipfile.Path) -> None:
    assert {path.name.partition("-")[0] for path in wheel.iterdir()} == {"rtocr_gui"}


def test_the_wheel_gives_both_commands(wheel: zipfile.Path) -> None:
    (information,) = (path for path in wheel.iterdir() if path.name.endswith(".dist-info"))
    entry_points = (information / "entry_points.txt").read_text(encoding="utf-8")
    assert "rtocr = rtocr_gui.cli.__main__:main" in entry_points
    assert "rtocr-gui = rtocr_gui.__main__:main" in entry_points


def test_an_installed_copy_finds_its_own_resources(wheel: zipfile.Path, tmp_path: Path) -> None:
    wheel.root.extractall(tmp_path)
    program = "from rtocr_gui.resources import resource_path; print(resource_path('miniature/config.json'))"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()) == tmp_path / "rtocr_gui" / "resources" / "miniature" / "config.json"


def test_every_package_that_the_project_needs_is_pinned_to_what_is_tested() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (CHECKOUT / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.lower().replace("_", "-").split("==") for line in lines if not line.startswith("#"))
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    seen: set[tuple[str, str]] = set()
    installed: dict[str, str] = {}
    while wanted:
        requirement = Requirement(wanted.pop())
        name = re.sub(r"[-_.]+", "-", requirement.name.lower())
        for extra in ("", *requirement.extras):
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if not applies or (name, extra) in seen:
                continue
            seen.add((name, extra))
            installed[name] = version(name).partition("+")[0]
            for child in map(Requirement, requires(name) or []):
                if child.marker is None or child.marker.evaluate({"extra": extra}):
                    child.marker = None
                    wanted.append(str(child))
    assert {name: pinned.get(name) for name in installed} == installed
