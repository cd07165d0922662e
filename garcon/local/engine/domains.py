"""Domains: the namespaces of everything else, and their tags.

- A domain is never deleted; a deprecated one keeps its name, and its running executions go on.
- "Deprecating a domain also deprecates all activity and workflow types registered in the domain."
  Undeprecating it does not undeprecate the types: the model names the domain alone.
- An ARN has the region that the request was signed for. The account has one set of domains, so a
  domain is found by its ARN in any region.
"""

import re

from garcon.local.engine.entities import Domain
from garcon.local.engine.faults import Fault, limit_exceeded, unknown, unknown_domain
from garcon.local.engine.messages import Body
from garcon.local.engine.paging import page_of_names
from garcon.local.engine.world import World

ARN = re.compile(r"arn:aws(-[a-z-]+)?:swf:[a-z0-9-]+:(?P<account>[0-9]{12}):/domain/(?P<domain>.+)")

PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""Partitions of ARNs other than "aws", by the beginning of the region."""


def find_domain(world: World, name: str) -> Domain:
    """The domain of this name, or UnknownResourceFault."""
    domain = world.domains.get(name)
    if domain is None:
        raise unknown_domain(name)
    return domain


def register_domain(world: World, params: Body) -> Body:
    """RegisterDomain: a name cannot be used twice, deprecated or not."""
    name = params["name"]
    if name in world.domains:
        raise Fault("DomainAlreadyExistsFault", name)
    if len(world.domains) >= world.settings.domains:
        raise limit_exceeded(f"The account holds {len(world.domains)} domains")
    tags = _tags({}, params.get("tags", []), world.settings.tags)
    retention = params["workflowExecutionRetentionPeriodInDays"]
    world.domains[name] = Domain(name, params.get("description", ""), retention, tags)
    return {}


def deprecate_domain(world: World, params: Body) -> Body:
    """DeprecateDomain: deprecates its types as well."""
    domain = find_domain(world, params["name"])
    if domain.deprecated:
        raise Fault("DomainDeprecatedFault", domain.name)
    domain.deprecated = True
    for types in domain.types.values():
        for registered in types.values():
            registered.deprecated_at = registered.deprecated_at or world.timestamp
    return {}


def undeprecate_domain(world: World, params: Body) -> Body:
    """UndeprecateDomain: a domain that is not deprecated "already exists"."""
    domain = find_domain(world, params["name"])
    if not domain.deprecated:
        raise Fault("DomainAlreadyExistsFault", domain.name)
    domain.deprecated = False
    return {}


def describe_domain(world: World, params: Body) -> Body:
    """DescribeDomain: the retention is the text of the registration."""
    domain = find_domain(world, params["name"])
    return {
        "domainInfo": info(world, domain),
        "configuration": {"workflowExecutionRetentionPeriodInDays": domain.retention_days},
    }


def info(world: World, domain: Domain) -> Body:
    """The model's DomainInfo."""
    body = {
        "name": domain.name,
        "status": "DEPRECATED" if domain.deprecated else "REGISTERED",
        "arn": arn(world, domain),
    }
    if domain.description:
        body["description"] = domain.description
    return body


def arn(world: World, domain: Domain) -> str:
    """The Amazon Resource Name, by which the tagging operations name a domain."""
    region, account = world.region, world.settings.account
    found = (name for prefix, name in PARTITIONS.items() if region.startswith(prefix))
    return f"arn:{next(found, 'aws')}:swf:{region}:{account}:/domain/{domain.name}"


def list_domains(world: World, params: Body) -> Body:
    """ListDomains: in ascending order of the name."""
    deprecated = params["registrationStatus"] == "DEPRECATED"
    names = {
        (name,): info(world, domain)
        for name, domain in world.domains.items()
        if domain.deprecated == deprecated
    }
    return page_of_names(world, params, "domainInfos", names, "domains")


def tag_resource(world: World, params: Body) -> Body:
    """TagResource: an existing key gets the new value."""
    domain = _by_arn(world, params["resourceArn"])
    domain.tags = _tags(domain.tags, params["tags"], world.settings.tags)
    return {}


def untag_resource(world: World, params: Body) -> Body:
    """UntagResource: an unknown key is ignored."""
    domain = _by_arn(world, params["resourceArn"])
    removed = set(params["tagKeys"])
    domain.tags = {key: value for key, value in domain.tags.items() if key not in removed}
    return {}


def list_tags(world: World, params: Body) -> Body:
    """ListTagsForResource: in the order of tagging."""
    tags = _by_arn(world, params["resourceArn"]).tags
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _by_arn(world: World, resource: str) -> Domain:
    parts = ARN.fullmatch(resource)
    domain = world.domains.get(parts["domain"]) if parts else None
    if parts is None or domain is None or parts["account"] != world.settings.account:
        raise unknown(f"resource: {resource}")
    return domain


def _tags(present: dict[str, str], new: list[Body], limit: int) -> dict[str, str]:
    added = {tag["key"]: tag.get("value", "") for tag in new}
    tags = present | added
    if len(tags) > limit:
        raise Fault("TooManyTagsFault", f"A domain may have {limit} tags, not {len(tags)}")
    return tags


OPERATIONS = {
    "RegisterDomain": register_domain,
    "DeprecateDomain": deprecate_domain,
    "UndeprecateDomain": undeprecate_domain,
    "DescribeDomain": describe_domain,
    "ListDomains": list_domains,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags,
}
