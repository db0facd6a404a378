"""The version of the program."""


def program_version(otherwise: str) -> str:
    """The installed version, or `otherwise` if the program runs without being installed."""
    from importlib import metadata  # slow to import, and the window opens without it

    try:
        return metadata.version("rtocr-gui")
    except metadata.PackageNotFoundError:
        return otherwise
