"""Objects that behave like the function they hold, where flows, tests and libraries need one.

Rules:

1. ``inspect`` and mocks see a function: it has a function's attributes, and is of its class. One
   that holds anything else (a method, a class, a partial) does not claim to be a function.
2. It is copied and pickled as a function is: by its name, so a task may pass it to another process.
"""

import inspect
import types
from typing import Any

_OF_FUNCTIONS = frozenset(
    {"__closure__", "__code__", "__defaults__", "__globals__", "__kwdefaults__"}
)


class FunctionLike:
    """Base of objects that behave like their function.

    Attributes:
        fn: The function.
    """

    fn: Any

    @property  # type: ignore[misc]  # typeshed has a setter, too, which no caller uses
    def __class__(self) -> Any:
        return types.FunctionType if inspect.isfunction(self.fn) else type(self)

    def __getattr__(self, name: str) -> Any:
        if name in _OF_FUNCTIONS:
            return getattr(self.fn, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __reduce__(self) -> str:
        return str(self.__qualname__)
