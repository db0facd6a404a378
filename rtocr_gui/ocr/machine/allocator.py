"""Returns memory to the system. Knows the C allocator; quick to import, as the window starts with it."""

import ctypes
import sys


def return_freed_memory() -> None:
    """Return main memory that the C allocator has freed but still holds; glibc keeps much of it."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl lacks it, and holds less
        if trim is not None:
            trim(0)
