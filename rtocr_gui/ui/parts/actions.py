"""All actions of the menus, the toolbar and the keyboard: one table, one line each."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar

from rtocr_gui.ui.parts.icons import icon

_Key = QKeySequence.StandardKey
_Role = QAction.MenuRole
_IS_MAC = sys.platform == "darwin"
_CTRL = "⌘" if _IS_MAC else "Ctrl"
_REPLACE_KEYS = "Ctrl+Alt+F" if _IS_MAC else "Ctrl+H"  # with ⌘H, macOS hides the program

TIP = "tip"
"""Property of an action: its tooltip while it is enabled."""


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action.

    Attributes:
        name: its name in the code.
        text: its name in a menu, with a mnemonic that no other item of the menu has.
        tip: its tooltip.
        keys: the platform's own shortcuts, or ours, separated by `; `; None for none.
        icon: file name in `resources/icons`; empty for none.
        checkable: True if it switches something on and off.
        role: tells macOS what to move to its application menu; else it would guess from the text.
    """

    name: str
    text: str
    tip: str
    keys: QKeySequence.StandardKey | str | None = None
    icon: str = ""
    checkable: bool = False
    role: QAction.MenuRole = _Role.NoRole


SPECS = (
    ActionSpec("open", "&Open…", "Open scans or PDF files", _Key.Open, "open"),
    ActionSpec("open_folder", "Open &folder…", "Open the scans in a folder", "Ctrl+Shift+O"),
    ActionSpec("open_recent", "Open &recent", "Open a file or folder again"),
    ActionSpec("undo", "&Undo typing", "Undo your last change to the text", _Key.Undo),
    ActionSpec("redo", "&Redo typing", "Redo the change that was last undone", _Key.Redo),
    ActionSpec("paste", "&Paste image", "Open the image or the files on the clipboard", _Key.Paste),
    ActionSpec("export", "&Export…", "Write the text of all pages to one file", "Ctrl+E; Ctrl+S", "export"),
    ActionSpec("export_selected", "E&xport selected pages…", "Write the text of the selected pages alone"),
    ActionSpec("export_by_scan", "Export f&ile by file", "Write the text of each file to one of its own"),
    ActionSpec(
        "pipe_tables",
        "Write &tables as Markdown",
        "Export tables with | signs where possible, otherwise as HTML",
        checkable=True,
    ),
    ActionSpec("export_overlay", "Export o&verlay picture…", "Save the page and its overlay", "Ctrl+Shift+E"),
    ActionSpec("export_plan", "Export &plan…", "Save as JSON which tokens are kept and which are merged"),
    ActionSpec("export_curve", "Export &curve…", "Save the retention curve as CSV or JSON"),
    ActionSpec("stop_export", "Stop exportin&g", "Stop exporting PDFs, and go on reading"),
    ActionSpec("copy", "&Copy text", "Copy the text of the selected pages", "Ctrl+Shift+C", "copy"),
    ActionSpec("find", "&Find…", "Find words in the text of all pages", "Ctrl+F", "find"),
    ActionSpec("join_lines", "&Make paragraphs", "Join the lines of paragraphs, or those selected", "Ctrl+J"),
    ActionSpec("replace", "Replace word&s…", "Find words, and write others in their place", _REPLACE_KEYS),
    ActionSpec("find_next", "Find &next", "Go to the next match, on this page or another", "F3; Ctrl+G"),
    ActionSpec("find_previous", "Find pre&vious", "Go to the previous match", "Shift+F3; Ctrl+Shift+G"),
    ActionSpec("next_unsure", "Ne&xt unsure word", "Go to the next word that the model was unsure of", "F4"),
    ActionSpec(
        "previous_unsure", "Previous unsure word", "Go to the word before that it was unsure of", "Shift+F4"
    ),
    ActionSpec("rotate_left", "Rotate &left", "Rotate the selected pages left; files stay as is", "Shift+F7"),
    ActionSpec("rotate_right", "Rotate ri&ght", "Rotate the selected pages right; files stay as is", "F7"),
    ActionSpec("rotate_file", "Rotate &whole file", "Rotate all pages of this page's file right", "Ctrl+F7"),
    ActionSpec("split_beside", "Spl&it left and right", "Split each page in two, as for an open book"),
    ActionSpec("split_above", "Split &top and bottom", "Split each page in two, to show small print larger"),
    ActionSpec("join", "&Join halves", "Make one page of its halves again"),
    ActionSpec(
        "crop", "Crop p&age", "Draw a frame around what to keep of the page", "Ctrl+Shift+X", checkable=True
    ),
    ActionSpec("uncrop", "Uncrop pag&e", "Show again what the selected pages were cropped from"),
    ActionSpec("move_up", "M&ove up", "Move the selected pages up in the list", "Alt+Up"),
    ActionSpec("move_down", "Move &down", "Move the selected pages down in the list", "Alt+Down"),
    ActionSpec("remove", "Re&move page", "Remove the selected pages; their files are kept", "Ctrl+W"),
    ActionSpec("quit", "&Quit", "Quit RTOCR", _Key.Quit, role=_Role.QuitRole),
    ActionSpec("read", "&Read", "Read the selected pages", "Ctrl+R", "read"),
    ActionSpec(
        "read_all", "Read &all", "Read all pages not yet read with these settings", "Ctrl+Shift+R", "read-all"
    ),
    ActionSpec("retry", "Read another &way", "Read this page again in a way that may work better", "F5"),
    ActionSpec("stop", "&Stop", "Stop reading, or else exporting PDFs; texts stay", "Ctrl+.", "stop"),
    ActionSpec(
        "read_pasted", "Read pasted &images", "Read an image that has no file at once", checkable=True
    ),
    ActionSpec(
        "copy_pasted", "Copy &their text", "Copy the text of a pasted image once it is read", checkable=True
    ),
    ActionSpec("compare", "&Compare readings", "Show two readings of this page side by side", "Ctrl+Shift+D"),
    ActionSpec("curve", "Read retention cur&ve", "Read this page at 8 ratios and at Auto", "Ctrl+Shift+K"),
    ActionSpec("previous_page", "Previo&us page", "Show the previous page of the list", "Ctrl+PgUp"),
    ActionSpec("next_page", "Next &page", "Show the next page of the list", "Ctrl+PgDown"),
    ActionSpec("zoom_in", "Zoom &in", "Show the page larger", _Key.ZoomIn, "zoom-in"),
    ActionSpec("zoom_out", "Zoom &out", "Show the page smaller", _Key.ZoomOut, "zoom-out"),
    ActionSpec("fit_page", "&Fit page", "Show the whole page", "Ctrl+0", "fit"),
    ActionSpec("fit_width", "Fit &width", "Show the page as wide as the pane", "Ctrl+9"),
    ActionSpec("actual_size", "&Actual size", "Show one page pixel per screen pixel", "Ctrl+1"),
    ActionSpec("larger_text", "Larger te&xt", f"Show the text larger; so does the wheel with {_CTRL}"),
    ActionSpec("smaller_text", "S&maller text", f"Show the text smaller; so does the wheel with {_CTRL}"),
    ActionSpec("overlay", "O&verlay", "Show what happens to each visual token", "Ctrl+T", checkable=True),
    ActionSpec("blocks", "&Blocks", "Outline the blocks the model found on the page", "B", checkable=True),
    ActionSpec(
        "unsure",
        "Unsu&re words",
        "Underline the words the model was unsure of",
        "Ctrl+Shift+F4",
        checkable=True,
    ),
    ActionSpec("next_look", "&Next look", "Switch the overlay to its next look", "L"),
    ActionSpec(
        "global_grid",
        "Whole-page &grid",
        "Show the tokens of the whole page, which the model sees besides the tiles",
        "G",
        checkable=True,
    ),
    ActionSpec("trace", "W&here does it look?", "Light up where the text was read", "Ctrl+L", checkable=True),
    ActionSpec("panel", "&Tuning panel", "Show the figures and the retention curve", "F9", checkable=True),
    ActionSpec("models", "&Models…", "Choose, check or download a model", "Ctrl+M"),
    ActionSpec("about_model", "&About this model", "What the model reads, and what it does not"),
    ActionSpec("use_folder", "Use a model &folder…", "Read with DeepSeek-OCR or a compatible model"),
    ActionSpec("use_bundled", "Use the &bundled miniature", "Read with the small model included in RTOCR"),
    ActionSpec("device", "&Device", "Where the model runs"),
    ActionSpec("precision", "&Precision", "How precisely the model computes, and how much memory it takes"),
    ActionSpec("tiles", "&Tiles in Gundam", "Fewer tiles take less memory, but show small print smaller"),
    ActionSpec("idle", "Unload when &idle", "How long a large model may be idle before its memory is freed"),
    ActionSpec("unload", "&Unload model", "Free the model's memory until it is needed again", "Ctrl+U"),
    ActionSpec("shortcuts", "&Keyboard shortcuts", "List all keyboard shortcuts", _Key.HelpContents),
    ActionSpec("samples", "Open sa&mple pages", "Open the pages that come with RTOCR, to try it out"),
    ActionSpec("log", "Show &log", "Open the file in which errors are described"),
    ActionSpec("about", "&About RTOCR", "What RTOCR is, and its version", role=_Role.AboutRole),
)  # fmt: skip

MENUS: Mapping[str, tuple[str, ...]] = {
    "&File": (
        "open",
        "open_folder",
        "open_recent",
        "",
        "export",
        "export_selected",
        "export_by_scan",
        "pipe_tables",
        "export_overlay",
        "export_plan",
        "export_curve",
        "stop_export",
        "",
        "remove",
        "",
        "quit",
    ),
    "&Edit": (
        "undo",
        "redo",
        "",
        "paste",
        "copy",
        "",
        "find",
        "find_next",
        "find_previous",
        "replace",
        "join_lines",
        "",
        "next_unsure",
        "previous_unsure",
        "",
        "rotate_left",
        "rotate_right",
        "rotate_file",
        "",
        "split_beside",
        "split_above",
        "join",
        "",
        "crop",
        "uncrop",
        "",
        "move_up",
        "move_down",
    ),
    "&Read": ("read", "read_all", "retry", "stop", "", "read_pasted", "copy_pasted", "", "compare", "curve"),
    "&View": (
        *("previous_page", "next_page", ""),
        *("zoom_in", "zoom_out", "fit_page", "fit_width", "actual_size"),
        *("", "larger_text", "smaller_text", "unsure"),
        *("", "overlay", "next_look", "global_grid", "blocks", "trace", "", "panel"),
    ),
    "&Model": (
        "models",
        "",
        "about_model",
        "use_folder",
        "use_bundled",
        "",
        "device",
        "precision",
        "tiles",
        "idle",
        "unload",
    ),
    "&Help": ("samples", "shortcuts", "log", "", "about"),
}
"""Menu titles and the names of their actions; an empty name is a separator."""

PAGE_KEYS = ("next_look", "global_grid", "blocks")
"""Actions whose shortcuts are single letters, which only the page does not use for typing."""

TEXT_KEYS = ("undo", "redo")
"""Actions whose shortcuts belong to the widget being typed in: each has its own undo history."""

LIST_KEYS = ("move_up", "move_down")
"""Actions whose shortcuts mean something else in text fields and boxes, and so work only in the list."""

KEY_PLACES: Mapping[str, str] = {
    **dict.fromkeys(PAGE_KEYS, "on the page"),
    **dict.fromkeys(TEXT_KEYS, "in the text"),
    **dict.fromkeys(LIST_KEYS, "in the list"),
}
"""Where shortcuts work that do not work everywhere in the window."""

PAGE_MENU = (
    ("read", "stop"),
    ("copy", "export_selected"),
    ("rotate_left", "rotate_right", "rotate_file"),
    ("split_beside", "split_above", "join"),
    ("crop", "uncrop"),
    ("move_up", "move_down"),
    ("remove",),
)
"""Actions in the context menu of the page list, in groups."""


def make_actions(window: QMainWindow) -> dict[str, QAction]:
    """Make every action of the table.

    Shortcuts work wherever the focus is; those of `KEY_PLACES` only in widgets to which these are added.
    """
    actions = {}
    for spec in SPECS:
        action = QAction(spec.text, window)
        action.setCheckable(spec.checkable)
        action.setMenuRole(spec.role)
        if isinstance(spec.keys, str):
            action.setShortcuts(QKeySequence.listFromString(spec.keys))
        elif spec.keys is not None:
            action.setShortcuts(spec.keys)
        keys = keys_in_words(spec.name, action)
        action.setToolTip(f"{spec.tip} ({keys})" if keys else spec.tip)
        action.setProperty(TIP, action.toolTip())
        if spec.name in KEY_PLACES:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        else:
            window.addAction(action)
        actions[spec.name] = action
    return actions


def keys_in_words(name: str, action: QAction) -> str:
    """The shortcut of an action in the platform's notation, and where it works if not everywhere."""
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    return f"{keys} {KEY_PLACES[name]}" if keys and name in KEY_PLACES else keys


def draw_icons(actions: Mapping[str, QAction]) -> None:
    """Give the actions their icons, again once the colours have changed: menus of the desktop have copies."""
    for spec in SPECS:
        if spec.icon:
            actions[spec.name].setIcon(icon(spec.icon))


def fill(place: QToolBar | QMenu, names: tuple[str, ...], actions: Mapping[str, QAction]) -> None:
    """Add actions by name to a menu or a toolbar; an empty name adds a separator."""
    for name in names:
        if name:
            place.addAction(actions[name])
        else:
            place.addSeparator()
