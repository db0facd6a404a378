"""Finds the files that come with the program: the miniature model, sample pages and icons.

A checkout keeps them in `resources/` beside the package, an installed wheel inside the package.
Knows no file by name.
"""

from pathlib import Path

from rtocr_gui.errors import RtocrError

_PACKAGE = Path(__file__).resolve().parent


def resource_path(name: str) -> Path:
    """Find a file or folder that comes with the program.

    Args:
        name: path below `resources/`, with forward slashes, e.g. ``"samples"`` or ``"icons/open.svg"``.

    Returns:
        The absolute path of a file or folder that exists.

    Raises:
        RtocrError: this copy of the program lacks it.
    """
    inside = _PACKAGE / "resources"
    path = (inside if inside.is_dir() else _PACKAGE.parent / "resources") / name
    if not path.exists():
        raise RtocrError(
            f"This copy of RTOCR is incomplete: its resource “{name}” is missing. Install RTOCR again."
        )
    return path
