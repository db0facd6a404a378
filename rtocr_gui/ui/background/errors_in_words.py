"""Says to the person what an error means; one that nothing in the program expects is logged. Knows no Qt."""

import logging
from collections.abc import Callable

from rtocr_gui.errors import RtocrError

_log = logging.getLogger(__name__)


def in_words(error: BaseException) -> str:
    """Put an error into words for the person; an unexpected one is logged."""
    if isinstance(error, RtocrError):
        return str(error)
    return unexpected(error)


def unexpected(error: BaseException) -> str:
    """Log an error that nothing in the program expects, and say so to the person."""
    _log.error("unexpected error", exc_info=error)
    return f"An unexpected error occurred ({type(error).__name__}). Details are in the log (Help › Show log)."


def guarded(job: Callable[[], None], tell: Callable[[str], object]) -> Callable[[], None]:
    """A job that tells of its errors in words, as a lane only logs them."""

    def run() -> None:
        try:
            job()
        except BaseException as error:
            tell(in_words(error))

    return run
