"""The outputs of a command: files, or stdout for `-`.

Knows which options name outputs, and nothing about what is written.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from rtocr_gui.cli.values import STDOUT, Target
from rtocr_gui.export.writing import write_text_atomically
from rtocr_gui.files import is_same_path


def named_outputs(arguments: argparse.Namespace) -> list[Path]:
    """Return the files that a command will write."""
    return [target for target in _targets(arguments) if isinstance(target, Path)]


def takes_stdout(arguments: argparse.Namespace) -> bool:
    """True if an output was directed to stdout, which must then contain nothing else."""
    return STDOUT in _targets(arguments)


def needs_stdout(arguments: argparse.Namespace) -> bool:
    """True if a command is of no use without stdout."""
    is_done_without = arguments.command == "models" and arguments.action in ("download", "check")
    return takes_stdout(arguments) or not (is_done_without or named_outputs(arguments))


def stdout_is_wanted_twice(arguments: argparse.Namespace) -> bool:
    """True if two outputs would be mixed on stdout."""
    return _targets(arguments).count(STDOUT) > 1


def write_output(target: Target, text: str) -> None:
    """Write a text to stdout, or to a file as `write_text_atomically` does.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    if isinstance(target, Path):
        write_text_atomically(target, text)
    else:
        sys.stdout.write(text)


def share_a_file(outputs: Sequence[Path]) -> bool:
    """True if two outputs would be written to one file."""
    return any(is_same_path(*pair) for pair in combinations(outputs, 2))


def _targets(arguments: argparse.Namespace) -> list[Target]:
    options = vars(arguments)
    named = [options.get(name) for name in ("output", "overlay", "json", "csv", "markdown")]
    return [target for target in named if target is not None]
