"""Workflows on Amazon SWF: activities made of tasks, and a decider that knows what comes next.

``activity`` makes activities, ``task`` and ``runner`` say what they do, ``decider`` orders them,
``Client`` starts executions and waits for them. The reference is ``docs/reference.md``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garcon.workflow import Client

__all__ = ["Client"]

__version__ = "2.0.0.dev0"


def __getattr__(name: str) -> Any:
    """``Client`` at its first use: workers import this package and never need it."""
    if name != "Client":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from garcon.workflow import Client  # noqa: PLC0415 - see above

    return Client
