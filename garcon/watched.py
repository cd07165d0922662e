"""A context that remembers which of its keys were looked at.

A task list is asked twice: by the decider, with the whole context, and by the activity, with its
input. To come to the same tasks the second time, it needs the keys that it looked at the first
time, beside those that its tasks are filled with.

It is a real dictionary, because task lists may hand it to code that asks for one. Whoever looks at
it as a whole (goes through it, counts, copies or compares it) has looked at all keys.
"""

from collections.abc import Iterator, Mapping
from typing import Any


class Watched(dict[str, Any]):
    """The same values.

    Attributes:
        looked_at: The keys that were asked for, whether they are there or not.
    """

    __hash__ = None  # like every dictionary

    def __init__(self, context: Mapping[str, Any] | None = None) -> None:
        super().__init__(context or {})
        self.looked_at: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.looked_at.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.looked_at.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As of a dictionary."""
        self.looked_at.add(key)
        return super().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As of a dictionary."""
        self.looked_at.add(key)
        return super().setdefault(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        """As of a dictionary."""
        self.looked_at.add(key)
        return super().pop(key, *default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def __eq__(self, other: object) -> bool:
        return self._whole() == other

    def __or__(self, other: Any) -> Any:
        return self._whole() | other

    def __ror__(self, other: Any) -> Any:
        return other | self._whole()

    def keys(self) -> Any:
        """As of a dictionary."""
        return self._whole().keys()

    def values(self) -> Any:
        """As of a dictionary."""
        return self._whole().values()

    def items(self) -> Any:
        """As of a dictionary."""
        return self._whole().items()

    def copy(self) -> dict[str, Any]:
        """As of a dictionary."""
        return self._whole()

    def popitem(self) -> tuple[str, Any]:
        """As of a dictionary."""
        self._whole()
        return super().popitem()

    def _whole(self) -> dict[str, Any]:
        """A plain copy; all keys count as looked at."""
        found = dict(super().items())
        self.looked_at.update(found)
        return found
