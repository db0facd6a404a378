"""Where a command writes what it was asked for: to files, or to stdout where `-` stands for one.

Knows which options name such places, and nothing of what is written.
"""

import argparse
import sys
from pathlib import Path

from rtocr_gui.cli.values import STDOUT, Target
from rtocr_gui.export.writing import write_text_atomically


def named_outputs(arguments: argparse.Namespace) -> list[Path]:
    """The files that a command shall write."""
    return [target for target in _targets(arguments) if isinstance(target, Path)]


def takes_stdout(arguments: argparse.Namespace) -> bool:
    """True where stdout is to hold one thing that was asked for, and so nothing else."""
    return STDOUT in _targets(arguments)


def needs_stdout(arguments: argparse.Namespace) -> bool:
    """True where a command is for nothing but the text that it would write to stdout."""
    is_done_without = arguments.command == "models" and arguments.action in ("download", "check")
    return takes_stdout(arguments) or not (is_done_without or named_outputs(arguments))


def stdout_is_wanted_twice(arguments: argparse.Namespace) -> bool:
    """True where two things would be mixed on stdout."""
    return _targets(arguments).count(STDOUT) > 1


def write_output(target: Target, text: str) -> None:
    """Write a text to stdout, or to a file as `write_text_atomically` does.

    Raises:
        ExportError: the file was not written, and is as it was.
    """
    if isinstance(target, Path):
        write_text_atomically(target, text)
    else:
        sys.stdout.write(text)


def _targets(arguments: argparse.Namespace) -> list[Target]:
    options = vars(arguments)
    named = [options.get(name) for name in ("output", "overlay", "json", "csv", "markdown")]
    return [target for target in named if target is not None]
