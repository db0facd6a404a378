"""Which version of the program this is."""


def program_version(otherwise: str) -> str:
    """The version that is installed, or something else where the program runs without being installed."""
    from importlib import metadata  # slow to import, and the window opens without it

    try:
        return metadata.version("rtocr-gui")
    except metadata.PackageNotFoundError:
        return otherwise
