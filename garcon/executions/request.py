"""Members of the calls to SWF, checked before they are sent. Pure but for the chance in an id.

An input is a JSON object, because a decider reads its members by name (``garcon.context``).
"""

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from garcon import claims
from garcon.aws import limits
from garcon.executions.errors import InputNotSendable, RequestRefused
from garcon.flow import flow_attributes
from garcon.payload import codec

CHILD_POLICIES = ("TERMINATE", "REQUEST_CANCEL", "ABANDON")
ID_BYTES = 6  # random bytes of a generated id: a collision among a million has a chance of 1:500


@dataclass(frozen=True, slots=True)
class StartOptions:
    """Options of a start beside its input; ``None`` stands for the type's registered default.

    Attributes:
        timeout: Seconds that the execution may be open.
        decision_timeout: Seconds that a decision may take.
        child_policy: What SWF does to its children when it is terminated or times out.
        priority: Priority of its decision tasks; higher comes first.
    """

    timeout: float | None = None
    decision_timeout: float | None = None
    child_policy: str | None = None
    priority: int | None = None


def new_id(name: str) -> str:
    """A unique workflow id: the flow's name and random letters."""
    return f"{name}-{secrets.token_hex(ID_BYTES)}"


def check_id(workflow_id: str) -> str:
    """The workflow id itself, if SWF takes it.

    Raises:
        InputNotSendable: It is empty or too long, or has a character that SWF refuses.
    """
    if 0 < len(workflow_id) <= limits.NAME and not limits.FORBIDDEN.search(workflow_id):
        return workflow_id
    raise InputNotSendable(
        f"The workflow id {workflow_id[:40]!r} is invalid: ids have 1 to {limits.NAME} characters, "
        "and no colon, slash, bar or control character."
    )


def encoded(value: Any, what: str) -> str:
    """The JSON text of an input, or of a claim for it if it is long and there is a claim store.

    Raises:
        InputNotSendable: It is too long, or not JSON.
        RequestRefused: The claim store does not answer at the moment.
    """
    try:
        return codec.encode(value, what)
    except (codec.TooLarge, codec.NotSendable) as error:
        raise InputNotSendable(str(error)) from error
    except claims.ClaimStoreUnavailable as error:
        raise RequestRefused(str(error), transient=True) from error


def start(
    flow: Any,
    workflow_id: str,
    values: Mapping[str, Any],
    tags: Iterable[str] | None,
    options: StartOptions,
) -> dict[str, Any]:
    """The members of StartWorkflowExecution; without tags or a priority the flow's count.

    Raises:
        InputNotSendable: SWF would refuse the input, a tag or an option.
    """
    check_object(values, f"The input of {workflow_id}")
    return {
        "domain": flow.domain,
        "workflowId": workflow_id,
        "workflowType": {"name": flow.name, "version": flow_attributes.version(flow)},
        "taskList": {"name": flow.name},
        "input": encoded(dict(values), f"The input of {workflow_id}"),
        **_tag_list(flow_attributes.tags(flow) if tags is None else tags),
        **_given(options, flow_attributes.priority(flow)),
    }


def check_object(values: Any, what: str) -> None:
    """Refuse an input that is not an object; ``what`` names it in the error.

    Raises:
        InputNotSendable: It is anything else, such as a list or null.
    """
    if not isinstance(values, Mapping):
        raise InputNotSendable(
            f"{what} is not an object but {_json_type(values)}: the flow's activities read its "
            'members by name, as in {"key": "value"}.'
        )


def _json_type(value: Any) -> str:
    """The JSON name of a value's type, with an article."""
    names = {list: "a list", tuple: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "a number"
    return names.get(type(value), f"of the type {type(value).__name__}")


def _tag_list(tags: Iterable[str]) -> dict[str, list[str]]:
    if isinstance(tags, str):
        raise InputNotSendable(f"Tags are a list of texts, not the one text {tags!r}.")
    listed = list(tags)
    if fault := limits.tags_fault(listed):
        raise InputNotSendable(fault)
    return {"tagList": listed} if listed else {}


def _given(options: StartOptions, flow_priority: int | None) -> dict[str, str]:
    """The optional members that have a value."""
    if options.child_policy not in (None, *CHILD_POLICIES):
        raise InputNotSendable(
            f"The child policy is one of {', '.join(CHILD_POLICIES)}, not {options.child_policy!r}."
        )
    priority = flow_priority if options.priority is None else options.priority
    members = {
        "executionStartToCloseTimeout": _seconds(options.timeout, "timeout"),
        "taskStartToCloseTimeout": _seconds(options.decision_timeout, "decision timeout"),
        "childPolicy": options.child_policy,
        "taskPriority": _priority(priority),
    }
    return {name: value for name, value in members.items() if value is not None}


def _seconds(timeout: float | None, what: str) -> str | None:
    if timeout is None:
        return None
    if not 0 < timeout < math.inf:
        raise InputNotSendable(f"The {what} is a number of seconds above 0, not {timeout!r}.")
    return limits.seconds(timeout)


def _priority(priority: int | None) -> str | None:
    if priority is None:
        return None
    if fault := limits.priority_fault(priority):
        raise InputNotSendable(fault)
    return str(priority)
