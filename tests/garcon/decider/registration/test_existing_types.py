"""The types of a flow that SWF has already."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from garcon import activity, decider
from garcon.decider.registration.flow_types import register
from tests.garcon.fakes import THROTTLED, FakeSwf, refusal
from tests.garcon.flows import flow, make, nothing

OTHER = activity.create(None, "domain", "flow", version="7")
THERE = {"domainInfos": [{"name": "other"}, {"name": "domain"}]}


def cafe(swf: Any) -> Any:
    """A flow of two activities, one made with a version that its type does not have."""
    return flow(swf, a=make("a"), b=OTHER(name="b", run=nothing))


def page(member: str, *types: tuple[str, str], token: str = "") -> dict[str, Any]:
    """A page of a list of types."""
    infos = [{member: {"name": name, "version": version}} for name, version in types]
    return {"typeInfos": infos, **({"nextPageToken": token} if token else {})}


def swf(*pages: dict[str, Any]) -> FakeSwf:
    """A fake SWF with the domain, the workflow type, and these pages of activity types."""
    fake = FakeSwf().prepare("list_domains", THERE)
    fake.prepare("list_workflow_types", page("workflowType", ("flow", "1.0")))
    return fake.prepare("list_activity_types", *pages)


def descriptions(fake: FakeSwf) -> list[str]:
    """The descriptions of the missing types."""
    return [str(each) for each in decider.missing(fake, cafe(fake))]


def test_existing_types_cost_three_calls() -> None:
    """One list for each kind is read, however many types the flow has."""
    fake = swf(page("activityType", ("flow_a", "1.0"), ("flow_b", "1.0")))
    assert descriptions(fake) == []
    assert fake.names == ["list_domains", "list_workflow_types", "list_activity_types"]
    assert fake.requests("list_activity_types") == [
        {"domain": "domain", "registrationStatus": "REGISTERED"}
    ]


def test_a_missing_type_is_described_with_its_existing_versions() -> None:
    """A new type has none; a new version of an old type names the old ones."""
    fake = swf(page("activityType", ("flow_b", "6"), ("flow_b", "5"), ("other_a", "1.0")))
    assert descriptions(fake) == [
        "activity type flow_a 1.0",
        "activity type flow_b 1.0; 5, 6 exist",
    ]


def test_a_list_is_read_to_its_end_for_a_missing_type() -> None:
    """Each page is requested by the token of the page before, with the same request."""
    first = page("activityType", ("flow_a", "1.0"), token="t")  # noqa: S106 - a page's
    fake = swf(first, page("activityType", ("flow_b", "6")))
    assert descriptions(fake) == ["activity type flow_b 1.0; 6 exists"]
    assert [each.get("nextPageToken") for each in fake.requests("list_activity_types")] == [
        None,
        "t",
    ]


def test_a_list_is_read_no_further_than_needed() -> None:
    """Reading stops at the last needed type: a domain may hold ten thousand others."""
    first = page("activityType", ("flow_a", "1.0"), ("flow_b", "1.0"), token="t")  # noqa: S106 - same
    fake = swf(first, page("activityType"))
    assert descriptions(fake) == []
    assert len(fake.requests("list_activity_types")) == 1


def test_without_the_domain_everything_is_missing() -> None:
    """No types are listed: a missing domain has none."""
    fake = FakeSwf().prepare("list_domains", {"domainInfos": [{"name": "other"}]})
    assert descriptions(fake) == [
        "domain domain",
        "workflow type flow 1.0",
        "activity type flow_a 1.0",
        "activity type flow_b 1.0",
    ]
    assert fake.names == ["list_domains"]


@pytest.mark.parametrize("operation", ["list_domains", "list_activity_types"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "OperationNotPermittedFault"])
def test_without_permission_to_list_everything_counts_as_missing(operation: str, code: str) -> None:
    """Registering finds out which types exist."""
    fake = FakeSwf()
    if operation != "list_domains":
        fake = swf()
    assert len(descriptions(fake.prepare(operation, refusal(code)))) == 4


def test_other_errors_of_listing_are_raised() -> None:
    """The caller retries or reports them."""
    fake = FakeSwf().prepare("list_domains", refusal(THROTTLED))
    with pytest.raises(ClientError):
        descriptions(fake)


def test_register_returns_whether_the_type_is_new() -> None:
    """A type that another process registered meanwhile is not new, and not an error."""
    fake = FakeSwf().prepare("register_domain", {}, refusal("DomainAlreadyExistsFault"))
    domain = decider.registrations(cafe(fake))[0]
    assert register(fake, domain)
    assert not register(fake, domain)
