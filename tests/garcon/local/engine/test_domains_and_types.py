"""Domains, their tags, and the types in them."""

import pytest

from garcon.local.engine import Fault
from tests.garcon.local.engine.account import ACTIVITY, DOMAIN, START, WORKFLOW, Account, schedule

KINDS = {"Activity": ACTIVITY, "Workflow": WORKFLOW}
ARN = f"arn:aws:swf:us-east-1:000000000000:/domain/{DOMAIN}"


def code(account: Account, operation: str, **params: object) -> str:
    """The code with which a call is refused."""
    with pytest.raises(Fault) as caught:
        account.call(operation, **params)
    return caught.value.code


def register_domain(account: Account, name: str, **params: object) -> None:
    account.call("RegisterDomain", name=name, workflowExecutionRetentionPeriodInDays="1", **params)


def test_a_domain_is_described_as_it_was_registered() -> None:
    """The description has name, status, ARN, description and retention."""
    account = Account(bare=True)
    register_domain(account, DOMAIN, description="mine")
    assert account.call("DescribeDomain", name=DOMAIN) == {
        "domainInfo": {
            "name": DOMAIN,
            "status": "REGISTERED",
            "arn": ARN,
            "description": "mine",
        },
        "configuration": {"workflowExecutionRetentionPeriodInDays": "1"},
    }


def test_a_domain_name_is_used_once() -> None:
    """A second registration is refused, even if the first is deprecated."""
    account = Account()
    params = {"name": DOMAIN, "workflowExecutionRetentionPeriodInDays": "1"}
    assert code(account, "RegisterDomain", **params) == "DomainAlreadyExistsFault"
    account.call("DeprecateDomain", name=DOMAIN)
    assert code(account, "RegisterDomain", **params) == "DomainAlreadyExistsFault"


def test_a_domain_is_deprecated_and_undeprecated() -> None:
    """Deprecating twice, or undeprecating a domain in use, is refused."""
    account = Account()
    assert code(account, "UndeprecateDomain", name=DOMAIN) == "DomainAlreadyExistsFault"
    account.call("DeprecateDomain", name=DOMAIN)
    assert code(account, "DeprecateDomain", name=DOMAIN) == "DomainDeprecatedFault"
    account.call("UndeprecateDomain", name=DOMAIN)
    found = account.call("DescribeDomain", name=DOMAIN)
    assert found["domainInfo"]["status"] == "REGISTERED"


def test_deprecating_a_domain_deprecates_its_types() -> None:
    """It takes no starts and registrations; open executions go on."""
    account = Account()
    account.start()
    account.call("DeprecateDomain", name=DOMAIN)
    for kind, key in KINDS.items():
        found = account.call(f"Describe{kind}Type", domain=DOMAIN, **{f"{kind.lower()}Type": key})
        assert found["typeInfo"]["status"] == "DEPRECATED"
    new = {"domain": DOMAIN, "name": "new", "version": "1"}
    assert code(account, "RegisterActivityType", **new) == "UnknownResourceFault"
    start = {"domain": DOMAIN, "workflowId": "x", "workflowType": WORKFLOW}
    assert code(account, "StartWorkflowExecution", **start) == "UnknownResourceFault"
    account.decide()


def test_domains_are_listed_by_name_and_status() -> None:
    """The order is alphabetical or its reverse, page by page."""
    account = Account(bare=True)
    for name in ("b", "c", "a", "old"):
        register_domain(account, name)
    account.call("DeprecateDomain", name="old")

    def names(**params: object) -> list[str]:
        pages = account.pages(
            "ListDomains", registrationStatus="REGISTERED", maximumPageSize=2, **params
        )
        return [each["name"] for page in pages for each in page["domainInfos"]]

    assert names() == ["a", "b", "c"]
    assert names(reverseOrder=True) == ["c", "b", "a"]


def test_tags_are_added_replaced_listed_and_removed() -> None:
    """Tags are keys with one value each."""
    account = Account()
    tags = [{"key": "a", "value": "1"}, {"key": "b"}]
    account.call("TagResource", resourceArn=ARN, tags=tags)
    account.call("TagResource", resourceArn=ARN, tags=[{"key": "a", "value": "2"}])
    found = account.call("ListTagsForResource", resourceArn=ARN)["tags"]
    assert found == [{"key": "a", "value": "2"}, {"key": "b", "value": ""}]
    account.call("UntagResource", resourceArn=ARN, tagKeys=["a", "zzz"])
    assert account.call("ListTagsForResource", resourceArn=ARN)["tags"] == [
        {"key": "b", "value": ""}
    ]


def test_tags_have_a_limit_and_belong_to_a_domain() -> None:
    """One tag too many, and an ARN without a domain, are refused."""
    account = Account(tags=1)
    tags = [{"key": "a"}, {"key": "b"}]
    assert code(account, "TagResource", resourceArn=ARN, tags=tags) == "TooManyTagsFault"
    other = ARN + "x"
    assert code(account, "ListTagsForResource", resourceArn=other) == "UnknownResourceFault"


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_is_registered_once(kind: str) -> None:
    """A name and version cannot be used again, deprecated or not; another version can."""
    account, key = Account(), KINDS[kind]
    assert code(account, f"Register{kind}Type", domain=DOMAIN, **key) == "TypeAlreadyExistsFault"
    account.call(f"Register{kind}Type", domain=DOMAIN, name=key["name"], version="2.0")


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_is_deprecated_undeprecated_and_deleted(kind: str) -> None:
    """Each step is allowed once, in the right state, else refused with the model's fault."""
    account = Account()
    named = {"domain": DOMAIN, f"{kind.lower()}Type": KINDS[kind]}
    assert code(account, f"Undeprecate{kind}Type", **named) == "TypeAlreadyExistsFault"
    assert code(account, f"Delete{kind}Type", **named) == "TypeNotDeprecatedFault"
    account.call(f"Deprecate{kind}Type", **named)
    assert code(account, f"Deprecate{kind}Type", **named) == "TypeDeprecatedFault"
    account.call(f"Undeprecate{kind}Type", **named)
    account.call(f"Deprecate{kind}Type", **named)
    account.call(f"Delete{kind}Type", **named)
    for operation in ("Describe", "Deprecate", "Undeprecate", "Delete"):
        assert code(account, f"{operation}{kind}Type", **named) == "UnknownResourceFault"


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_is_described_with_the_defaults_of_its_registration(kind: str) -> None:
    """No default is added, and the dates are those of the calls."""
    account = Account()
    account.call(
        f"Register{kind}Type",
        domain=DOMAIN,
        name="n",
        version="v",
        description="d",
        defaultTaskPriority="7",
    )
    named = {"domain": DOMAIN, f"{kind.lower()}Type": {"name": "n", "version": "v"}}
    account.after(5)
    account.call(f"Deprecate{kind}Type", **named)
    assert account.call(f"Describe{kind}Type", **named) == {
        "typeInfo": {
            f"{kind.lower()}Type": {"name": "n", "version": "v"},
            "status": "DEPRECATED",
            "description": "d",
            "creationDate": START,
            "deprecationDate": START + 5,
        },
        "configuration": {"defaultTaskPriority": "7"},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_types_are_listed_by_name_and_version(kind: str) -> None:
    """In order, of one name if given, in pages that survive a deletion in between."""
    account = Account(bare=True)
    register_domain(account, DOMAIN)
    for name, version in (("b", "2"), ("b", "1"), ("a", "1"), ("c", "1")):
        account.call(f"Register{kind}Type", domain=DOMAIN, name=name, version=version)

    def shown(**params: object) -> tuple[list[str], str]:
        page = account.call(
            f"List{kind}Types", domain=DOMAIN, registrationStatus="REGISTERED", **params
        )
        keys = [each[f"{kind.lower()}Type"] for each in page["typeInfos"]]
        names = [key["name"] + key["version"] for key in keys]
        return names, page.get("nextPageToken", "")

    assert shown() == (["a1", "b1", "b2", "c1"], "")
    assert shown(reverseOrder=True) == (["c1", "b2", "b1", "a1"], "")
    assert shown(name="b") == (["b1", "b2"], "")
    first, token = shown(maximumPageSize=2)
    assert first == ["a1", "b1"]
    gone = {f"{kind.lower()}Type": {"name": "b", "version": "1"}}
    account.call(f"Deprecate{kind}Type", domain=DOMAIN, **gone)
    assert shown(maximumPageSize=2, nextPageToken=token) == (["b2", "c1"], "")


def test_deleting_an_activity_type_leaves_its_tasks_alone() -> None:
    """A scheduled task of a deleted type is polled and completed; a new one is refused."""
    account = Account()
    run = account.start()
    account.decide(schedule("one"))
    named = {"domain": DOMAIN, "activityType": ACTIVITY}
    account.call("DeprecateActivityType", **named)
    account.call("DeleteActivityType", **named)
    account.complete(account.poll_activity())
    account.decide(schedule("two"))
    cause = account.last(run, "ScheduleActivityTaskFailed")["cause"]
    assert cause == "ACTIVITY_TYPE_DOES_NOT_EXIST"


def test_domains_and_types_have_quotas() -> None:
    """One too many is refused with LimitExceededFault."""
    account = Account(domains=1, types=1)
    params = {"name": "x", "workflowExecutionRetentionPeriodInDays": "1"}
    assert code(account, "RegisterDomain", **params) == "LimitExceededFault"
    new = {"domain": DOMAIN, "name": "new", "version": "1"}
    assert code(account, "RegisterActivityType", **new) == "LimitExceededFault"
    assert code(account, "RegisterWorkflowType", **new) == "LimitExceededFault"


def test_a_missing_domain_or_type_is_unknown() -> None:
    """The messages name the domain or the type, as the service's do."""
    account = Account()
    with pytest.raises(Fault, match="Unknown domain: nowhere"):
        account.call("DescribeDomain", name="nowhere")
    expected = r"Unknown type: ActivityType=\[name=x, version=1\]"
    with pytest.raises(Fault, match=expected):
        account.call(
            "DescribeActivityType", domain=DOMAIN, activityType={"name": "x", "version": "1"}
        )


def test_a_type_keeps_the_date_of_its_own_deprecation() -> None:
    """Deprecating the domain later does not change it."""
    account = Account()
    account.call("DeprecateActivityType", domain=DOMAIN, activityType=ACTIVITY)
    account.after(5)
    account.call("DeprecateDomain", name=DOMAIN)
    kept = account.call("DescribeActivityType", domain=DOMAIN, activityType=ACTIVITY)
    new = account.call("DescribeWorkflowType", domain=DOMAIN, workflowType=WORKFLOW)
    assert kept["typeInfo"]["deprecationDate"] == START
    assert new["typeInfo"]["deprecationDate"] == START + 5
