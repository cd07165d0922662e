"""The types of a flow that SWF has already: one list for each kind, not a call for each type.

Rules:

1. Only usable types are listed. A deprecated one counts as missing, and the attempt to register it
   reports that it is deprecated.
2. A list is read page by page until every needed type was found.
3. For credentials that may not list, all types count as missing: registering finds out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from garcon.decider.pages import pages
from garcon.decider.registration.flow_types import (
    FORBIDDEN,
    RegistrableKind,
    Registration,
    registrations,
)
from garcon.utils import error_code

_LISTS = {
    RegistrableKind.WORKFLOW_TYPE: ("list_workflow_types", "workflowType"),
    RegistrableKind.ACTIVITY_TYPE: ("list_activity_types", "activityType"),
}


class MissingType(msgspec.Struct, frozen=True):
    """A domain or type that SWF does not have.

    Attributes:
        registration: The domain or type.
        versions: Versions of the type that SWF has; empty for a domain.
    """

    registration: Registration
    versions: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.versions:
            return str(self.registration)
        verb = "exist" if len(self.versions) > 1 else "exists"
        return f"{self.registration}; {', '.join(self.versions)} {verb}"


def missing(client: Any, flow: Any) -> list[MissingType]:
    """The domain and types that a flow needs and SWF does not have, in the order to register them.

    Args:
        client: An SWF client; ListDomains, ListWorkflowTypes and ListActivityTypes are called.
        flow: The flow, a module or any object.

    Raises:
        botocore.exceptions.BotoCoreError: SWF was not reached.
        botocore.exceptions.ClientError: SWF refused for another reason than a lack of permission.
    """
    needed = registrations(flow)
    try:
        if not _has_domain(client, flow.domain):
            return [MissingType(each) for each in needed]
        existing = {kind: _versions(client, flow.domain, kind, needed) for kind in _LISTS}
    except Exception as error:
        if error_code(error) not in FORBIDDEN:
            raise
        return [MissingType(each) for each in needed]
    found = (_if_missing(each, existing[each.kind]) for each in needed if each.kind in existing)
    return [each for each in found if each]


def _if_missing(
    registration: Registration, existing: Mapping[str, Collection[str]]
) -> MissingType | None:
    versions = existing.get(registration.request["name"], ())
    if registration.request["version"] in versions:
        return None
    return MissingType(registration, tuple(sorted(versions)))


def _has_domain(client: Any, name: str) -> bool:
    found = _list(client, "list_domains", "domainInfos", registrationStatus="REGISTERED")
    return any(each["name"] == name for each in found)


def _versions(
    client: Any, domain: str, kind: RegistrableKind, needed: list[Registration]
) -> dict[str, list[str]]:
    """The existing versions of the needed types, by name."""
    left = {(e.request["name"], e.request["version"]) for e in needed if e.kind is kind}
    names = {name for name, _ in left}
    operation, member = _LISTS[kind]
    request = {"domain": domain, "registrationStatus": "REGISTERED"}
    existing: defaultdict[str, list[str]] = defaultdict(list)
    for each in _list(client, operation, "typeInfos", **request):
        name, version = each[member]["name"], each[member]["version"]
        if name in names:
            existing[name].append(version)
            left.discard((name, version))
        if not left:
            break
    return existing


def _list(client: Any, operation: str, member: str, **request: Any) -> Iterator[Any]:
    call = getattr(client, operation)
    shown = pages(call(**request), lambda token: call(**request, nextPageToken=token))
    return (each for page in shown for each in page.get(member) or ())
