"""A least-recently-used cache bounded in bytes. Knows nothing about the values it holds."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteBoundedCache(Generic[Key, Value]):
    """Drops the least recently used values once its limit is exceeded.

    Args:
        most_bytes: the limit, at least 0. A value larger than it is never kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._held_bytes = 0

    def get(self, key: Key) -> Value | None:
        """Return the value of a key and mark it as used; None if there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Key, value: Value, size_bytes: int) -> None:
        """Store a value of the given size in place of the key's previous one."""
        self._forget(key)
        if size_bytes > self.most_bytes:
            return
        self._entries[key] = (value, size_bytes)
        self._held_bytes += size_bytes
        while self._held_bytes > self.most_bytes:
            self._forget(next(iter(self._entries)))

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self._held_bytes = 0

    def _forget(self, key: Key) -> None:
        if key in self._entries:
            self._held_bytes -= self._entries.pop(key)[1]
