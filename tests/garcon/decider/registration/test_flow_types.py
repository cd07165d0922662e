"""Registration of a flow."""

from __future__ import annotations

from typing import Any

import pytest

from garcon import activity, decider
from garcon.decider import DeciderWorker, RegistrableKind, RegistrationRefused
from tests.garcon.fakes import THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make, nothing

OTHER = activity.create(None, "domain", "flow", version="7")


def cafe(swf: Any, **members: Any) -> Any:
    """A flow of two activities, one made with a version that its type does not have."""
    return flow(swf, a=make("a"), b=OTHER(name="b", run=nothing), **members)


def test_registrations_are_in_swf_s_order() -> None:
    """The domain comes first; an activity type has the flow's version, whatever ``create`` had."""
    found = decider.registrations(cafe(None, version="2.0"))
    assert [(each.kind, each.name) for each in found] == [
        (RegistrableKind.DOMAIN, "domain"),
        (RegistrableKind.WORKFLOW_TYPE, "flow 2.0"),
        (RegistrableKind.ACTIVITY_TYPE, "flow_a 2.0"),
        (RegistrableKind.ACTIVITY_TYPE, "flow_b 2.0"),
    ]
    assert found[1].request["defaultTaskList"] == {"name": "flow"}
    assert found[2].request["defaultTaskList"] == {"name": "flow_a"}


def test_a_flow_without_version_is_1_0() -> None:
    """A flow without a version is registered with the documented default."""
    assert decider.registrations(flow())[1].request["version"] == "1.0"


def test_a_decider_registers_when_it_is_made() -> None:
    """A decider registers its flow at its construction, except with ``register=False``."""
    swf = FakeSwf()
    DeciderWorker(cafe(swf), register=False)
    assert swf.calls == []
    DeciderWorker(cafe(swf))
    assert swf.names == [
        "register_domain",
        "register_workflow_type",
        "register_activity_type",
        "register_activity_type",
    ]


def test_existing_types_are_used() -> None:
    """A second start registers nothing new, and checks that nothing is deprecated."""
    swf = FakeSwf()
    swf.prepare("register_domain", refusal("DomainAlreadyExistsFault"))
    swf.prepare("register_workflow_type", refusal("TypeAlreadyExistsFault"))
    swf.prepare("describe_workflow_type", {"typeInfo": {"status": "REGISTERED"}})
    DeciderWorker(cafe(swf))
    assert {"describe_domain", "describe_workflow_type"} <= set(swf.names)
    assert swf.names.count("register_workflow_type") == 1


def test_without_permission_to_register_existing_types_suffice() -> None:
    """Production credentials often may not register."""
    swf = FakeSwf()
    swf.prepare("register_domain", refusal("OperationNotPermittedFault"))
    swf.prepare("register_workflow_type", refusal("AccessDeniedException"))
    DeciderWorker(cafe(swf))
    assert {"describe_domain", "describe_workflow_type"} <= set(swf.names)


def test_without_permission_to_describe_an_existing_type_is_used() -> None:
    """SWF's answer that the type exists is enough."""
    swf = FakeSwf()
    swf.prepare("register_domain", refusal("DomainAlreadyExistsFault"))
    swf.prepare("describe_domain", refusal("AccessDeniedException"))
    DeciderWorker(cafe(swf))
    assert swf.names[:3] == ["register_domain", "describe_domain", "register_workflow_type"]


@pytest.mark.parametrize("looked", ["UnknownResourceFault", "AccessDeniedException"])
def test_a_type_neither_registered_nor_found_is_refused(looked: str) -> None:
    """The sentence names the type that is missing or cannot be described."""
    swf = FakeSwf()
    swf.prepare("register_workflow_type", refusal("OperationNotPermittedFault"))
    swf.prepare("describe_workflow_type", refusal(looked))
    with pytest.raises(RegistrationRefused, match=r"workflow type flow 1\.0"):
        DeciderWorker(cafe(swf))


@pytest.mark.parametrize(
    ("register", "describe"),
    [
        (refusal("TypeAlreadyExistsFault"), {"typeInfo": {"status": "DEPRECATED"}}),
        (refusal("TypeDeprecatedFault"), {}),
    ],
)
def test_deprecated_types_are_refused(register: Any, describe: Any) -> None:
    """A deprecated type is refused at the start: SWF would refuse each of its activities."""
    swf = FakeSwf()
    swf.prepare("register_activity_type", register)
    swf.prepare("describe_activity_type", describe)
    with pytest.raises(RegistrationRefused, match=r"flow_a 1\.0 is deprecated"):
        DeciderWorker(cafe(swf))


def test_other_refusals_are_raised() -> None:
    """Every other refusal is raised with the failed call and its cause."""
    swf = FakeSwf().prepare("register_domain", refusal("LimitExceededFault", "100 domains"))
    worker = DeciderWorker(cafe(swf), register=False)
    worker.clock = FakeClock().clock
    swf.prepare("register_domain", *[refusal("LimitExceededFault", "100 domains")] * 50)
    with pytest.raises(RegistrationRefused, match=r"egistering the domain domain .*100 domains"):
        worker.register()


def test_a_refusal_after_the_last_attempt_promises_no_other() -> None:
    """The sentence of the final error does not announce another attempt."""
    swf = FakeSwf()
    worker = DeciderWorker(cafe(swf), register=False)
    worker.clock = FakeClock().clock
    swf.prepare("register_domain", *[refusal(THROTTLED)] * 50)
    with pytest.raises(RegistrationRefused, match="ThrottlingException") as caught:
        worker.register()
    assert "again" not in str(caught.value)


@pytest.mark.parametrize("first", ["TypeAlreadyExistsFault", "OperationNotPermittedFault"])
def test_a_transient_error_of_describing_is_retried(first: str) -> None:
    """A throttled describe call does not count as a missing type."""
    swf = FakeSwf()
    swf.prepare("register_workflow_type", refusal(first), refusal(first))
    swf.prepare("describe_workflow_type", refusal(THROTTLED), {})
    worker = DeciderWorker(cafe(swf), register=False)
    worker.clock = FakeClock().clock
    worker.register()
    assert swf.names.count("describe_workflow_type") == 2


def test_a_domain_keeps_closed_executions_for_90_days() -> None:
    """The retention is the longest that SWF takes."""
    domain = decider.registrations(cafe(None))[0]
    assert domain.request["workflowExecutionRetentionPeriodInDays"] == "90"


def test_throttled_registrations_are_retried() -> None:
    """A busy account delays a start and does not fail it."""
    swf = FakeSwf().prepare("register_domain", *[refusal(THROTTLED)] * 3)
    worker = DeciderWorker(cafe(swf), register=False)
    worker.clock = FakeClock().clock
    worker.register()
    assert swf.names.count("register_domain") == 4
