"""Which room may import what: the walls between the model, the files and the window."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "rtocr_gui"
FOUNDATION = frozenset({"errors", "files", "tokens", "units", "version"})
"""Modules that every room may use; they import nothing but each other and NumPy."""


@dataclass(frozen=True)
class Room:
    """What the modules of one folder may import, and what must not be loaded when they are.

    Attributes:
        packages: packages of others that may be imported, anywhere in the file.
        rooms: modules and folders of ours that may be imported besides the room itself.
        unloaded: packages that importing the whole room must not load, however indirectly.
    """

    packages: frozenset[str]
    rooms: frozenset[str]
    unloaded: frozenset[str]


def room(packages: str, rooms: str, unloaded: str) -> Room:
    return Room(frozenset(packages.split()), FOUNDATION | set(rooms.split()), frozenset(unloaded.split()))


CORE = "documents pruning ocr export settings resources"
ROOMS = {
    "documents": room("numpy PIL pypdfium2", "", unloaded="torch transformers ot PySide6"),
    "pruning": room("numpy torch ot", "", unloaded="transformers PIL PySide6"),
    "ocr": room(
        "numpy PIL psutil torch transformers tokenizers safetensors huggingface_hub httpx2 rapidfuzz",
        "documents pruning",
        unloaded="PySide6",
    ),
    "export": room(
        "numpy PIL markdown_it",
        "documents ocr.curve ocr.reading pruning.plan",
        unloaded="torch transformers ot PySide6",
    ),
    "cli": room("numpy PIL torch", CORE, unloaded="PySide6"),
    "ui": room("numpy PIL PySide6", f"{CORE} __main__", unloaded="torch transformers ot psutil"),
}
WITHOUT_TORCH = (
    "rtocr_gui.errors",
    "rtocr_gui.resources",
    "rtocr_gui.settings",
    "rtocr_gui.tokens",
    "rtocr_gui.pruning.plan",
    "rtocr_gui.pruning.selection",
    "rtocr_gui.ocr.text.comparison",
    "rtocr_gui.ocr.curve",
    "rtocr_gui.ocr.library.download",
    "rtocr_gui.ocr.memory.fit",
    "rtocr_gui.ocr.model.folder",
    "rtocr_gui.ocr.vision.layout",
    "rtocr_gui.ocr.library.library",
    "rtocr_gui.ocr.model.model_info",
    "rtocr_gui.ocr.reading",
    "rtocr_gui.ocr.vision.views",
    "rtocr_gui.cli.main",
)

LAYERS = {
    "ocr": "reading | asking | machine | model | vision | decoder library text | memory",
    "ui": "parts | background | state | page text tuning dialogs | window",
}
"""What lies within a room, from the lowest to the highest: each folder imports, of the others, the lower ones
only, so that panes, which stand side by side, never call each other. The rest of the room stands on all."""


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(path: Path) -> Iterator[str]:
    """Every module that a file imports, `from a import b` as `a.b`, and inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importing(modules: Iterable[str]) -> "subprocess.Popen[str]":
    """A fresh interpreter that imports modules, and prints the top-level packages it has in memory then."""
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *modules],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def loaded_by(interpreter: "subprocess.Popen[str]") -> set[str]:
    """The top-level packages that an interpreter has in memory."""
    output, errors = interpreter.communicate()
    assert interpreter.returncode == 0, errors
    return set(output.split())


@pytest.fixture(scope="module")
def importing_rooms() -> "Iterator[dict[str, subprocess.Popen[str]]]":
    """An interpreter for each room, all of them under way."""
    with ExitStack() as interpreters:
        yield {
            name: interpreters.enter_context(importing(map(module_name, sources(PACKAGE / name))))
            for name in ROOMS
        }


def test_every_folder_of_the_package_has_a_rule() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_only_what_it_may(name: str) -> None:
    rule = ROOMS[name]
    allowed = {f"rtocr_gui.{room}" for room in (name, *rule.rooms)}
    trespasses = []
    for path in sources(PACKAGE / name):
        for imported in imported_modules(path):
            package = imported.partition(".")[0]
            if package == "rtocr_gui":
                may = any(imported == wall or imported.startswith(f"{wall}.") for wall in allowed)
            else:
                may = package in sys.stdlib_module_names or package in rule.packages
            if not may:
                trespasses.append(f"{module_name(path)} imports {imported}")
    assert not trespasses


@pytest.mark.parametrize("room_name", LAYERS)
def test_every_folder_of_a_room_has_its_layer(room_name: str) -> None:
    layers = LAYERS[room_name].replace("|", "").split()
    assert {path.parent.name for path in PACKAGE.glob(f"{room_name}/*/__init__.py")} <= set(layers)


@pytest.mark.parametrize("room_name", LAYERS)
def test_a_layer_imports_only_lower_ones(room_name: str) -> None:
    lower: set[str] = set()
    trespasses = []
    for layer in LAYERS[room_name].split("|"):
        for name in layer.split():
            allowed = lower | {name}
            for path in sources(PACKAGE / room_name / name):
                for imported in imported_modules(path):
                    inside = imported.removeprefix(f"rtocr_gui.{room_name}.")
                    if inside != imported and inside.split(".")[0] not in allowed:
                        trespasses.append(f"{module_name(path)} imports {imported}")
        lower |= set(layer.split())
    assert not trespasses


def test_files_are_decoded_by_the_process_that_does_nothing_else() -> None:
    decoding = "rtocr_gui.documents.decoding."
    importing_it = [
        f"{module_name(path)} imports {imported}"
        for path in sources(PACKAGE)
        for imported in imported_modules(path)
        if imported.startswith(decoding) and not module_name(path).startswith(decoding)
    ]
    assert not importing_it


def test_no_property_of_qt_is_set_by_a_keyword_whose_capital_depends_on_the_locale() -> None:
    """PySide capitalises the keyword as the locale does, and in Turkish the capital of i is not I."""
    set_so = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sources(PACKAGE / "ui")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("Q")
        for keyword in node.keywords
        if (keyword.arg or "").startswith("i")
    ]
    assert not set_so


def test_only_panes_and_dialogs_know_widgets() -> None:
    knowing = [
        module_name(path)
        for layer in ("background", "state")
        for path in sources(PACKAGE / "ui" / layer)
        if any(imported.startswith("PySide6.QtWidgets") for imported in imported_modules(path))
    ]
    assert not knowing


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_the_foundation_stands_on_no_room(path: Path) -> None:
    ours = {name for name in imported_modules(path) if name.startswith("rtocr_gui.")}
    if path.stem == "__main__":
        assert ours == {"rtocr_gui.ui.app.main"}
    else:
        assert {name.split(".")[1] for name in ours} <= FOUNDATION


@pytest.mark.parametrize("name", ROOMS)
def test_importing_a_whole_room_does_not_load(
    name: str, importing_rooms: "dict[str, subprocess.Popen[str]]"
) -> None:
    assert not loaded_by(importing_rooms[name]) & ROOMS[name].unloaded


def test_what_must_be_there_at_once_loads_without_torch() -> None:
    assert not loaded_by(importing(WITHOUT_TORCH)) & {"torch", "transformers", "ot", "PySide6"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=module_name)
def test_package_files_stay_empty(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == ""
