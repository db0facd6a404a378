"""The bundle: what its recipe takes along and leaves out, and that its programs run without Python."""

import importlib.util
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from rtocr_gui.cli.bench.promises import PROBES
from rtocr_gui.resources import resource_path
from rtocr_gui.version import program_version

CHECKOUT = Path(__file__).parents[1]
RECIPE = CHECKOUT / "packaging" / "bundle"
SAMPLE = resource_path("samples") / "letter.png"


@dataclass
class Bundler:
    """Stands in for PyInstaller, and remembers what the recipe asks of it."""

    folder: Path
    analysis: dict[str, Any] = field(default_factory=dict)
    programs: dict[str, SimpleNamespace] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    app: dict[str, Any] = field(default_factory=dict)

    def analyse(self, scripts: list[str], **wanted: Any) -> SimpleNamespace:
        self.analysis = wanted
        prepared = [("pyi_rth_inspect", "", "PYSOURCE")]
        entries = [(Path(script).stem, script, "PYSOURCE") for script in scripts]
        binaries = [("torch/bin/test_api", "", "BINARY"), ("torch/lib/libtorch.so", "", "BINARY")]
        return SimpleNamespace(scripts=prepared + entries, pure=[], binaries=binaries, datas=[])

    def program(self, archive: object, scripts: list[tuple[str, str, str]], **wanted: Any) -> SimpleNamespace:
        self.programs[wanted["name"]] = SimpleNamespace(scripts=[name for name, *_ in scripts], **wanted)
        return self.programs[wanted["name"]]

    def collect(self, *parts: object, name: str) -> SimpleNamespace:
        self.files = {file[0] for files in parts if isinstance(files, list) for file in files}
        (self.folder / name).mkdir()
        return SimpleNamespace(name=str(self.folder / name))

    def bundle(self, *_: object, **wanted: Any) -> None:
        self.app = wanted

    def modules(self) -> dict[str, ModuleType]:
        """PyInstaller's modules, with what the recipe imports of them."""
        config = {"specpath": str(RECIPE), "workpath": str(self.folder)}
        contents: dict[str, dict[str, object]] = {
            "building.api": {"COLLECT": self.collect, "EXE": self.program, "PYZ": lambda _: None},
            "building.build_main": {"Analysis": self.analyse},
            "building.osx": {"BUNDLE": self.bundle},
            "config": {"CONF": config},
            "utils.hooks": {
                "collect_submodules": lambda name: [name],
                "copy_metadata": lambda name: [(f"{name}.dist-info", f"{name}.dist-info")],
                "get_package_paths": lambda name: ("", str(self._package(name))),
            },
        }
        modules = {f"PyInstaller.{name}": ModuleType(name) for name in contents}
        for name, content in contents.items():
            vars(modules[f"PyInstaller.{name}"]).update(content)
        packages = ("PyInstaller", "PyInstaller.building", "PyInstaller.utils")
        return {name: ModuleType(name) for name in packages} | modules

    def _package(self, name: str) -> Path:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        return Path(spec.origin).parent


@pytest.fixture(scope="module")
def bundler(tmp_path_factory: pytest.TempPathFactory) -> Bundler:
    """What the recipe asks for."""
    bundler = Bundler(tmp_path_factory.mktemp("bundle"))
    with pytest.MonkeyPatch.context() as patch:
        for name, module in bundler.modules().items():
            patch.setitem(sys.modules, name, module)
        bundler.recipe = runpy.run_path(str(RECIPE / "rtocr.spec"))
    return bundler


class TestRecipe:
    def test_every_resource_lies_where_an_installed_copy_looks_for_it(self, bundler: Bundler) -> None:
        folders = [folder for folder in (CHECKOUT / "resources").iterdir() if folder.is_dir()]
        wanted = {(str(folder), f"rtocr_gui/resources/{folder.name}") for folder in folders}
        assert len(wanted) >= 3
        assert wanted <= set(bundler.analysis["datas"])

    def test_the_version_and_the_licence_go_with_it(self, bundler: Bundler) -> None:
        assert ("rtocr-gui.dist-info", "rtocr-gui.dist-info") in bundler.analysis["datas"]
        assert (bundler.folder / "RTOCR" / "LICENSE").read_bytes() == (CHECKOUT / "LICENSE").read_bytes()

    def test_the_licences_of_others_go_with_it(self, bundler: Bundler) -> None:
        assert any(re.match(r"licences[\\/]torch[\\/].*LICENSE", name) for name in bundler.files)

    def test_modules_that_are_started_by_name_are_taken_along(self, bundler: Bundler) -> None:
        assert {probe.module for probe in PROBES.values()} <= set(bundler.analysis["hiddenimports"])

    def test_nothing_is_left_out_that_a_model_is_loaded_with(self, bundler: Bundler) -> None:
        program = (
            "import sys; from rtocr_gui.ocr.engine import Engine\n"
            "from rtocr_gui.resources import resource_path\n"
            "Engine().load(resource_path('miniature'), 'cpu'); print(*sys.modules)"
        )
        loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        modules = set(loaded.stdout.split())
        assert "transformers.models.unlimited_ocr.modeling_unlimited_ocr" in modules
        assert modules.isdisjoint(bundler.analysis["excludes"])

    def test_nothing_is_left_out_that_the_program_names(self, bundler: Bundler) -> None:
        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        names = {re.split(r"[\[<>=]", wanted)[0].replace("-", "_") for wanted in project["dependencies"]}
        assert names.isdisjoint(bundler.analysis["excludes"])

    def test_macos_offers_it_for_scans_without_making_it_the_usual_program(self, bundler: Bundler) -> None:
        (kind,) = bundler.app["info_plist"]["CFBundleDocumentTypes"]
        assert (kind["CFBundleTypeRole"], kind["LSHandlerRank"]) == ("Viewer", "Alternate")
        assert {"com.adobe.pdf", "public.jpeg", "public.png", "public.tiff"} <= set(
            kind["LSItemContentTypes"]
        )
        assert "public.image" not in kind["LSItemContentTypes"], "that includes HEIC, which is not read"

    def test_macos_does_not_slow_it_down_behind_other_windows(self, bundler: Bundler) -> None:
        assert bundler.app["info_plist"]["NSAppSleepDisabled"]

    def test_tests_are_left_out(self, bundler: Bundler) -> None:
        assert {"_pytest", "hypothesis", "tkinter"} <= set(bundler.analysis["excludes"])
        assert "torch/lib/libtorch.so" in bundler.files
        assert "torch/bin/test_api" not in bundler.files

    @pytest.mark.parametrize(
        ("name", "used"),
        [
            ("torch/bin/torch_shm_manager", True),
            ("torch/bin/protoc", False),
            ("torch/testing/__init__.py", True),
            ("torch/test/basic", False),
            ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
            ("rtocr_gui-0.1.0.dist-info/METADATA", True),
            ("rtocr_gui-0.1.0.dist-info/direct_url.json", False),
        ],
    )
    def test_of_a_folder_of_unused_files_what_is_used_stays(
        self, name: str, used: bool, bundler: Bundler
    ) -> None:
        assert bundler.recipe["is_used"](name) is used

    def test_there_is_a_window_without_a_console_and_a_command_line_with_one(self, bundler: Bundler) -> None:
        programs = {name: (made.scripts, made.console) for name, made in bundler.programs.items()}
        assert programs == {
            "rtocr-gui": (["pyi_rth_inspect", "window"], False),
            "rtocr": (["pyi_rth_inspect", "command"], True),
        }

    def test_the_icon_of_windows_and_macos_is_drawn(self, bundler: Bundler) -> None:
        from PIL import Image

        with Image.open(bundler.recipe["draw_icon"]()) as icon:
            assert icon.size == (256, 256)
            assert icon.getextrema()[3] == (0, 255)

    def test_what_makes_it_is_pinned(self) -> None:
        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        pinned = (CHECKOUT / "packaging" / "constraints.txt").read_text(encoding="utf-8")
        for wanted in project["optional-dependencies"]["bundle"]:
            assert f"\n{re.split('[<>=]', wanted)[0]}==" in pinned


class TestPrograms:
    def start(self, *arguments: str) -> str:
        command = [sys.executable, str(RECIPE / "command.py"), *arguments]
        return subprocess.run(
            command,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_the_command_line_runs_a_module_as_python_does(self) -> None:
        assert self.start("-m", "json.tool", "--help").startswith("usage:")

    def test_the_command_line_is_rtocr(self) -> None:
        assert self.start("--version") == f"rtocr {program_version(otherwise='')}\n"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ({"LD_LIBRARY_PATH": "/bundle"}, {}),
            ({"LD_LIBRARY_PATH": "/bundle", "LD_LIBRARY_PATH_ORIG": "/own"}, {"LD_LIBRARY_PATH": "/own"}),
            ({}, {}),
        ],
    )
    def test_programs_that_the_window_starts_find_their_own_libraries(
        self, before: dict[str, str], after: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        window = runpy.run_path(str(RECIPE / "window.py"))
        monkeypatch.setattr(os, "environ", dict(before))
        window["forget_own_libraries"]()
        assert os.environ == after


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a menu entry on Linux")
def test_the_menu_entry_can_be_made_where_a_user_has_no_folders_yet(tmp_path: Path) -> None:
    home, program = tmp_path / "home", tmp_path / "dist" / "RTOCR" / "rtocr-gui"
    home.mkdir()
    program.parent.mkdir(parents=True)
    program.touch()
    for part in ("packaging", "resources"):
        (tmp_path / part).symlink_to(CHECKOUT / part)
    told = (CHECKOUT / "packaging" / "linux" / "README.md").read_text(encoding="utf-8")
    for commands in re.findall(r"```\n(.+?)```", told, re.DOTALL):
        subprocess.run(
            ["sh", "-ec", commands], cwd=tmp_path, env={**os.environ, "HOME": str(home)}, check=True
        )
    assert (home / ".local" / "bin" / "rtocr-gui").is_file()
    assert (home / ".local" / "share" / "applications" / "rtocr.desktop").is_file()


@pytest.fixture(scope="module")
def bundle() -> Iterator[Path]:
    """The bundle, made by the command for it and copied to another folder."""
    subprocess.run([sys.executable, CHECKOUT / "run.py", "bundle"], check=True)
    with tempfile.TemporaryDirectory() as elsewhere:
        yield shutil.copytree(CHECKOUT / "dist" / "RTOCR", Path(elsewhere, "moved here"), symlinks=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestBundle:
    @pytest.fixture
    def bare(self, tmp_path: Path) -> dict[str, str]:
        """The environment of a person who has no Python."""
        return {"HOME": str(tmp_path), "PATH": "", "RTOCR_CONFIG_DIR": str(tmp_path / "settings")}

    def run(self, program: Path, *arguments: str | Path, folder: Path, bare: dict[str, str]) -> str:
        done = subprocess.run(
            [program, *arguments], cwd=folder, env=bare, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr
        return done.stdout

    def test_it_knows_its_version(self, bundle: Path, bare: dict[str, str], tmp_path: Path) -> None:
        version = self.run(bundle / "rtocr", "--version", folder=tmp_path, bare=bare)
        assert version == f"rtocr {program_version(otherwise='')}\n"

    def test_it_reads_a_page(self, bundle: Path, bare: dict[str, str], tmp_path: Path) -> None:
        text = self.run(bundle / "rtocr", "read", SAMPLE, folder=tmp_path, bare=bare)
        truth = SAMPLE.with_suffix(".txt").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line and not line.startswith("<!--")]
        assert lines == [line for line in truth.splitlines() if line]

    def test_it_measures_itself(self, bundle: Path, bare: dict[str, str], tmp_path: Path) -> None:
        table = self.run(bundle / "rtocr", "bench", "--only", "plan", folder=tmp_path, bare=bare)
        assert "Plan, Base" in table

    @pytest.mark.xvfb
    def test_its_window_opens_and_ends(
        self, bundle: Path, bare: dict[str, str], tmp_path: Path, xvfb_display: dict[str, str]
    ) -> None:
        shown = {"QT_LOGGING_RULES": "qt.widgets.showhide=true", "LC_ALL": "C.UTF-8"}
        with subprocess.Popen(
            [bundle / "rtocr-gui", SAMPLE],
            cwd=tmp_path,
            env={**bare, **shown, "DISPLAY": xvfb_display["DISPLAY"]},
            stderr=subprocess.PIPE,
            text=True,
        ) as window:
            assert window.stderr is not None
            told = []
            for line in window.stderr:
                told.append(line)
                if re.search(r"visibility of MainWindow\(.* to true", line):
                    window.send_signal(signal.SIGTERM)
        assert window.returncode == 128 + signal.SIGTERM
        assert [line for line in told if not line.startswith("qt.widgets.showhide")] == []
