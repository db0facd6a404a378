"""A virtual X display with a window manager, to show real windows on where there is no screen."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator


class DisplayMissing(Exception):
    """The programs that make a virtual display are not installed."""


@contextlib.contextmanager
def virtual_display(width_px: int = 1600, height_px: int = 1000) -> Iterator[dict[str, str]]:
    """Start Xvfb on a free display number and openbox on it, and end both afterwards.

    Yields:
        The environment to start a real window in.

    Raises:
        DisplayMissing: Xvfb or openbox is not installed, or does not start.
    """
    missing = [name for name in ("Xvfb", "openbox") if shutil.which(name) is None]
    if missing:
        raise DisplayMissing(
            f"{' and '.join(missing)} not found. Real windows without a screen need: "
            "sudo apt install xvfb openbox"
        )
    with contextlib.ExitStack() as stack:
        reading_end, writing_end = os.pipe()
        screen = f"{width_px}x{height_px}x24"
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing_end), "-screen", "0", screen, "-nolisten", "tcp"],
            pass_fds=[writing_end],
            stderr=subprocess.DEVNULL,
        )
        stack.callback(_end, server)
        os.close(writing_end)
        with os.fdopen(reading_end) as display_numbers:
            number = display_numbers.readline().strip()
        if not number:
            raise DisplayMissing("Xvfb ended before it opened a display.")
        environment = {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        environment.pop("WAYLAND_DISPLAY", None)
        home = stack.enter_context(tempfile.TemporaryDirectory())
        openbox = subprocess.Popen(
            ["openbox", "--sm-disable", "--startup", "echo ready"],
            env={**environment, "HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stack.callback(_end, openbox)
        assert openbox.stdout is not None
        if "ready\n" not in openbox.stdout:
            raise DisplayMissing("openbox ended before it managed the display.")
        yield environment


def _end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate()
