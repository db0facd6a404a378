"""Creates RTOCR's environment once, then opens the window, runs the command line or tests, or makes a bundle.

    python3 run.py                      open the window on the sample pages
    python3 run.py FILE...              open these files
    python3 run.py rtocr ARGUMENT...    the command line; see `rtocr --help`
    python3 run.py test [ARGUMENT...]   the tests, with any arguments for pytest
    python3 run.py lint                 ruff and mypy
    python3 run.py check                lint, then the tests
    python3 run.py bundle               a folder in `dist` that runs without Python

The environment is `.venv` next to this file, installed from `pyproject.toml` with the versions in
`packaging/constraints.txt`, and reinstalled when either changes. Needs nothing but Python.
"""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(
        "run.py: RTOCR needs Python 3.11 to 3.14, and this is Python " + sys.version.split()[0] + ". "
        "Install one of them from your system or from python.org and start run.py with it, "
        "e.g. `" + ("py -3.12" if sys.platform == "win32" else "python3.12") + " run.py`."
    )

import contextlib
import ctypes
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sysconfig
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TextIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
MARK = ENVIRONMENT / "rtocr-installed.json"
"""Records what was installed; empty while an installation is in progress or after an interrupted one."""
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PROJECT = ROOT / "pyproject.toml"
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
BUNDLE_RECIPE = ROOT / "packaging" / "bundle" / "rtocr.spec"
AMPLE_BYTES = 8 * 10**9
QT_LIBRARIES = (
    "On Debian or Ubuntu: sudo apt install libegl1 libgl1 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 "
    "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0. "
    "On Fedora: sudo dnf install mesa-libEGL mesa-libGL dbus-libs fontconfig libxkbcommon-x11 "
    "xcb-util-cursor xcb-util-wm xcb-util-keysyms."
)


class Trouble(Exception):
    """What is wrong and what to do about it, in a sentence for the user."""


def wanted_installation(found: dict[str, str]) -> dict[str, str]:
    """Describe what must be installed: interpreter, location, and a digest of the project's requirements.

    The environment that was found is kept if its own interpreter still runs, whichever has started this.
    """
    inputs = hashlib.sha256(PROJECT.read_bytes() + CONSTRAINTS.read_bytes()).hexdigest()
    python = f"{sys.version_info.major}.{sys.version_info.minor} {sys.base_prefix} {ROOT}"
    former = found.get("python")
    if former not in (None, python) and former == environment_python():
        python = former
    return {"python": python, "inputs": inputs}


def found_installation() -> dict[str, str]:
    """Describe the complete installation that exists; empty if there is none."""
    try:
        found = json.loads(MARK.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) and PYTHON.exists() else {}


def environment_python() -> str:
    """Describe the interpreter of the environment as it is now; empty if it does not run."""
    describe = "import sys; print('%d.%d' % sys.version_info[:2], sys.base_prefix, end='')"
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        command = [str(PYTHON), "-I", "-c", describe]
        described = subprocess.check_output(command, stderr=subprocess.DEVNULL, text=True, errors="replace")
        return f"{described} {ROOT}"
    return ""


def prepare_environment() -> None:
    """Install what is wanted unless it is already there; an interrupted installation starts over."""
    found = found_installation()
    wanted = wanted_installation(found)
    if found == wanted:
        return
    if not MARK.exists() and ENVIRONMENT.exists() and any(ENVIRONMENT.iterdir()):
        raise Trouble(f"{ENVIRONMENT} was not made by run.py. Move it away or delete it, then try again.")
    if found.get("python") != wanted["python"]:
        require_known_system()
        require_ensurepip()
    ENVIRONMENT.mkdir(exist_ok=True)
    with exclusive_mark() as mark:
        found = found_installation()  # another run.py may have finished meanwhile
        wanted = wanted_installation(found)
        if found == wanted:
            return
        print("Installing RTOCR in .venv. This happens once and takes a minute or more.", file=sys.stderr)
        mark.truncate(0)
        if found.get("python") != wanted["python"]:
            clear_environment()
            make_environment()
        install_packages()
        json.dump(wanted, mark)


def require_known_system() -> None:
    """Stop with advice if this is a system or a Python that PyTorch is not made for."""
    if sys.maxsize < 2**32:
        raise Trouble("This Python has 32 bits. Install one with 64 bits and start run.py with it.")
    if sys.platform == "darwin":
        if platform.machine() == "x86_64":
            raise Trouble(
                "RTOCR needs a Mac with Apple silicon, and this Python is one for Intel. If your Mac has it, "
                "install a Python made for it and start run.py with that."
            )
        version = platform.mac_ver()[0]
        if int(version.partition(".")[0]) < 14:
            raise Trouble(f"RTOCR needs macOS 14 or newer, and this is macOS {version}.")
    if sys.platform == "win32" and "arm64" in sysconfig.get_platform():
        raise Trouble(
            "This Python is one for ARM. Install the 64-bit Python for x64 (Intel and AMD), which runs on "
            "Windows for ARM too, and start run.py with it."
        )


def require_ensurepip() -> None:
    """Stop with advice if no environment can be made."""
    if importlib.util.find_spec("ensurepip") is None:
        raise Trouble(
            "This Python cannot create environments. On Debian or Ubuntu: "
            f"sudo apt install python{sys.version_info.major}.{sys.version_info.minor}-venv"
        )


@contextlib.contextmanager
def exclusive_mark() -> Iterator[TextIO]:
    """Open the mark for writing, locked against another run.py."""
    with MARK.open("a", encoding="utf-8") as mark:
        try:
            if sys.platform == "win32":
                mark.seek(2**20)  # on Windows, locked bytes cannot be read
                msvcrt.locking(mark.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Trouble(
                "Another run.py is installing right now. Wait until it has finished, then try again."
            ) from error
        yield mark


def clear_environment() -> None:
    """Delete everything in the environment except the mark."""
    for path in ENVIRONMENT.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != MARK:
            path.unlink()


def make_environment() -> None:
    """Create an environment with nothing but pip."""
    try:
        venv.create(ENVIRONMENT, with_pip=True, symlinks=os.name != "nt")
    except (ValueError, subprocess.CalledProcessError) as error:
        raise Trouble(
            f"The environment {ENVIRONMENT} could not be made ({error}). Make room for it, or move RTOCR to "
            f"a folder whose path has no “{os.pathsep}” in it, then try again."
        ) from error


def install_packages() -> None:
    """Install the project and its dependencies."""
    run_pip("--editable", ".[test]")
    name_the_checkout_in_ascii()


def run_pip(*wanted: str) -> None:
    """Install these under the pinned versions, showing pip's output."""
    pip = [
        str(PYTHON),
        "-I",
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--no-user",
    ]
    result = subprocess.run([*pip, "--constraint", str(CONSTRAINTS), *wanted], cwd=ROOT, stdout=sys.stderr)
    if result.returncode == 0:
        return
    advice = "Check the internet connection, which is needed this once"
    free_bytes = min(shutil.disk_usage(place).free for place in (ENVIRONMENT, tempfile.gettempdir()))
    if free_bytes < AMPLE_BYTES:
        advice += (
            f", and make room in {ROOT} and {tempfile.gettempdir()}: {free_bytes / 1e9:.1f} GB is free, "
            "and torch takes 2 GB, or 7 GB with its CUDA libraries"
        )
    raise Trouble(f"The installation failed; pip's message is above. {advice}, then try again.")


def name_the_checkout_in_ascii() -> None:
    """Rewrite the project's path in ASCII: before 3.13, Python reads it in the Windows code page."""
    for site in ("Lib/site-packages", "lib/python*/site-packages"):
        for path in ENVIRONMENT.glob(f"{site}/_rtocr_gui.pth"):
            path.write_text(f"import sys; sys.path.append({str(ROOT)!a})\n", encoding="ascii")


def require_display() -> None:
    """Stop with advice if no window can be opened."""
    if not sys.platform.startswith("linux"):
        return
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    platforms = [name.partition(":")[0] for name in chosen.split(";") if name]
    if not platforms:
        displays = {"wayland": "WAYLAND_DISPLAY", "xcb": "DISPLAY"}
        platforms = [name for name, variable in displays.items() if os.environ.get(variable)]
    if not platforms:
        raise Trouble(
            "There is no display to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set. "
            "Start it from a desktop session, or read without a window: python3 run.py rtocr read FILE"
        )
    require_qt_libraries(platforms)


def require_qt_libraries(platforms: list[str]) -> None:
    """Stop with advice if Qt lacks a system library for every one of these platforms (plugin names)."""
    if not sys.platform.startswith("linux"):
        return
    plugins = next(ENVIRONMENT.glob("lib/python*/site-packages/PySide6/Qt/plugins/platforms"), None)
    if plugins is None:
        raise Trouble(f"{ENVIRONMENT} is incomplete. Delete it, then try again.")
    for name in platforms:
        plugin = plugins / f"libq{name}.so"
        if not plugin.exists():
            return  # one file may hold several platforms
        try:
            ctypes.CDLL(str(plugin))
            return
        except OSError as error:
            cause = error
    raise Trouble(f"Qt lacks a system library ({cause}). {QT_LIBRARIES}") from cause


def become(*command: Path | str) -> NoReturn:
    """Replace this process with a command, which then has its own exit code and receives Ctrl-C."""
    if sys.platform == "win32":
        process = subprocess.Popen(command)
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # the command receives it too, and ends by itself
                sys.exit(process.wait())
    os.execv(command[0], [str(part) for part in command])


def run_tests(arguments: list[str]) -> NoReturn:
    """Run pytest in the checkout; a golden folder may be given relative to the current folder."""
    require_qt_libraries(["offscreen"])
    golden = os.environ.get("RTOCR_GOLDEN_DIR")
    if golden:
        os.environ["RTOCR_GOLDEN_DIR"] = str(Path(golden).resolve())
    os.chdir(ROOT)
    become(PYTHON, "-P", "-m", "pytest", *arguments)


def lint() -> None:
    """Run ruff and mypy; exit if one of them fails."""
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        print("$", *command, flush=True)
        code = subprocess.run([PYTHON, "-P", "-m", *command], cwd=ROOT).returncode
        if code:
            sys.exit(code)


def make_bundle() -> None:
    """Make a folder that runs without Python, and print where it is; install what only this needs first."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    with exclusive_mark():
        run_pip(*project["optional-dependencies"]["bundle"])
    print("Making the bundle. This takes several minutes.", file=sys.stderr)
    places = ["--distpath", str(ROOT / "dist"), "--workpath", str(ROOT / "build")]
    pyinstaller = [str(PYTHON), "-P", "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    result = subprocess.run([*pyinstaller, *places, str(BUNDLE_RECIPE)], cwd=ROOT)
    if result.returncode != 0:
        raise Trouble("The bundle was not made; PyInstaller's message is above.")
    print(ROOT / "dist" / ("RTOCR.app" if sys.platform == "darwin" else "RTOCR"))


def main(arguments: list[str]) -> None:
    """Run the command given by the arguments."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command in ("-h", "--help"):
        print(__doc__)
        return
    if command in ("lint", "check", "bundle") and rest:
        tests = "" if command == "bundle" else " To give pytest some: python3 run.py test ARGUMENT..."
        raise Trouble(f"`{command}` takes no arguments.{tests}")
    prepare_environment()
    if command == "rtocr":
        become(PYTHON, "-P", "-m", "rtocr_gui.cli", *rest)
    elif command == "test":
        run_tests(rest)
    elif command == "lint":
        lint()
    elif command == "check":
        lint()
        run_tests([])
    elif command == "bundle":
        make_bundle()
    else:
        require_display()
        become(PYTHON, "-P", "-m", "rtocr_gui", *arguments)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Trouble as trouble:
        sys.exit(f"run.py: {trouble}")
    except OSError as error:
        sys.exit(f"run.py: {error}. Check the free space and the permissions of {ROOT}, then try again.")
    except KeyboardInterrupt:
        sys.exit(130)
