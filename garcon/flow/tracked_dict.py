"""``TrackedDict``: a context that records the keys that a task list reads.

A task list runs twice: in the decider, with the whole context, and in the activity, with its input.
To yield the same tasks the second time, it needs the keys that it read the first time, beside those
that its tasks are filled from.

It is a real dictionary, because a task list may pass it to code that requires one. Iterating,
counting, copying or comparing it reads all keys.
"""

from collections.abc import Iterator, Mapping
from typing import Any


class TrackedDict(dict[str, Any]):
    """A copy of a context that records the keys that are read.

    Args:
        context: The context.

    Attributes:
        keys_read: The keys that were read, whether the context has them or not.
    """

    __hash__ = None  # as ``dict``

    def __init__(self, context: Mapping[str, Any] | None = None) -> None:
        super().__init__(context or {})
        self.keys_read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.keys_read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.keys_read.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As ``dict``."""
        self.keys_read.add(key)
        return super().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As ``dict``."""
        self.keys_read.add(key)
        return super().setdefault(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        """As ``dict``."""
        self.keys_read.add(key)
        return super().pop(key, *default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._read_all())

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._read_all())

    def __len__(self) -> int:
        return len(self._read_all())

    def __eq__(self, other: object) -> bool:
        return self._read_all() == other

    def __or__(self, other: Any) -> Any:
        return self._read_all() | other

    def __ror__(self, other: Any) -> Any:
        return other | self._read_all()

    def keys(self) -> Any:
        """As ``dict``."""
        return self._read_all().keys()

    def values(self) -> Any:
        """As ``dict``."""
        return self._read_all().values()

    def items(self) -> Any:
        """As ``dict``."""
        return self._read_all().items()

    def copy(self) -> dict[str, Any]:
        """As ``dict``."""
        return self._read_all()

    def popitem(self) -> tuple[str, Any]:
        """As ``dict``."""
        self._read_all()
        return super().popitem()

    def _read_all(self) -> dict[str, Any]:
        """A plain copy; all keys count as read."""
        plain = dict(super().items())
        self.keys_read.update(plain)
        return plain
