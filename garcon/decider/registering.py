"""Registering what a flow needs: its domain, its workflow type, its activity types.

Rules:

1. What is there already is fine. Whoever may not register may still work if it is there.
2. A deprecated domain or type is refused: SWF would refuse every execution or activity of it.
3. Whatever else fails is not swallowed: ``RegistrationRefused`` with a sentence. What passes is
   left to the caller, who tries again.
4. The defaults registered hold only where nobody says otherwise: a garcon decider gives all of an
   activity's timeouts, whoever starts a workflow may give the workflow's.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from garcon import activity, limits, runner, trouble, usual
from garcon.errors import GarconError
from garcon.utils import error_code

# Days a closed execution can be looked at: as many as SWF takes, for the questions that come later.
RETENTION_DAYS = "90"
# Seconds a decision may take. Deciding is quick; a decider that died is replaced after this.
DECISION_SECONDS = 60
# Seconds an execution may last if its starter does not say. Long, because ending work is worse.
EXECUTION_SECONDS = 30 * 24 * 3600

EXISTS = frozenset({"DomainAlreadyExistsFault", "TypeAlreadyExistsFault"})
FORBIDDEN = frozenset({"OperationNotPermittedFault", "AccessDeniedException", "AccessDenied"})
DEPRECATED = frozenset({"DomainDeprecatedFault", "TypeDeprecatedFault"})


class RegistrationRefused(GarconError):
    """SWF did not register something that the flow needs, and does not have it."""


class Kind(enum.Enum):
    """What can be registered."""

    DOMAIN = "domain"
    WORKFLOW_TYPE = "workflow type"
    ACTIVITY_TYPE = "activity type"


@dataclass(frozen=True)
class Registration:
    """One thing to register.

    Attributes:
        kind: What it is.
        name: Its name.
        request: The members of its register call.
        look_up: The members of its describe call.
    """

    kind: Kind
    name: str
    request: Mapping[str, Any]
    look_up: Mapping[str, Any]


def activity_version(each: activity.Activity, flow: Any) -> str:
    """The version of an activity's type: its own if it was given one, else the flow's."""
    own = each.version
    return own if own != activity.Activity.version else usual.version(flow)


def activity_priority(each: activity.Activity, flow: Any) -> int | None:
    """The priority of an activity's tasks: its own if it has one, else the flow's, if any."""
    return usual.priority(flow) if each.priority is None else each.priority


def tags_of(flow: Any, tags: Iterable[str] | None = None) -> list[str] | None:
    """The tags of an execution, up to five: those given, else the flow's, if any."""
    found = usual.tags(flow) or None if tags is None else tags
    return None if found is None else [str(each) for each in found]


def registration(flow: Any) -> list[Registration]:
    """All that a flow needs registered, in the order in which SWF takes it.

    Args:
        flow: The flow, a module or any object.
    """
    types = [_activity_type(each, flow) for each in activity.find_workflow_activities(flow)]
    return [_domain(flow.domain), _workflow_type(flow), *types]


def register(client: Any, wanted: Registration) -> bool:
    """Register one thing, unless it is there.

    Returns:
        Whether it was not there.

    Raises:
        RegistrationRefused: It is deprecated, or may not be registered and is not there.
        botocore.exceptions.BotoCoreError: SWF was not reached.
        botocore.exceptions.ClientError: SWF refused for another reason.
    """
    verb = wanted.kind.name.lower()
    try:
        getattr(client, f"register_{verb}")(**wanted.request)
    except Exception as error:
        code = error_code(error)
        if code in DEPRECATED:
            raise _deprecated(wanted) from error
        if code not in EXISTS | FORBIDDEN:
            raise
        _ensure_usable(client, wanted, error)
        return False
    return True


def _ensure_usable(client: Any, wanted: Registration, refusal: Exception) -> None:
    exists = error_code(refusal) in EXISTS
    try:
        answer = getattr(client, f"describe_{wanted.kind.name.lower()}")(**wanted.look_up)
    except Exception as error:
        if exists and error_code(error) in FORBIDDEN:
            return  # it is there, and whether it is deprecated cannot be seen
        if trouble.is_passing(error):
            raise
        raise _missing(wanted, refusal, error) from error
    if _status(answer) == "DEPRECATED":
        raise _deprecated(wanted)


def _status(answer: Any) -> Any:
    if not isinstance(answer, Mapping):
        return None
    return (answer.get("domainInfo") or answer.get("typeInfo") or {}).get("status")


def _deprecated(wanted: Registration) -> RegistrationRefused:
    return RegistrationRefused(
        f"The {wanted.kind.value} {wanted.name} is deprecated: SWF starts nothing of it. "
        "Undeprecate it, or use another name or version."
    )


def _missing(wanted: Registration, refusal: Exception, error: Exception) -> RegistrationRefused:
    return RegistrationRefused(
        f"The {wanted.kind.value} {wanted.name} could not be registered ({error_code(refusal)}) "
        f"nor found ({error_code(error) or error}). Register it, or permit this credential to."
    )


def _domain(name: str) -> Registration:
    request = {"name": name, "workflowExecutionRetentionPeriodInDays": RETENTION_DAYS}
    return Registration(Kind.DOMAIN, name, request, {"name": name})


def _workflow_type(flow: Any) -> Registration:
    defaults = {
        "defaultTaskList": {"name": flow.name},
        "defaultChildPolicy": "TERMINATE",
        "defaultTaskStartToCloseTimeout": limits.seconds(DECISION_SECONDS),
        "defaultExecutionStartToCloseTimeout": limits.seconds(EXECUTION_SECONDS),
    }
    return _type(Kind.WORKFLOW_TYPE, flow.domain, flow.name, usual.version(flow), defaults)


def _activity_type(each: activity.Activity, flow: Any) -> Registration:
    work, wait = runner.DEFAULT_TASK_TIMEOUT, activity.DEFAULT_ACTIVITY_SCHEDULE_TO_START
    defaults = {
        "defaultTaskList": {"name": each.task_list},
        "defaultTaskHeartbeatTimeout": limits.seconds(runner.DEFAULT_TASK_HEARTBEAT),
        "defaultTaskStartToCloseTimeout": limits.seconds(work),
        "defaultTaskScheduleToStartTimeout": limits.seconds(wait),
        "defaultTaskScheduleToCloseTimeout": limits.seconds(wait + work),
    }
    version = activity_version(each, flow)
    return _type(Kind.ACTIVITY_TYPE, flow.domain, str(each.name), version, defaults)


def _type(
    kind: Kind, domain: str, name: str, version: str, defaults: Mapping[str, Any]
) -> Registration:
    known_by = {"name": name, "version": version}
    request = {"domain": domain, **known_by, **defaults}
    member = "workflowType" if kind is Kind.WORKFLOW_TYPE else "activityType"
    return Registration(kind, f"{name} {version}", request, {"domain": domain, member: known_by})
