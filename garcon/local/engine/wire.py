"""Members of the wire: durations, priorities, and which members have a value.

An empty string is the same as nothing: the model lets optional durations and run ids be empty,
and recorded answers leave empty members out.
"""

import math
from collections.abc import Mapping
from typing import Any

from garcon.local.engine.messages import Body

NONE = "NONE"
"""The duration that never ends."""


def seconds(duration: str) -> float:
    """A duration of the wire in seconds; infinity for NONE or nothing."""
    return math.inf if duration in (NONE, "") else float(duration)


def priority(text: str) -> int:
    """A taskPriority as a number; 0 is the service's default."""
    return int(text) if text else 0


def pick(source: Mapping[str, Any], *names: str) -> Body:
    """The named members of the source that have a value."""
    return {name: source[name] for name in names if source.get(name) not in (None, "", [], ())}
