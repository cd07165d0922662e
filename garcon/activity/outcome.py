"""What came of an attempt at a task, before SWF knows it."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from garcon import limits


@dataclass(frozen=True)
class Completed:
    """The tasks are done; ``result`` is what they returned."""

    result: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Failed:
    """A task raised; ``reason`` has up to 255 characters, ``details`` the traceback."""

    reason: str
    details: str | None = None


@dataclass(frozen=True)
class Canceled:
    """The tasks agreed to a request to cancel them."""

    details: str | None = None


@dataclass(frozen=True)
class Gone:
    """SWF no longer has the task (timed out, or its execution closed): nobody to answer."""

    why: str


Outcome = Completed | Failed | Canceled | Gone


def failed(error: BaseException) -> Failed:
    """The outcome for an error of the tasks."""
    return Failed(limits.reason(error), "".join(traceback.format_exception(error)))
