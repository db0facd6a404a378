"""What the commands of the recipe have in common: numbers they take, and sentences for what goes wrong.

Knows no page and no training.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from safetensors import SafetensorError

from recipe.typefaces import MissingMaterial
from rtocr_gui.cli.values import count_of
from rtocr_gui.errors import RtocrError

_INTERRUPTED = 130

count = count_of("a number")
"""Parses a whole number from 1."""


def above_0(text: str) -> float:
    """Parse a finite number above 0."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"“{text}” must be above 0")
    return number


def share(text: str) -> float:
    """Parse a number from 0 to 1."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"“{text}” must be in 0..1")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


@contextmanager
def failures_in_words() -> Iterator[None]:
    """End the process with a sentence for what goes wrong outside the program, and without one for Ctrl+C."""
    try:
        yield
    except (RtocrError, MissingMaterial, SafetensorError) as error:
        sys.exit(str(error))
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        sys.exit(f"{where}{error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
