"""Errors that a person can read.

Every failure that reaches a window or a terminal is a subclass of `RtocrError`. Its text is one
or two sentences: what happened, and what to do about it. The technical cause is chained with
`raise ... from`. Knows nothing of Qt, torch or files.
"""


class RtocrError(Exception):
    """What went wrong, in a sentence for the person in front of the screen."""


class DocumentError(RtocrError):
    """A file or one of its pages cannot be opened or rendered."""


class PasswordRequired(DocumentError):
    """The file is encrypted, and no password or a wrong one was given."""


class FileLost(DocumentError):
    """The file of a page is not there any more as it was opened."""


class FileOutdated(FileLost):
    """The file of a page was closed or replaced; opening it again may help."""


class CheckpointError(RtocrError):
    """A model folder is missing, incomplete, damaged or of a kind this program does not read."""


class DownloadError(RtocrError):
    """A model could not be downloaded; what has arrived so far is kept where that makes sense."""


class PruningError(RtocrError):
    """No plan can be made from these visual tokens or settings."""


class ReadingError(RtocrError):
    """The model failed while reading a page."""


class ExportError(RtocrError):
    """Recognised text or a picture could not be written."""


class SettingsError(RtocrError):
    """A setting or a command-line value is outside its range."""
