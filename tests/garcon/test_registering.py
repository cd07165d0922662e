"""Registering a flow."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from garcon import activity, decider
from garcon.decider import DeciderWorker, Kind, RegistrationRefused
from tests.garcon.fakes import THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make, nothing

OTHER = activity.create(None, "domain", "flow", version="7")


def cafe(swf: Any, **members: Any) -> Any:
    """A flow of two activities, one with a version of its own."""
    return flow(swf, a=make("a"), b=OTHER(name="b", run=nothing), **members)


def test_all_that_a_flow_needs_is_listed_in_order() -> None:
    """The domain first, then its types; activity types have the flow's version or their own."""
    wanted = decider.registration(cafe(None, version="2.0"))
    assert [(each.kind, each.name) for each in wanted] == [
        (Kind.DOMAIN, "domain"),
        (Kind.WORKFLOW_TYPE, "flow 2.0"),
        (Kind.ACTIVITY_TYPE, "flow_a 2.0"),
        (Kind.ACTIVITY_TYPE, "flow_b 7"),
    ]
    assert wanted[1].request["defaultTaskList"] == {"name": "flow"}
    assert wanted[2].request["defaultTaskList"] == {"name": "flow_a"}


def test_a_flow_without_version_is_1_0() -> None:
    """The documented default."""
    assert decider.registration(flow())[1].request["version"] == "1.0"


def test_a_decider_registers_when_it_is_made() -> None:
    """Unless it is told not to."""
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


def test_what_exists_is_fine() -> None:
    """A second start registers nothing new, and sees that nothing is deprecated."""
    swf = FakeSwf()
    swf.prepare("register_domain", refusal("DomainAlreadyExistsFault"))
    swf.prepare("register_workflow_type", refusal("TypeAlreadyExistsFault"))
    swf.prepare("describe_workflow_type", {"typeInfo": {"status": "REGISTERED"}})
    DeciderWorker(cafe(swf))
    assert {"describe_domain", "describe_workflow_type"} <= set(swf.names)
    assert swf.names.count("register_workflow_type") == 1


def test_who_may_not_register_may_work_with_what_is_there() -> None:
    """Production credentials often may not register."""
    swf = FakeSwf()
    swf.prepare("register_domain", refusal("OperationNotPermittedFault"))
    swf.prepare("register_workflow_type", refusal("AccessDeniedException"))
    DeciderWorker(cafe(swf))
    assert {"describe_domain", "describe_workflow_type"} <= set(swf.names)


def test_who_may_not_even_look_believes_that_it_exists() -> None:
    """Already exists is enough where looking is not permitted."""
    swf = FakeSwf()
    swf.prepare("register_domain", refusal("DomainAlreadyExistsFault"))
    swf.prepare("describe_domain", refusal("AccessDeniedException"))
    DeciderWorker(cafe(swf))
    assert swf.names[:3] == ["register_domain", "describe_domain", "register_workflow_type"]


@pytest.mark.parametrize("looked", ["UnknownResourceFault", "AccessDeniedException"])
def test_not_permitted_and_not_seen_is_refused(looked: str) -> None:
    """The sentence names what is missing, or cannot even be looked for."""
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
    """SWF would refuse every activity of it, one by one."""
    swf = FakeSwf()
    swf.prepare("register_activity_type", register)
    swf.prepare("describe_activity_type", describe)
    with pytest.raises(RegistrationRefused, match=r"flow_a 1\.0 is deprecated"):
        DeciderWorker(cafe(swf))


def test_nothing_else_is_swallowed() -> None:
    """Any other refusal is a sentence, with what failed and why."""
    swf = FakeSwf().prepare("register_domain", refusal("LimitExceededFault", "100 domains"))
    worker = DeciderWorker(cafe(swf), register=False)
    worker.clock = FakeClock().clock
    swf.prepare("register_domain", *[refusal("LimitExceededFault", "100 domains")] * 50)
    with pytest.raises(RegistrationRefused, match=r"egistering the domain domain .*100 domains"):
        worker.register()


def test_who_hears_of_a_refusal_is_not_told_that_it_is_tried_again() -> None:
    """Registering was insisted on, and nobody goes on with it after the error."""
    swf = FakeSwf()
    worker = DeciderWorker(cafe(swf), register=False)
    worker.clock = FakeClock().clock
    swf.prepare("register_domain", *[refusal(THROTTLED)] * 50)
    with pytest.raises(RegistrationRefused, match="ThrottlingException") as caught:
        worker.register()
    assert "again" not in str(caught.value)


@pytest.mark.parametrize("first", ["TypeAlreadyExistsFault", "OperationNotPermittedFault"])
def test_a_passing_trouble_while_looking_is_no_refusal(first: str) -> None:
    """Whether it is there is asked again, like everything that a throttle delayed."""
    swf = FakeSwf()
    swf.prepare("register_workflow_type", refusal(first), refusal(first))
    swf.prepare("describe_workflow_type", refusal(THROTTLED), {})
    worker = DeciderWorker(cafe(swf), register=False)
    worker.clock = FakeClock().clock
    worker.register()
    assert swf.names.count("describe_workflow_type") == 2


def test_the_function_is_not_shadowed_by_its_module() -> None:
    """Whichever is imported first."""
    assert callable(importlib.import_module("garcon.decider").registration)
    importlib.import_module("garcon.decider.registering")
    assert callable(decider.registration)


def test_a_domain_keeps_closed_executions_for_90_days() -> None:
    """As many as SWF takes."""
    domain = decider.registration(cafe(None))[0]
    assert domain.request["workflowExecutionRetentionPeriodInDays"] == "90"


def test_throttles_are_waited_for() -> None:
    """A busy account delays a start and does not fail it."""
    swf = FakeSwf().prepare("register_domain", *[refusal(THROTTLED)] * 3)
    worker = DeciderWorker(cafe(swf), register=False)
    worker.clock = FakeClock().clock
    worker.register()
    assert swf.names.count("register_domain") == 4
