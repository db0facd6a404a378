"""`run.py`: one installation, plain words when something is missing, and nothing swallowed."""

import ast
import importlib.util
import json
import os
import re
import runpy
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from site import addpackage
from types import ModuleType

import PySide6
import pytest

CHECKOUT = Path(__file__).parents[1]
RUN = CHECKOUT / "run.py"


class Installer:
    """Stands in for venv and pip, and remembers what was asked of it."""

    def __init__(self, run: ModuleType) -> None:
        self.run = run
        self.calls: list[str] = []
        self.failure: BaseException | None = None

    def create(self, folder: Path, *, with_pip: bool, symlinks: bool) -> None:
        assert with_pip
        assert symlinks is (os.name != "nt")
        self.calls.append("create")
        self.run.PYTHON.parent.mkdir(parents=True)
        self.run.PYTHON.touch()

    def install(self) -> None:
        self.calls.append("install")
        if self.failure:
            raise self.failure


@pytest.fixture
def run(tmp_path: Path) -> ModuleType:
    """`run.py` in a checkout of its own, with nothing installed."""
    checkout = tmp_path / "checkout"
    (checkout / "packaging").mkdir(parents=True)
    shutil.copy(RUN, checkout)
    (checkout / "pyproject.toml").write_text("[project]\n")
    (checkout / "packaging" / "constraints.txt").write_text("torch==2.13.0\n")
    spec = importlib.util.spec_from_file_location("run", checkout / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def installer(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Installer:
    installer = Installer(run)
    monkeypatch.setattr(run.venv, "create", installer.create)
    monkeypatch.setattr(run, "install_packages", installer.install)
    return installer


class TestOldPython:
    def test_an_old_python_can_parse_it(self) -> None:
        ast.parse(RUN.read_text(encoding="utf-8"), feature_version=(3, 7))

    @pytest.mark.parametrize("found", [(3, 8, 1), (3, 10, 13), (3, 15, 0)])
    def test_a_python_it_cannot_work_with_is_told_apart_first(
        self, found: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "version_info", found)
        with pytest.raises(SystemExit, match=r"needs Python 3\.11 to 3\.14.*Install one of them"):
            runpy.run_path(str(RUN))

    @pytest.mark.parametrize(
        ("system", "command"), [("linux", "python3.12 run.py"), ("win32", "py -3.12 run.py")]
    )
    def test_it_tells_the_command_of_the_system_for_another(
        self, system: str, command: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "version_info", (3, 10, 13))
        monkeypatch.setattr(sys, "platform", system)
        with pytest.raises(SystemExit, match=re.escape(f"`{command}`")):
            runpy.run_path(str(RUN))

    def test_it_states_the_versions_that_the_project_states(self) -> None:
        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert project["requires-python"] == ">=3.11,<3.15"

    def test_it_needs_nothing_but_the_standard_library(self) -> None:
        tree = ast.parse(RUN.read_text(encoding="utf-8"))
        imported = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


class TestInstallation:
    def test_it_installs_once(self, run: ModuleType, installer: Installer) -> None:
        run.prepare_environment()
        run.prepare_environment()
        assert installer.calls == ["create", "install"]

    @pytest.mark.parametrize("name", ["pyproject.toml", "packaging/constraints.txt"])
    def test_changed_requirements_are_installed_into_the_same_environment(
        self, name: str, run: ModuleType, installer: Installer
    ) -> None:
        run.prepare_environment()
        (run.ROOT / name).write_text("changed")
        run.prepare_environment()
        assert installer.calls == ["create", "install", "install"]

    @pytest.mark.parametrize("interruption", [KeyboardInterrupt(), OSError(28, "No space left on device")])
    def test_an_interrupted_installation_starts_again_from_nothing(
        self, interruption: BaseException, run: ModuleType, installer: Installer
    ) -> None:
        installer.failure = interruption
        with pytest.raises(type(interruption)):
            run.prepare_environment()
        half_installed = run.ENVIRONMENT / "lib" / "torch"
        half_installed.mkdir(parents=True)
        installer.failure = None
        run.prepare_environment()
        run.prepare_environment()
        assert installer.calls == ["create", "install"] * 2
        assert not half_installed.exists()

    def test_an_environment_of_another_python_is_kept_as_long_as_that_runs(
        self, run: ModuleType, installer: Installer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run.prepare_environment()
        run.PYTHON.unlink()
        run.PYTHON.symlink_to(sys.executable)
        monkeypatch.setattr(sys, "base_prefix", "/opt/another-python")
        run.prepare_environment()
        (run.ROOT / "pyproject.toml").write_text("changed")
        run.prepare_environment()
        assert installer.calls == ["create", "install", "install"]

    def test_an_environment_whose_python_does_not_run_is_made_anew_by_another(
        self, run: ModuleType, installer: Installer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run.prepare_environment()
        monkeypatch.setattr(sys, "base_prefix", "/opt/another-python")
        run.prepare_environment()
        assert installer.calls == ["create", "install"] * 2

    @pytest.mark.parametrize("mark", [b"null", b"[]", b"\xff"])
    def test_a_mark_that_is_none_is_no_installation(
        self, run: ModuleType, installer: Installer, mark: bytes
    ) -> None:
        run.prepare_environment()
        run.MARK.write_bytes(mark)
        run.prepare_environment()
        assert installer.calls == ["create", "install"] * 2

    @pytest.mark.parametrize(
        "failure", [ValueError("it contains the PATH separator :"), subprocess.CalledProcessError(1, "pip")]
    )
    def test_an_environment_that_cannot_be_made_is_told(
        self, run: ModuleType, monkeypatch: pytest.MonkeyPatch, failure: Exception
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise failure

        monkeypatch.setattr(run.venv, "create", fail)
        with pytest.raises(run.Trouble, match="could not be made"):
            run.prepare_environment()

    def test_an_environment_whose_python_is_gone_is_made_anew(
        self, run: ModuleType, installer: Installer
    ) -> None:
        run.prepare_environment()
        run.PYTHON.unlink()
        run.prepare_environment()
        assert installer.calls == ["create", "install"] * 2

    def test_an_environment_of_somebody_else_is_left_alone(
        self, run: ModuleType, installer: Installer
    ) -> None:
        theirs = run.ENVIRONMENT / "precious.txt"
        theirs.parent.mkdir()
        theirs.write_text("mine")
        with pytest.raises(run.Trouble, match=r"not made by run\.py"):
            run.prepare_environment()
        assert theirs.read_text() == "mine"
        assert installer.calls == []

    def test_two_installations_at_once_are_refused(self, run: ModuleType, installer: Installer) -> None:
        run.ENVIRONMENT.mkdir()
        with run.exclusive_mark(), pytest.raises(run.Trouble, match=r"Another run\.py is installing"):
            run.prepare_environment()
        assert installer.calls == []

    def test_a_python_without_ensurepip_gets_the_name_of_the_package(
        self, run: ModuleType, installer: Installer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(run.Trouble, match=r"sudo apt install python3\.\d+-venv"):
            run.prepare_environment()
        assert not run.ENVIRONMENT.exists()


class TestSystem:
    @pytest.fixture
    def computer(self, run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Makes the computer one of this kind, with a Python built for some kind."""

        def install(system: str, machine: str, built_for: str, macos: str) -> None:
            monkeypatch.setattr(sys, "platform", system)
            monkeypatch.setattr(run.platform, "machine", lambda: machine)
            monkeypatch.setattr(run.platform, "mac_ver", lambda: (macos, ("", "", ""), machine))
            monkeypatch.setattr(run.sysconfig, "get_platform", lambda: built_for)

        return install

    @pytest.mark.parametrize(
        ("kind", "advice"),
        [
            (("darwin", "x86_64", "macosx-11.0-universal2", "14.5"), "needs a Mac with Apple silicon"),
            (("darwin", "arm64", "macosx-11.0-universal2", "13.6.1"), r"macOS 14.*this is macOS 13\.6\.1"),
            (("win32", "ARM64", "win-arm64", ""), "Install the 64-bit Python for x64"),
        ],
    )
    def test_one_that_pytorch_is_not_made_for_is_told_before_anything_is_made(
        self,
        kind: tuple[str, ...],
        advice: str,
        run: ModuleType,
        computer: Callable[..., None],
        installer: Installer,
    ) -> None:
        computer(*kind)
        with pytest.raises(run.Trouble, match=advice):
            run.prepare_environment()
        assert not run.ENVIRONMENT.exists()

    def test_a_python_of_32_bits_is_told(
        self, run: ModuleType, installer: Installer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
        with pytest.raises(run.Trouble, match="Install one with 64 bits"):
            run.prepare_environment()

    @pytest.mark.parametrize(
        "kind",
        [
            ("darwin", "arm64", "macosx-11.0-universal2", "26.1"),
            ("win32", "ARM64", "win-amd64", ""),  # Windows runs it by emulation
        ],
    )
    def test_one_that_it_is_made_for_passes(
        self, kind: tuple[str, ...], run: ModuleType, computer: Callable[..., None]
    ) -> None:
        computer(*kind)
        run.require_known_system()


class TestPip:
    @pytest.fixture
    def pip_arguments(self, run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What pip is called with, by an installation in which it fails."""
        arguments: list[str] = []

        def fail(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
            arguments.extend(command)
            return subprocess.CompletedProcess(command, 1)

        run.ENVIRONMENT.mkdir()
        monkeypatch.setattr(run.subprocess, "run", fail)
        return arguments

    def free(self, run: ModuleType, monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
        usage = shutil.disk_usage(run.ROOT)._replace(free=free_bytes)
        monkeypatch.setattr(run.shutil, "disk_usage", lambda _: usage)

    def test_a_failure_with_room_left_points_at_the_network(
        self, run: ModuleType, pip_arguments: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.free(run, monkeypatch, 100 * 10**9)
        with pytest.raises(run.Trouble, match="internet connection") as caught:
            run.install_packages()
        assert "make room" not in str(caught.value)

    def test_a_failure_on_a_full_disk_says_how_much_is_free(
        self, run: ModuleType, pip_arguments: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.free(run, monkeypatch, 4 * 10**8)
        with pytest.raises(run.Trouble, match=r"make room.*0\.4 GB is free"):
            run.install_packages()

    @pytest.mark.parametrize("site", ["Lib/site-packages", "lib/python3.12/site-packages"])
    def test_the_project_is_found_under_any_name_in_any_code_page(
        self, run: ModuleType, monkeypatch: pytest.MonkeyPatch, site: str
    ) -> None:
        checkout = run.ROOT / "Müller Í 文"
        monkeypatch.setattr(run, "ROOT", checkout)
        monkeypatch.setattr(run.subprocess, "run", lambda pip, **_: subprocess.CompletedProcess(pip, 0))
        path = run.ENVIRONMENT / site / "_rtocr_gui.pth"
        path.parent.mkdir(parents=True)
        path.write_text(str(checkout), encoding="utf-8")
        run.install_packages()
        monkeypatch.setattr(sys, "path", [*sys.path])
        addpackage(str(path.parent), path.name, None)
        assert path.read_bytes().isascii()
        assert sys.path[-1] == str(checkout)

    def test_it_installs_the_project_with_the_pinned_versions(
        self, run: ModuleType, pip_arguments: list[str]
    ) -> None:
        with pytest.raises(run.Trouble):
            run.install_packages()
        assert pip_arguments[-4:] == ["--constraint", str(run.CONSTRAINTS), "--editable", ".[test]"]

    def test_it_installs_into_the_environment_whatever_the_person_has_set(
        self, run: ModuleType, pip_arguments: list[str]
    ) -> None:
        with pytest.raises(run.Trouble):
            run.install_packages()
        assert pip_arguments[:4] == [str(run.PYTHON), "-I", "-m", "pip"]
        assert "--no-user" in pip_arguments


class TestBundle:
    failing = ""

    @pytest.fixture
    def commands(self, run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
        """The commands that `bundle` runs; those with the word in `failing` fail."""
        commands: list[list[str]] = []

        def note(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
            commands.append(command)
            return subprocess.CompletedProcess(command, int(self.failing in command))

        (run.ROOT / "pyproject.toml").write_text(
            '[project]\n[project.optional-dependencies]\nbundle = ["pyinstaller>=6"]\n'
        )
        run.PYTHON.parent.mkdir(parents=True)
        run.PYTHON.touch()
        run.MARK.write_text(json.dumps(run.wanted_installation({})))
        monkeypatch.setattr(run.subprocess, "run", note)
        return commands

    def test_it_installs_the_extra_with_the_pinned_versions_and_follows_the_recipe(
        self, run: ModuleType, commands: list[list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.main(["bundle"])
        pip, pyinstaller = commands
        assert pip[-3:] == ["--constraint", str(run.CONSTRAINTS), "pyinstaller>=6"]
        assert pyinstaller[:4] == [str(run.PYTHON), "-P", "-m", "PyInstaller"]
        assert pyinstaller[-1] == str(run.ROOT / "packaging" / "bundle" / "rtocr.spec")
        made = "RTOCR.app" if sys.platform == "darwin" else "RTOCR"
        assert capsys.readouterr().out == f"{run.ROOT / 'dist' / made}\n"

    def test_the_installation_stays_complete(self, run: ModuleType, commands: list[list[str]]) -> None:
        run.main(["bundle"])
        assert run.found_installation() == run.wanted_installation({})

    def test_a_failure_says_that_there_is_no_bundle(
        self, run: ModuleType, commands: list[list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.failing = "PyInstaller"
        with pytest.raises(run.Trouble, match="bundle was not made"):
            run.main(["bundle"])
        assert capsys.readouterr().out == ""

    def test_it_takes_no_arguments(self, run: ModuleType, commands: list[list[str]]) -> None:
        with pytest.raises(run.Trouble, match="`bundle` takes no arguments"):
            run.main(["bundle", "here"])
        assert commands == []

    def test_the_recipe_is_there(self) -> None:
        assert (CHECKOUT / "packaging" / "bundle" / "rtocr.spec").is_file()


@pytest.mark.usefixtures("linux")
class TestDisplay:
    @pytest.fixture
    def linux(self, run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """A Linux machine with Qt installed and no display."""
        monkeypatch.setattr(sys, "platform", "linux")
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(name, raising=False)
        plugins = run.ENVIRONMENT / "lib/python3.11/site-packages/PySide6/Qt/plugins/platforms"
        plugins.mkdir(parents=True)
        for platform in ("xcb", "wayland", "offscreen"):
            (plugins / f"libq{platform}.so").touch()

    @pytest.fixture
    def lacking(self, run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """Lets one of Qt's platforms lack a system library."""

        def lack(platform: str) -> None:
            def load(path: str) -> None:
                if path.endswith(f"libq{platform}.so"):
                    raise OSError("libxcb-cursor.so.0: cannot open shared object file")

            monkeypatch.setattr(run.ctypes, "CDLL", load)

        return lack

    def test_without_a_display_it_says_how_to_read_without_one(self, run: ModuleType) -> None:
        with pytest.raises(run.Trouble, match=r"no display.*run\.py rtocr read FILE"):
            run.require_display()

    def test_a_missing_library_is_named_with_the_packages_to_install(
        self, run: ModuleType, lacking: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lacking("xcb")
        monkeypatch.setenv("DISPLAY", ":0")
        with pytest.raises(run.Trouble, match=r"libxcb-cursor\.so\.0.*sudo apt install .*libxcb-cursor0"):
            run.require_display()

    def test_an_environment_without_qt_is_told(self, run: ModuleType) -> None:
        shutil.rmtree(run.ENVIRONMENT)
        with pytest.raises(run.Trouble, match=r"is incomplete\. Delete it"):
            run.require_qt_libraries(["offscreen"])

    def test_a_platform_in_a_file_of_another_name_is_left_to_qt(
        self, run: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QT_QPA_PLATFORM", "wayland-egl")
        run.require_display()

    def test_one_platform_that_works_is_enough(
        self, run: ModuleType, lacking: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lacking("xcb")
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        run.require_display()

    def test_a_platform_that_was_chosen_needs_no_display(
        self, run: ModuleType, lacking: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lacking("xcb")
        monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen:size=800x600;xcb")
        run.require_display()


class TestCommands:
    @pytest.fixture
    def start(self, run: ModuleType, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
        """Starts `run.py` as a person does; the programs in its environment say what they were given."""
        run.PYTHON.parent.mkdir(parents=True)
        run.PYTHON.write_text(
            f"#!{sys.executable}\nimport os, sys\nprint(os.getcwd(), sys.argv[1:])\nsys.exit(7)"
        )
        run.PYTHON.chmod(run.PYTHON.stat().st_mode | stat.S_IXUSR)
        run.MARK.write_text(json.dumps(run.wanted_installation({})))
        packages = run.ENVIRONMENT / "lib/python3.11/site-packages"
        packages.mkdir(parents=True)
        (packages / "PySide6").symlink_to(Path(PySide6.__file__).parent)

        def start(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, run.ROOT / "run.py", *arguments],
                cwd=tmp_path,
                env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
                capture_output=True,
                text=True,
                check=False,
            )

        return start

    @pytest.mark.parametrize("arguments", [[], ["scan one.png", "letter.pdf"]])
    def test_the_window_opens_the_files_that_were_named(
        self,
        arguments: list[str],
        start: Callable[..., subprocess.CompletedProcess[str]],
        tmp_path: Path,
    ) -> None:
        result = start(*arguments)
        assert result.stdout == f"{tmp_path} {['-P', '-m', 'rtocr_gui', *arguments]}\n"
        assert result.returncode == 7

    def test_the_command_line_gets_its_arguments_and_gives_its_exit_code(
        self, start: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
    ) -> None:
        result = start("rtocr", "read", "scan.png", "-o", "out.md")
        words = ["-P", "-m", "rtocr_gui.cli", "read", "scan.png", "-o", "out.md"]
        assert result.stdout == f"{tmp_path} {words}\n"
        assert result.returncode == 7

    def test_pytest_gets_its_arguments_and_runs_in_the_checkout(
        self, run: ModuleType, start: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        result = start("test", "-k", "display")
        assert result.stdout == f"{run.ROOT} ['-P', '-m', 'pytest', '-k', 'display']\n"
        assert result.returncode == 7

    def test_a_golden_folder_is_looked_for_where_the_person_is(
        self,
        run: ModuleType,
        start: Callable[..., subprocess.CompletedProcess[str]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        run.PYTHON.write_text(f"#!{sys.executable}\nimport os\nprint(os.environ['RTOCR_GOLDEN_DIR'])")
        monkeypatch.setenv("RTOCR_GOLDEN_DIR", "golden")
        assert start("test").stdout == f"{tmp_path / 'golden'}\n"

    def test_check_ends_at_the_first_complaint(
        self, start: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        result = start("check")
        assert result.stdout.startswith("$ ruff check .\n")
        assert "mypy" not in result.stdout
        assert result.returncode == 7

    def test_help_needs_no_installation(
        self, run: ModuleType, start: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        run.MARK.unlink()
        result = start("--help")
        assert "run.py rtocr" in result.stdout
        assert result.returncode == 0

    def test_trouble_is_one_line_on_stderr(
        self, run: ModuleType, start: Callable[..., subprocess.CompletedProcess[str]]
    ) -> None:
        run.MARK.unlink()
        result = start()
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith(f"run.py: {run.ENVIRONMENT} was not made by run.py.")
        assert result.returncode == 1
