"""What is asked of SWF, checked before it is sent. Pure but for the random part of an id.

An input is a JSON object, because a decider reads its members by name (``garcon.context``).
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from garcon import claims, limits, payload, usual
from garcon.workflow.errors import NotSendable, Refused

TAGS = 5  # of one execution; SWF's bound (API reference, StartWorkflowExecution)
TAG = 256  # characters; SWF's bound
CHILD_POLICIES = ("TERMINATE", "REQUEST_CANCEL", "ABANDON")
ID_BYTES = 6  # of chance in an id made up: two alike among a million are one in five hundred


@dataclass(frozen=True, slots=True)
class Options:
    """What a start may say beside its input; what is ``None`` is as the type was registered.

    Attributes:
        timeout: Seconds it may be open.
        decision_timeout: Seconds a decision may take.
        child_policy: What becomes of its children when it is terminated or times out.
        priority: Of its decision tasks; higher comes first.
    """

    timeout: float | None = None
    decision_timeout: float | None = None
    child_policy: str | None = None
    priority: int | None = None


def new_id(name: str) -> str:
    """An id that nobody else has: the flow's name and some letters."""
    return f"{name}-{secrets.token_hex(ID_BYTES)}"


def encoded(value: Any, what: str) -> str:
    """The JSON text of an input, or of a claim for it if there is a claim store and it is long.

    Raises:
        NotSendable: It is longer than is taken, or JSON has no form for it.
        Refused: The claim store does not answer just now.
    """
    try:
        return payload.encode(value, what)
    except (payload.TooLarge, payload.NotSendable) as error:
        raise NotSendable(str(error)) from error
    except claims.Unavailable as error:
        raise Refused(str(error), passing=True) from error


def start(
    flow: Any,
    workflow_id: str,
    values: Mapping[str, Any],
    tags: Iterable[str] | None,
    options: Options,
) -> dict[str, Any]:
    """The members of StartWorkflowExecution; tags and priority are the flow's where none are given.

    Raises:
        NotSendable: The input, a tag or an option is not what SWF takes.
    """
    if not isinstance(values, Mapping):
        raise NotSendable(
            f"The input of {workflow_id} must be a dictionary, not {type(values).__name__}: the "
            "flow's activities take its members by name."
        )
    return {
        "domain": flow.domain,
        "workflowId": workflow_id,
        "workflowType": {"name": flow.name, "version": usual.version(flow)},
        "taskList": {"name": flow.name},
        "input": encoded(dict(values), f"The input of {workflow_id}"),
        **_tagged(usual.tags(flow) if tags is None else tags),
        **_optional(options, usual.priority(flow)),
    }


def _tagged(tags: Iterable[str]) -> dict[str, list[str]]:
    if isinstance(tags, str):
        raise NotSendable(f"Tags are a list of texts, not the one text {tags!r}.")
    listed = list(tags)
    if len(listed) > TAGS:
        raise NotSendable(f"SWF takes {TAGS} tags for an execution, not {len(listed)}.")
    if long := [tag for tag in listed if not 0 < len(tag) <= TAG]:
        raise NotSendable(f"A tag has 1 to {TAG} characters, {long[0][:40]!r} has {len(long[0])}.")
    return {"tagList": listed} if listed else {}


def _optional(options: Options, usual_priority: int | None) -> dict[str, str]:
    if options.child_policy not in (None, *CHILD_POLICIES):
        raise NotSendable(
            f"The child policy is one of {', '.join(CHILD_POLICIES)}, not {options.child_policy!r}."
        )
    timeout, decision_timeout = options.timeout, options.decision_timeout
    priority = usual_priority if options.priority is None else options.priority
    said = {
        "executionStartToCloseTimeout": None if timeout is None else limits.seconds(timeout),
        "taskStartToCloseTimeout": (
            None if decision_timeout is None else limits.seconds(decision_timeout)
        ),
        "childPolicy": options.child_policy,
        "taskPriority": None if priority is None else str(priority),
    }
    return {name: value for name, value in said.items() if value is not None}
