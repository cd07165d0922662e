"""The registrar registers missing types, and reports them or the refusal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims, client
from supervisor.child.flow_loader import Flow
from supervisor.child.jobs import registrar
from supervisor.child.shutdown import Shutdown
from supervisor.exit_codes import USAGE
from supervisor.ipc import channel, messages
from supervisor.ipc.messages import FlowRefused, Registered
from tests.garcon.fakes import THROTTLED, FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DOMAIN = {"domainInfos": [{"name": "domain"}]}
WORKFLOW = {"typeInfos": [{"workflowType": {"name": "flow", "version": "1.0"}}]}


def activities(*names: str) -> dict[str, Any]:
    """A list of activity types, all of version 1.0."""
    return {"typeInfos": [{"activityType": {"name": each, "version": "1.0"}} for each in names]}


def registration(
    swf: FakeSwf,
    names: Sequence[str] = ("a",),
    *,
    types: bool = True,
    may_register_domain: bool = True,
) -> Any:
    """The message that the supervisor receives."""
    target = flow(swf, **{each: make(each) for each in names})
    ours, theirs = channel.pair()
    with client.use(swf), Shutdown(theirs) as shutdown:
        served = Flow(target, "domain", "flow", "1.0", {}, may_register_domain)
        assert registrar.register(served, 5, shutdown, types=types) == 0
    message = ours.receive()
    ours.close()
    theirs.close()
    return message


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoffs end at once."""
    monkeypatch.setattr(Shutdown, "wait", lambda _self, _seconds: True)


def test_only_missing_types_are_registered() -> None:
    """Of two activity types the missing one is registered and reported."""
    swf = FakeSwf().prepare("list_domains", DOMAIN).prepare("list_workflow_types", WORKFLOW)
    swf.prepare("list_activity_types", activities("flow_a"))
    assert registration(swf, ("a", "b")) == Registered(5, ("activity type flow_b 1.0",))
    assert [each["name"] for each in swf.requests("register_activity_type")] == ["flow_b"]
    assert [each for each in swf.names if each.startswith("register")] == ["register_activity_type"]


def test_a_type_that_another_host_registers_meanwhile_is_not_new() -> None:
    """A type registered between the list and the call is not reported."""
    swf = FakeSwf().prepare("list_domains", DOMAIN).prepare("list_workflow_types", WORKFLOW)
    swf.prepare("register_activity_type", refusal("TypeAlreadyExistsFault"))
    assert registration(swf) == Registered(5, ())


def test_a_deprecated_type_is_refused() -> None:
    """A deprecated type is in no list of usable types and cannot be registered: exit code 2."""
    swf = FakeSwf().prepare("list_domains", DOMAIN).prepare("list_workflow_types", WORKFLOW)
    swf.prepare("register_activity_type", refusal("TypeDeprecatedFault"))
    message = registration(swf)
    assert isinstance(message, FlowRefused)
    assert (message.worker, message.code) == (5, USAGE)
    assert "flow_a 1.0 is deprecated" in message.why


def test_a_throttle_is_waited_out() -> None:
    """A throttled list call is retried like a throttled registration."""
    swf = FakeSwf().prepare("list_domains", refusal(THROTTLED), DOMAIN)
    swf.prepare("list_workflow_types", WORKFLOW)
    swf.prepare("list_activity_types", activities("flow_a"))
    assert registration(swf) == Registered(5, ())
    assert swf.names.count("list_domains") == 2


def test_a_throttle_is_waited_out_for_longer_than_a_hiccup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hosts of a fleet that start at once share few calls: each has to wait, none to fail."""
    monkeypatch.setattr(registrar, "REGISTER_SECONDS", 0.0)
    swf = FakeSwf().prepare("list_domains", *[refusal(THROTTLED)] * 9, DOMAIN)
    swf.prepare("list_workflow_types", WORKFLOW)
    swf.prepare("list_activity_types", activities("flow_a"))
    assert registration(swf) == Registered(5, ())


def test_of_a_hundred_new_types_fifty_are_named() -> None:
    """The message of a large first registration still fits the channel."""
    swf = FakeSwf()
    message = registration(swf, [f"a{n}" for n in range(100)])
    assert isinstance(message, Registered)
    assert len(message.new) == registrar.NAMED_TYPES + 1
    assert message.new[-1] == "and 52 more"  # the domain and the workflow type are new, too
    assert len(messages.encode(message)) < channel.PACKET_BYTES


def test_without_deciders_only_the_domain_is_checked() -> None:
    """A role without permission to list and register types can still run activities."""
    swf = FakeSwf()
    assert registration(swf, types=False) == Registered(5, ())
    assert swf.names == ["describe_domain", "list_open_workflow_executions"]


CLAIM = json.dumps({claims.CLAIM: "0" * 64, "characters": 40_000})


def started(workflow_input: str) -> dict[str, Any]:
    """The history of an execution with this input."""
    members = {"input": workflow_input}
    event = {
        "eventId": 1,
        "eventType": "WorkflowExecutionStarted",
        "workflowExecutionStartedEventAttributes": members,
    }
    return {"events": [event]}


def with_open(*inputs: str) -> FakeSwf:
    """A domain with the flow's types, and with open executions that have these inputs."""
    infos = [{"execution": {"workflowId": f"order-{n}", "runId": "r"}} for n in range(len(inputs))]
    return (
        FakeSwf()
        .prepare("list_open_workflow_executions", {"executionInfos": infos})
        .prepare("get_workflow_execution_history", *map(started, inputs))
    )


@pytest.mark.parametrize("types", [True, False])
def test_a_host_without_the_claim_store_of_open_executions_is_refused(*, types: bool) -> None:
    """The sentence names execution and setting: the host's tasks would all be returned."""
    message = registration(with_open("{}", CLAIM), types=types)
    assert isinstance(message, FlowRefused)
    assert message.code == USAGE
    assert message.why.startswith("The open execution order-1 of flow holds a claim")
    assert "set --claims (GARCON_CLAIMS)" in message.why


def test_a_host_with_a_claim_store_examines_no_executions(tmp_path: Path) -> None:
    """It costs calls, so only a host without one looks."""
    claims.configure(f"file:{tmp_path}")
    try:
        swf = with_open(CLAIM)
        assert registration(swf, types=False) == Registered(5, ())
    finally:
        claims.configure(None)
    assert swf.names == ["describe_domain"]


@pytest.mark.parametrize("inputs", [(), ("{}",), ('{"a": "garcon.claim"}',)])
def test_executions_without_claims_need_no_store(inputs: tuple[str, ...]) -> None:
    """Neither does a flow without open executions, nor a text that only mentions claims."""
    assert registration(with_open(*inputs), types=False) == Registered(5, ())


def test_a_host_that_may_not_list_executions_starts() -> None:
    """Its credentials may be those of a worker only."""
    swf = FakeSwf().prepare("list_open_workflow_executions", refusal("AccessDeniedException"))
    assert registration(swf, types=False) == Registered(5, ())


def test_a_domain_of_a_setting_has_to_exist() -> None:
    """A domain that the flow does not name is neither registered nor are its types."""
    swf = FakeSwf().prepare("describe_domain", refusal("UnknownResourceFault"))
    message = registration(swf, may_register_domain=False)
    assert isinstance(message, FlowRefused)
    assert message.code == USAGE
    assert "SWF has no domain domain. Correct --domain (GARCON_DOMAIN), or" in message.why
    assert "--register-domain" in message.why
    assert not [each for each in swf.names if each.startswith("register")]


def test_types_are_registered_in_a_domain_of_a_setting() -> None:
    """It exists: only the types are new."""
    swf = FakeSwf().prepare("list_domains", DOMAIN)
    message = registration(swf, may_register_domain=False)
    assert message == Registered(5, ("workflow type flow 1.0", "activity type flow_a 1.0"))
