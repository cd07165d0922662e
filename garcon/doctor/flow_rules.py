"""Rules of the doctor about the flow itself: its attributes, its client, its decider."""

import types
from collections.abc import Iterator
from typing import Any

from botocore.client import BaseClient

from garcon.activity import find_workflow_activities
from garcon.client import POLL_READ_TIMEOUT
from garcon.doctor.findings import Finding

_NEW_ATTRIBUTES = {
    "deterministic": "says whether its decider has to decide the same from the same history",
    "on_cancel": "is called when cancelling an execution is requested",
    "on_worker_start": "is called in each worker before its first poll",
    "on_worker_stop": "is called in each worker at its end",
    "priority": "is the priority of the flow's executions and activities",
    "tags": "is the list of tags of its executions",
}
"""Attributes of a flow that 1.x does not read."""

_CHANGING = frozenset(
    {"choice", "environ", "getenv", "now", "randint", "random", "time", "today", "utcnow", "uuid4"}
)
"""Names in a decider's code that give something else at each decision."""


def examine(flow: Any) -> Iterator[Finding]:
    """The findings about a flow, without those about its activities."""
    yield from _new_attributes(flow)
    yield from _client(getattr(flow, "client", None))
    yield from _decider(getattr(flow, "decider", None))
    yield from _activities_found_twice(flow)


def _new_attributes(flow: Any) -> Iterator[Finding]:
    for name, meaning in _NEW_ATTRIBUTES.items():
        value = getattr(flow, name, None)
        if value is not None and not isinstance(value, types.ModuleType):
            yield Finding(
                "new-attribute",
                f"the flow's {name}",
                f"1.x does not read it; here it {meaning}.",
                "Rename it if it means something else.",
            )


def _client(client: Any) -> Iterator[Finding]:
    if client is None:
        return
    if not isinstance(client, BaseClient):
        yield Finding(
            "client-is-a-stand-in",
            "the flow's client",
            f"It is a {type(client).__name__}, which is used as it is for every call, as in 1.x; "
            "--endpoint-url and --region of the command line win over it.",
            "Make sure that it is meant to serve in production.",
        )
    elif (seconds := _read_timeout(client)) < POLL_READ_TIMEOUT:
        yield Finding(
            "client-waits-too-short",
            "the flow's client",
            f"It waits {seconds:g} s for a response. 1.x loses the task of "
            f"a poll that it gives up; here polls wait {POLL_READ_TIMEOUT} s over connections of "
            "their own, with the client's credentials and hooks.",
            f"Give it Config(read_timeout={POLL_READ_TIMEOUT}), or leave the client out.",
        )


def _read_timeout(client: BaseClient) -> float:
    return float(getattr(client.meta.config, "read_timeout", 60))  # botocore's default


def _decider(decider: Any) -> Iterator[Finding]:
    code = getattr(decider, "__code__", None)
    if changing := sorted(_CHANGING.intersection(_names(code))) if code else []:
        yield Finding(
            "decider-may-change",
            "the flow's decider",
            f"It uses {', '.join(changing)}. 1.x does not notice a decider that decides otherwise "
            "from the same history; here it decides nothing, and says so.",
            "Record the value: schedule.side_effect, or give it in the input; "
            "or set deterministic = False in the flow.",
        )


def _names(code: types.CodeType) -> set[str]:
    """The names that a function's code uses, with those of functions inside it."""
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _activities_found_twice(flow: Any) -> Iterator[Finding]:
    for activity in find_workflow_activities(flow):
        names = [name for name in dir(flow) if getattr(flow, name, None) is activity]
        if len(names) > 1:
            yield Finding(
                "activity-twice",
                str(activity.name),
                f"The flow has it as {' and '.join(names)}. 1.x finds it twice; here it counts "
                "once.",
                "Keep one of the attributes.",
            )
