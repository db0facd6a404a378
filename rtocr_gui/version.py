"""The version of the program."""

import argparse
from collections.abc import Sequence


def program_version(otherwise: str) -> str:
    """The installed version, or `otherwise` if the program runs without being installed."""
    from importlib import metadata  # slow to import, and the window opens without it

    try:
        return metadata.version("rtocr-gui")
    except metadata.PackageNotFoundError:
        return otherwise


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add the option `--version`, which prints the version and exits."""
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="print the version and exit")


class _ShowVersion(argparse.Action):
    """Looks up the version only when requested."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002
        values: str | Sequence[object] | None,  # noqa: ARG002
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        print(f"{parser.prog} {program_version(otherwise='(not installed)')}")  # noqa: T201
        parser.exit()
