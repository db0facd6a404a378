"""What the commands of the recipe have in common: numbers they take, and sentences for what goes wrong.

Knows no page and no training.
"""

import argparse
import math
from functools import partial

from safetensors import SafetensorError

from recipe.typefaces import MissingMaterial
from rtocr_gui.cli.failures import failures_in_words as _failures_in_words
from rtocr_gui.cli.values import count_of

count = count_of("a number")
"""Parses a whole number from 1."""

failures_in_words = partial(_failures_in_words, MissingMaterial, SafetensorError)
"""Ends a program of the recipe with a sentence; see `rtocr_gui.cli.failures`."""


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
