"""The doctor: what a flow that was written for garcon 1.x will do differently.

It reads an imported flow and the source of its module; it runs none of the flow's functions.

Rules:

1. A finding is about one thing that this flow has. What holds for every flow stands in
   ``docs/migrating.md`` only.
2. Each names its subject, the difference and what to do; its code is explained there.
"""

import sys
import warnings
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from garcon.activity import find_workflow_activities
from garcon.decider import flow_validation
from garcon.doctor import activity_rules, flow_rules, source_rules
from garcon.doctor.findings import Finding
from garcon.errors import InvalidFlow

__all__ = ["Finding", "examine"]


def examine(flow: Any, raised: Iterable[warnings.WarningMessage] = ()) -> list[Finding]:
    """All findings about a flow.

    Args:
        flow: The flow, a module or any object.
        raised: The warnings that its import raised.
    """
    return list(dict.fromkeys(_findings(flow, raised)))


def _findings(flow: Any, raised: Iterable[warnings.WarningMessage]) -> Iterator[Finding]:
    yield from _warnings(raised)
    if refusals := [*_refusals(flow)]:
        yield from refusals  # the other rules read what a flow that works has
        return
    yield from flow_rules.examine(flow)
    for activity in find_workflow_activities(flow):
        yield from activity_rules.examine(activity)
    module = flow if isinstance(flow, ModuleType) else sys.modules.get(type(flow).__module__)
    if module:
        yield from source_rules.examine(module)


def _refusals(flow: Any) -> Iterator[Finding]:
    try:
        flow_validation.check(flow)
    except InvalidFlow as error:
        yield Finding(
            "refused",
            "the flow",
            f"It is refused at the start; 1.x fails or hangs later. {error}",
            "Correct it.",
        )


def _warnings(raised: Iterable[warnings.WarningMessage]) -> Iterator[Finding]:
    for each in raised:
        if each.category is UserWarning:
            yield Finding(
                "warning",
                f"{each.filename}, line {each.lineno}",
                f"{each.message} 1.x does not warn.",
                "Correct the line, or leave it: it works as in 1.x.",
            )
