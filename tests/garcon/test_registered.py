"""What of a flow is registered already."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from garcon import activity, decider
from garcon.decider.registering import register
from tests.garcon.fakes import THROTTLED, FakeSwf, refusal
from tests.garcon.flows import flow, make, nothing

OTHER = activity.create(None, "domain", "flow", version="7")
THERE = {"domainInfos": [{"name": "other"}, {"name": "domain"}]}


def cafe(swf: Any) -> Any:
    """A flow of two activities, one with a version of its own."""
    return flow(swf, a=make("a"), b=OTHER(name="b", run=nothing))


def page(member: str, *types: tuple[str, str], token: str = "") -> dict[str, Any]:
    """A page of a list of types."""
    infos = [{member: {"name": name, "version": version}} for name, version in types]
    return {"typeInfos": infos, **({"nextPageToken": token} if token else {})}


def swf(*pages: dict[str, Any]) -> FakeSwf:
    """An SWF with the domain, the workflow type, and these pages of activity types."""
    fake = FakeSwf().prepare("list_domains", THERE)
    fake.prepare("list_workflow_types", page("workflowType", ("flow", "1.0")))
    return fake.prepare("list_activity_types", *pages)


def told(fake: FakeSwf) -> list[str]:
    """What is missing, in words."""
    return [str(each) for each in decider.missing(fake, cafe(fake))]


def test_what_is_there_is_not_missing_and_costs_three_calls() -> None:
    """One a kind, however many types the flow has."""
    fake = swf(page("activityType", ("flow_a", "1.0"), ("flow_b", "7")))
    assert told(fake) == []
    assert fake.names == ["list_domains", "list_workflow_types", "list_activity_types"]
    assert fake.requests("list_activity_types") == [
        {"domain": "domain", "registrationStatus": "REGISTERED"}
    ]


def test_what_is_missing_is_told_with_the_versions_that_are_there() -> None:
    """A new type, and a new version of an old one."""
    fake = swf(page("activityType", ("flow_b", "6"), ("flow_b", "5"), ("other_a", "1.0")))
    assert told(fake) == ["activity type flow_a 1.0", "activity type flow_b 7; 5, 6 are there"]


def test_a_list_is_read_to_its_end_for_what_is_missing() -> None:
    """Pages follow one another by their tokens, with the same request."""
    first = page("activityType", ("flow_a", "1.0"), token="t")  # noqa: S106 - a page's
    fake = swf(first, page("activityType", ("flow_b", "6")))
    assert told(fake) == ["activity type flow_b 7; 6 is there"]
    assert [each.get("nextPageToken") for each in fake.requests("list_activity_types")] == [
        None,
        "t",
    ]


def test_a_list_is_read_no_further_than_needed() -> None:
    """A domain may hold ten thousand types of others."""
    first = page("activityType", ("flow_a", "1.0"), ("flow_b", "7"), token="t")  # noqa: S106 - same
    fake = swf(first, page("activityType"))
    assert told(fake) == []
    assert len(fake.requests("list_activity_types")) == 1


def test_without_the_domain_all_is_missing() -> None:
    """Nothing else is asked: there is nothing to list."""
    fake = FakeSwf().prepare("list_domains", {"domainInfos": [{"name": "other"}]})
    assert told(fake) == [
        "domain domain",
        "workflow type flow 1.0",
        "activity type flow_a 1.0",
        "activity type flow_b 7",
    ]
    assert fake.names == ["list_domains"]


@pytest.mark.parametrize("operation", ["list_domains", "list_activity_types"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "OperationNotPermittedFault"])
def test_who_may_not_list_has_to_try(operation: str, code: str) -> None:
    """All may be missing, as far as they know."""
    fake = FakeSwf()
    if operation != "list_domains":
        fake = swf()
    assert len(told(fake.prepare(operation, refusal(code)))) == 4


def test_other_troubles_are_not_swallowed() -> None:
    """Whoever calls tries again, or says why not."""
    fake = FakeSwf().prepare("list_domains", refusal(THROTTLED))
    with pytest.raises(ClientError):
        told(fake)


def test_registering_tells_whether_it_was_new() -> None:
    """What somebody else has registered meanwhile is as good, and not new."""
    fake = FakeSwf().prepare("register_domain", {}, refusal("DomainAlreadyExistsFault"))
    domain = decider.registration(cafe(fake))[0]
    assert register(fake, domain)
    assert not register(fake, domain)
