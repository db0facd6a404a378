"""How a page is listed, the state of its reading, and where its text is from. Plain values, without Qt."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum


class PageState(Enum):
    """The state of a page's reading; the values are what the list shows.

    CHECK and EMPTY pages were read, too: the text of the former may be wrong or incomplete.
    """

    UNREAD = "Not read"
    WAITING = "Waiting"
    READING = "Reading"
    READ = "Read"
    CHECK = "Check"
    EMPTY = "No text"
    EDITED = "Edited"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def icon_name(self) -> str:
        """Name of the state's icon."""
        return f"state-{self.name.lower()}"


class TextOrigin(Enum):
    """Where the text of a page is from; the values are what is written to files."""

    TYPED = "typed"
    TYPED_IN_PART = "typed in part"  # over one that was read in part
    READ = "read"
    READ_IN_DOUBT = "read in doubt"
    READ_IN_PART = "read in part"


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page to list.

    Attributes:
        key: identifies the page; unique in the list.
        label: first line, e.g. the file name.
        detail: second line, e.g. the page number.
    """

    key: Hashable
    label: str
    detail: str
