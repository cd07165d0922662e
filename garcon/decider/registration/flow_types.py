"""Registration of what a flow needs: its domain, its workflow type, its activity types.

Rules:

1. An existing type is used as it is. Credentials that may not register suffice if it exists.
2. A deprecated domain or type is refused: SWF would refuse every execution or activity of it.
3. Every other permanent error is raised as ``RegistrationRefused``. Transient ones are left to the
   caller, who calls again.
4. The registered defaults hold only where nothing else is given: a garcon decider gives all
   timeouts of an activity, and a start may give the workflow's.
"""

import enum
from collections.abc import Mapping
from typing import Any

import msgspec

from garcon import activity, runner
from garcon.aws import aws_errors, limits
from garcon.errors import GarconError
from garcon.flow import flow_attributes
from garcon.utils import error_code

# Days that SWF keeps a closed execution: the most it takes, for questions that come later.
RETENTION_DAYS = "90"
# Seconds for a decision. Deciding is quick; a decider that died is replaced after this.
DECISION_SECONDS = 60
# Seconds that an execution may last if its start gives no timeout. Long: to end work is worse.
EXECUTION_SECONDS = 30 * 24 * 3600

EXISTS = frozenset({"DomainAlreadyExistsFault", "TypeAlreadyExistsFault"})
FORBIDDEN = frozenset({"OperationNotPermittedFault", "AccessDeniedException", "AccessDenied"})
DEPRECATED = frozenset({"DomainDeprecatedFault", "TypeDeprecatedFault"})


class RegistrationRefused(GarconError):
    """SWF does not have something that the flow needs, and does not register it."""


class RegistrableKind(enum.Enum):
    """A kind of thing that can be registered."""

    DOMAIN = "domain"
    WORKFLOW_TYPE = "workflow type"
    ACTIVITY_TYPE = "activity type"


class Registration(msgspec.Struct, frozen=True):
    """A domain or type to register.

    Attributes:
        kind: Its kind.
        name: Its name, a type's with its version.
        request: The members of its register call.
        look_up: The members of its describe call.
    """

    kind: RegistrableKind
    name: str
    request: Mapping[str, Any]
    look_up: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}"


def registrations(flow: Any) -> list[Registration]:
    """All registrations that a flow needs, in the order in which SWF takes them.

    Args:
        flow: The flow, a module or any object.
    """
    types = [_activity_type(each, flow) for each in activity.find_workflow_activities(flow)]
    return [_domain(flow.domain), _workflow_type(flow), *types]


def register(client: Any, registration: Registration) -> bool:
    """Register a domain or type, unless it exists.

    Args:
        client: An SWF client.
        registration: The domain or type.

    Returns:
        Whether it is new.

    Raises:
        RegistrationRefused: It is deprecated, or may not be registered and does not exist.
        botocore.exceptions.BotoCoreError: SWF was not reached.
        botocore.exceptions.ClientError: SWF refused for another reason.
    """
    verb = registration.kind.name.lower()
    try:
        getattr(client, f"register_{verb}")(**registration.request)
    except Exception as error:
        code = error_code(error)
        if code in DEPRECATED:
            raise _deprecated(registration) from error
        if code not in EXISTS | FORBIDDEN:
            raise
        _ensure_usable(client, registration, error)
        return False
    return True


def _ensure_usable(client: Any, registration: Registration, refusal: Exception) -> None:
    exists = error_code(refusal) in EXISTS
    try:
        answer = getattr(client, f"describe_{registration.kind.name.lower()}")(
            **registration.look_up
        )
    except Exception as error:
        if exists and error_code(error) in FORBIDDEN:
            return  # it exists, and these credentials may not read whether it is deprecated
        if aws_errors.is_transient(error):
            raise
        raise _missing(registration, refusal, error) from error
    if _status(answer) == "DEPRECATED":
        raise _deprecated(registration)


def _status(answer: Any) -> Any:
    if not isinstance(answer, Mapping):
        return None
    return (answer.get("domainInfo") or answer.get("typeInfo") or {}).get("status")


def _deprecated(registration: Registration) -> RegistrationRefused:
    return RegistrationRefused(
        f"The {registration} is deprecated: SWF starts nothing of it. Undeprecate it, or use "
        "another name or version."
    )


def _missing(
    registration: Registration, refusal: Exception, error: Exception
) -> RegistrationRefused:
    return RegistrationRefused(
        f"The {registration} was neither registered ({error_code(refusal)}) nor found "
        f"({error_code(error) or error}). Register it, or let these credentials register it."
    )


def _domain(name: str) -> Registration:
    request = {"name": name, "workflowExecutionRetentionPeriodInDays": RETENTION_DAYS}
    return Registration(RegistrableKind.DOMAIN, name, request, {"name": name})


def _workflow_type(flow: Any) -> Registration:
    defaults = {
        "defaultTaskList": {"name": flow.name},
        "defaultChildPolicy": "TERMINATE",
        "defaultTaskStartToCloseTimeout": limits.seconds(DECISION_SECONDS),
        "defaultExecutionStartToCloseTimeout": limits.seconds(EXECUTION_SECONDS),
    }
    version = flow_attributes.version(flow)
    return _type(RegistrableKind.WORKFLOW_TYPE, flow.domain, flow.name, version, defaults)


def _activity_type(each: activity.Activity, flow: Any) -> Registration:
    work, wait = runner.DEFAULT_TASK_TIMEOUT, activity.DEFAULT_ACTIVITY_SCHEDULE_TO_START
    defaults = {
        "defaultTaskList": {"name": each.task_list},
        "defaultTaskHeartbeatTimeout": limits.seconds(runner.DEFAULT_TASK_HEARTBEAT),
        "defaultTaskStartToCloseTimeout": limits.seconds(work),
        "defaultTaskScheduleToStartTimeout": limits.seconds(wait),
        "defaultTaskScheduleToCloseTimeout": limits.seconds(wait + work),
    }
    version = flow_attributes.version(flow)
    return _type(RegistrableKind.ACTIVITY_TYPE, flow.domain, str(each.name), version, defaults)


def _type(
    kind: RegistrableKind, domain: str, name: str, version: str, defaults: Mapping[str, Any]
) -> Registration:
    id_ = {"name": name, "version": version}
    member = "workflowType" if kind is RegistrableKind.WORKFLOW_TYPE else "activityType"
    request = {"domain": domain, **id_, **defaults}
    return Registration(kind, f"{name} {version}", request, {"domain": domain, member: id_})
