"""The registrar registers what is missing, and says what was new or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon import client
from supervisor import channel, messages, registrar
from supervisor.exits import USAGE
from supervisor.flow import Flow
from supervisor.leaving import Leaving
from supervisor.messages import Refused, Registered
from tests.garcon.fakes import THROTTLED, FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Sequence

DOMAIN = {"domainInfos": [{"name": "domain"}]}
WORKFLOW = {"typeInfos": [{"workflowType": {"name": "flow", "version": "1.0"}}]}


def activities(*names: str) -> dict[str, Any]:
    """A list of activity types, all of version 1.0."""
    return {"typeInfos": [{"activityType": {"name": each, "version": "1.0"}} for each in names]}


def errand(swf: FakeSwf, names: Sequence[str] = ("a",), *, types: bool = True) -> Any:
    """What the supervisor hears."""
    target = flow(swf, **{each: make(each) for each in names})
    ours, theirs = channel.pair()
    with client.use(swf), Leaving(theirs) as leaving:
        served = Flow(target, "domain", "flow", "1.0", {})
        assert registrar.register(served, 5, leaving, types=types) == 0
    heard = ours.hear()
    ours.close()
    theirs.close()
    return heard


@pytest.fixture(autouse=True)
def no_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr(Leaving, "rest", lambda _self, _seconds: True)


def test_only_what_is_missing_is_registered() -> None:
    """One of two activity types, and that one is told."""
    swf = FakeSwf().prepare("list_domains", DOMAIN).prepare("list_workflow_types", WORKFLOW)
    swf.prepare("list_activity_types", activities("flow_a"))
    assert errand(swf, ("a", "b")) == Registered(5, ("activity type flow_b 1.0",))
    assert [each["name"] for each in swf.requests("register_activity_type")] == ["flow_b"]
    assert [each for each in swf.names if each.startswith("register")] == ["register_activity_type"]


def test_what_another_host_registers_meanwhile_is_not_new() -> None:
    """Between the list and the call somebody was quicker: that is as good."""
    swf = FakeSwf().prepare("list_domains", DOMAIN).prepare("list_workflow_types", WORKFLOW)
    swf.prepare("register_activity_type", refusal("TypeAlreadyExistsFault"))
    assert errand(swf) == Registered(5, ())


def test_a_deprecated_type_is_refused() -> None:
    """It is in no list of usable types, and cannot be registered."""
    swf = FakeSwf().prepare("list_domains", DOMAIN).prepare("list_workflow_types", WORKFLOW)
    swf.prepare("register_activity_type", refusal("TypeDeprecatedFault"))
    heard = errand(swf)
    assert isinstance(heard, Refused)
    assert (heard.worker, heard.code) == (5, USAGE)
    assert "flow_a 1.0 is deprecated" in heard.why


def test_a_throttle_is_waited_out() -> None:
    """Listing is tried again like registering."""
    swf = FakeSwf().prepare("list_domains", refusal(THROTTLED), DOMAIN)
    swf.prepare("list_workflow_types", WORKFLOW)
    swf.prepare("list_activity_types", activities("flow_a"))
    assert errand(swf) == Registered(5, ())
    assert swf.names.count("list_domains") == 2


def test_of_a_hundred_new_types_fifty_are_told() -> None:
    """A first registration is no news, and a line has an end."""
    swf = FakeSwf()
    heard = errand(swf, [f"a{n}" for n in range(100)])
    assert isinstance(heard, Registered)
    assert len(heard.new) == registrar.TOLD + 1
    assert heard.new[-1] == "and 52 more"  # the domain and the workflow type are new, too
    assert len(messages.encode(heard)) < channel.PACKET_BYTES


def test_without_deciders_only_the_domain_is_looked_for() -> None:
    """Who may not list and register may still work."""
    swf = FakeSwf()
    assert errand(swf, types=False) == Registered(5, ())
    assert swf.names == ["describe_domain"]
