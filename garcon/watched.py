"""A context that remembers which of its keys were looked at.

A task list is asked twice: by the decider, with the whole context, and by the activity, with its
input. To come to the same tasks the second time, it needs the keys that it looked at the first
time, beside those that its tasks are filled with.
"""

from collections import UserDict
from collections.abc import Iterator, Mapping
from typing import Any


class Watched(UserDict[str, Any]):
    """The same values.

    Attributes:
        looked_at: The keys that were asked for, whether they are there or not.
    """

    def __init__(self, context: Mapping[str, Any] | None = None) -> None:
        self.looked_at: set[str] = set()
        super().__init__()
        self.data = dict(context or {})  # at once, not key by key: a context may be large

    def __getitem__(self, key: str) -> Any:
        self.looked_at.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.looked_at.add(str(key))
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self.looked_at.update(self.data)
        return super().__iter__()
