"""What the program remembers between sessions: one JSON file, one frozen dataclass.

A new setting is one line in `Settings`. A value of the wrong type or out of range is replaced by its default;
the others are kept. A file that is not a JSON object loses all settings and is renamed to
`settings.broken.json`, replacing an earlier one, which the caller can tell the person. Each of these is
logged. A file that cannot be opened raises, so that the caller does not overwrite it. Knows no Qt.
"""

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rtocr_gui.errors import SettingsError
from rtocr_gui.files import reason_of, write_atomically
from rtocr_gui.tokens import FEWEST_TILES, MOST_TILES

LEAST_RETENTION = 0.01
"""The smallest share of visual tokens that can be chosen, in the window and on the command line."""

SMALLEST_ZOOM, LARGEST_ZOOM = -5, 30
"""Range in which the text in the window can be made larger, in points."""

MOST_RECENT_FILES = 10
"""How many recently opened files and folders are remembered."""

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The remembered settings and their defaults.

    Attributes:
        model_folder: checkpoint folder; empty for the bundled miniature.
        own_models: further checkpoint folders that the person added.
        download_folder: folder of an unfinished download, unless that is the folder that programs share;
            empty for none.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "auto", "float32", "float16" or "bfloat16".
        unload_after_min: how many idle minutes a large model stays in memory, at most a day; 0 for no limit.
        mode: name of a `Mode`; "auto" or empty to let each page decide.
        most_tiles: most tiles of a page in Gundam mode, 2..9.
        task: name of a `Task`; empty for the one the model was made for.
        task_words: the person's own words, for a task that takes them.
        retention: share of visual tokens to keep, in 0.01..1; None for automatic.
        reread_on_release: read the page again when the retention slider is released.
        read_pasted: read a picture that was pasted, or dropped without a file, as soon as it is open.
        copy_pasted: put the text of such a picture into the clipboard, in its place, once it is read.
        overlay_visible: show the overlay on the page.
        blocks_visible: outline the blocks on the page, where the model reported any.
        unsure_marked: mark the words in the text that the model was unsure of.
        look: name of the `Look` of the overlay.
        overlay_opacity: how opaque the overlay is, in 0..1.
        grid: "local" or "global", the grid that the overlay shows for a page with tiles.
        panel_visible: show the tuning panel below the text.
        text_zoom: how many points larger the text is than usual, in -5..30.
        pipe_tables: export tables with pipes where pipes can express them, else as HTML.
        last_folder: where the last file was opened from.
        export_folder: where the last file was exported to.
        export_suffix: suffix of the last file that text was exported to.
        recent_files: files and folders that were opened last, the newest first.
        settled_texts: names of files with unsaved text that are not offered again.
        window_geometry: Qt's saved geometry of the window, hexadecimal.
        window_state: Qt's saved state of the splitter of the panes, hexadecimal.
        column_state: the same for the splitter of text and tuning panel.
    """

    model_folder: str = ""
    own_models: tuple[str, ...] = ()
    download_folder: str = ""
    device: str = "auto"
    precision: str = "auto"
    unload_after_min: int = 15
    mode: str = ""
    most_tiles: int = MOST_TILES
    task: str = ""
    task_words: str = ""
    retention: float | None = None
    reread_on_release: bool = True
    read_pasted: bool = True
    copy_pasted: bool = False
    overlay_visible: bool = True
    blocks_visible: bool = True
    unsure_marked: bool = True
    look: str = "kept"
    overlay_opacity: float = 0.58
    grid: str = "local"
    panel_visible: bool = True
    text_zoom: int = 0
    pipe_tables: bool = False
    last_folder: str = ""
    export_folder: str = ""
    export_suffix: str = ".md"
    recent_files: tuple[str, ...] = ()
    settled_texts: tuple[str, ...] = ()
    window_geometry: str = ""
    window_state: str = ""
    column_state: str = ""

    def __post_init__(self) -> None:
        if self.retention is not None and not LEAST_RETENTION <= self.retention <= 1:
            raise SettingsError(f"The retention ratio must be between {LEAST_RETENTION} and 1.")
        if not 0 <= self.overlay_opacity <= 1:
            raise SettingsError("The opacity of the overlay must be between 0 and 1.")
        if not 0 <= self.unload_after_min <= 24 * 60:
            raise SettingsError("A model can stay in memory for 0 to 1440 idle minutes.")
        if not FEWEST_TILES <= self.most_tiles <= MOST_TILES:
            raise SettingsError(f"The most tiles of a page must be between {FEWEST_TILES} and {MOST_TILES}.")
        if not SMALLEST_ZOOM <= self.text_zoom <= LARGEST_ZOOM:
            raise SettingsError(
                f"The text can be between {-SMALLEST_ZOOM} points smaller and {LARGEST_ZOOM} points larger."
            )
        are_whole = all(Path(path).is_absolute() for path in self.recent_files)
        if len(self.recent_files) > MOST_RECENT_FILES or not are_whole:
            raise SettingsError(
                f"At most {MOST_RECENT_FILES} files that were opened last are remembered, by full paths."
            )

    @property
    def named_folders(self) -> tuple[Path, ...]:
        """The checkpoint folders that the person added, including that of the model in use."""
        in_use = (self.model_folder,) if self.model_folder else ()
        return tuple(map(Path, dict.fromkeys((*self.own_models, *in_use))))


def settings_path() -> Path:
    """Path of the settings file; `RTOCR_CONFIG_DIR` overrides the platform's usual folder.

    Raises:
        SettingsError: the platform's folder is in the home folder, and this user has none.
    """
    override = os.environ.get("RTOCR_CONFIG_DIR")
    try:
        if override:
            folder = Path(override)
        elif sys.platform == "win32":
            folder = Path(os.environ.get("APPDATA") or Path.home()) / "RTOCR"
        elif sys.platform == "darwin":
            folder = Path.home() / "Library" / "Application Support" / "RTOCR"
        else:
            folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "rtocr"
    except RuntimeError as error:
        raise SettingsError(
            "This user has no home folder. Set the environment variable RTOCR_CONFIG_DIR to a folder for the "
            "settings."
        ) from error
    return folder / "settings.json"


_DEFAULTS = Settings()


def load_settings(
    path: Path, defaults: Settings = _DEFAULTS, tell: Callable[[str], object] = _log.warning
) -> Settings:
    """Read the settings.

    Args:
        path: of the file.
        defaults: used where the file, or a value in it, is missing or damaged.
        tell: called with a sentence if the whole file is damaged; logs it by default.

    Raises:
        SettingsError: the file exists but cannot be opened, or is damaged and cannot be set aside.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return defaults
    except OSError as error:
        raise SettingsError(f"The settings in {path} could not be opened: {reason_of(error)}.") from error
    try:
        stored = json.loads(content.decode("utf-8-sig"))
        if not isinstance(stored, dict):
            raise ValueError("not a JSON object")
    except (ValueError, RecursionError) as error:
        _log.warning("the settings are damaged: %s", error)
        aside = _set_aside(path)
        tell(f"The settings in {path} were damaged. The damaged file was renamed to {aside.name}.")
        return defaults
    settings = defaults
    for field in dataclasses.fields(Settings):
        if field.name not in stored:
            continue
        value: Any = stored[field.name]
        value = tuple(value) if isinstance(value, list) else value
        if not _fits(value, getattr(settings, field.name), field.name):
            _log.warning("setting %s ignored: %r is of the wrong type", field.name, value)
            continue
        try:
            settings = dataclasses.replace(settings, **{field.name: value})
        except SettingsError as error:
            _log.warning("setting %s ignored: %s", field.name, error)
    return settings


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings through a temporary file.

    Raises:
        SettingsError: the folder or the file cannot be written.
    """
    text = json.dumps(dataclasses.asdict(settings), indent=2)  # ASCII can hold lone surrogates too
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (text + "\n").encode())
    except OSError as error:
        raise SettingsError(f"The settings could not be saved to {path}: {reason_of(error)}.") from error


def _fits(value: Any, default: Any, name: str) -> bool:
    if value is None:
        return name == "retention"
    if name == "retention" or isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, tuple):
        return isinstance(value, tuple) and all(isinstance(part, str) for part in value)
    return type(value) is type(default)


def _set_aside(path: Path) -> Path:
    """Rename a damaged file, and return its new path."""
    try:
        return path.replace(path.with_suffix(".broken.json"))
    except OSError as error:
        raise SettingsError(
            f"The settings in {path} are damaged and could not be set aside: {reason_of(error)}."
        ) from error
