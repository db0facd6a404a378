"""Checks what the environment sets for the hub's library, which transformers needs too. Imports neither."""

import os

from rtocr_gui.errors import SettingsError

_WHOLE_NUMBERS = ("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT")


def check_hub_variables() -> None:
    """Check the variables with which the hub's library may refuse to be imported.

    Raises:
        SettingsError: one of them is not a whole number.
    """
    for name in _WHOLE_NUMBERS:
        try:
            int(os.environ.get(name, "0"))
        except ValueError as error:
            raise SettingsError(
                f"The environment variable {name} is “{os.environ[name]}”, which is not a whole number. "
                "Correct it, or unset it."
            ) from error
