"""Ends a program with a sentence, for the programs in `packaging/`. Knows no command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rtocr_gui.errors import RtocrError
from rtocr_gui.files import reason_of

_INTERRUPTED = 130


@contextmanager
def failures_in_words(*further: type[Exception]) -> Iterator[None]:
    """End the process with a sentence for what goes wrong outside the program, and without one for Ctrl+C.

    Args:
        further: errors whose text is such a sentence, besides those of RTOCR.
    """
    in_words: tuple[type[Exception], ...] = (RtocrError, *further)
    try:
        yield
    except in_words as error:
        sys.exit(str(error))
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        sys.exit(f"{where}{reason_of(error)}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
