"""What of a flow is registered already: listed once a kind, instead of asked for one by one.

Rules:

1. Listed is what can be used. What is deprecated is not in the lists, so it counts as missing, and
   the try to register it says that it is deprecated (``registering``).
2. A list is read page by page until all that is wanted was seen.
3. Whoever may not list is told that all may be missing: registering finds out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from garcon.decider.pages import pages
from garcon.decider.registering import FORBIDDEN, Kind, Registration, registration
from garcon.utils import error_code

_LISTS = {
    Kind.WORKFLOW_TYPE: ("list_workflow_types", "workflowType"),
    Kind.ACTIVITY_TYPE: ("list_activity_types", "activityType"),
}


@dataclass(frozen=True)
class Missing:
    """Something that is not there.

    Attributes:
        wanted: What it is.
        versions: Versions of it that are there; none of a domain.
    """

    wanted: Registration
    versions: tuple[str, ...] = ()

    def __str__(self) -> str:
        there = ", ".join(self.versions)
        told = f"; {there} {'are' if len(self.versions) > 1 else 'is'} there" if there else ""
        return f"{self.wanted.kind.value} {self.wanted.name}{told}"


def missing(client: Any, flow: Any) -> list[Missing]:
    """What a flow needs and SWF does not have, in the order in which SWF takes it.

    Args:
        client: An SWF client; ListDomains, ListWorkflowTypes and ListActivityTypes are called.
        flow: The flow, a module or any object.

    Raises:
        botocore.exceptions.BotoCoreError: SWF was not reached.
        botocore.exceptions.ClientError: SWF refused for another reason than a lack of permission.
    """
    wanted = registration(flow)
    try:
        if not _has_domain(client, flow.domain):
            return [Missing(each) for each in wanted]
        there = {kind: _versions(client, flow.domain, kind, wanted) for kind in _LISTS}
    except Exception as error:
        if error_code(error) not in FORBIDDEN:
            raise
        return [Missing(each) for each in wanted]
    found = (_compared(each, there[each.kind]) for each in wanted if each.kind in there)
    return [each for each in found if each]


def _compared(wanted: Registration, there: Mapping[str, Collection[str]]) -> Missing | None:
    versions = there.get(wanted.request["name"], ())
    if wanted.request["version"] in versions:
        return None
    return Missing(wanted, tuple(sorted(versions)))


def _has_domain(client: Any, name: str) -> bool:
    found = _listed(client, "list_domains", "domainInfos", registrationStatus="REGISTERED")
    return any(each["name"] == name for each in found)


def _versions(
    client: Any, domain: str, kind: Kind, wanted: list[Registration]
) -> dict[str, list[str]]:
    """The versions of the wanted types that are there, by name."""
    left = {(e.request["name"], e.request["version"]) for e in wanted if e.kind is kind}
    names = {name for name, _ in left}
    operation, member = _LISTS[kind]
    asked = {"domain": domain, "registrationStatus": "REGISTERED"}
    there: defaultdict[str, list[str]] = defaultdict(list)
    for each in _listed(client, operation, "typeInfos", **asked):
        name, version = each[member]["name"], each[member]["version"]
        if name in names:
            there[name].append(version)
            left.discard((name, version))
        if not left:
            break
    return there


def _listed(client: Any, operation: str, member: str, **asked: Any) -> Iterator[Any]:
    call = getattr(client, operation)
    shown = pages(call(**asked), lambda token: call(**asked, nextPageToken=token))
    return (each for page in shown for each in page.get(member) or ())
