"""Activity types and workflow types: registered, deprecated, undeprecated, deleted.

- A type never changes; another configuration needs another version.
- The operations on both kinds differ by one word, so each rule is written once and bound to a kind
  in the table at the end.
- In a deprecated domain no type can be registered. The model names no fault for it; the nearest is
  a resource "no longer available for this operation", the unknown resource.
"""

from collections.abc import Callable, Iterable
from functools import partial

from garcon.local.engine.domains import find_domain
from garcon.local.engine.entities import Domain, RegisteredType, TypeKey, TypeKind
from garcon.local.engine.faults import Fault, limit_exceeded, unknown, unknown_domain
from garcon.local.engine.messages import Body
from garcon.local.engine.paging import page_of_names
from garcon.local.engine.wire import pick
from garcon.local.engine.world import World

DEFAULTS = {
    TypeKind.ACTIVITY: (
        "defaultTaskStartToCloseTimeout",
        "defaultTaskHeartbeatTimeout",
        "defaultTaskList",
        "defaultTaskPriority",
        "defaultTaskScheduleToStartTimeout",
        "defaultTaskScheduleToCloseTimeout",
    ),
    TypeKind.WORKFLOW: (
        "defaultTaskStartToCloseTimeout",
        "defaultExecutionStartToCloseTimeout",
        "defaultTaskList",
        "defaultTaskPriority",
        "defaultChildPolicy",
        "defaultLambdaRole",
    ),
}


def member(kind: TypeKind) -> str:
    """The member that holds a type of this kind: activityType, workflowType."""
    return f"{kind.value.lower()}Type"


def describe_key(kind: TypeKind, key: TypeKey) -> str:
    """A type in the form of the service's messages."""
    return f"{kind.value}Type=[name={key.name}, version={key.version}]"


def find_type(domain: Domain, kind: TypeKind, wire: Body) -> RegisteredType:
    """The type of this name and version, or UnknownResourceFault."""
    key = TypeKey(wire["name"], wire["version"])
    found = domain.types[kind].get(key)
    if found is None:
        raise unknown(f"type: {describe_key(kind, key)}")
    return found


def register(kind: TypeKind, world: World, params: Body) -> Body:
    """Register…Type: a name and version cannot be used twice, deprecated or not."""
    domain = find_domain(world, params["domain"])
    if domain.deprecated:
        raise unknown_domain(domain.name)
    key = TypeKey(params["name"], params["version"])
    types = domain.types[kind]
    if key in types:
        raise Fault("TypeAlreadyExistsFault", describe_key(kind, key))
    if len(types) >= world.settings.types:
        raise limit_exceeded(f"Domain {domain.name} holds {len(types)} {kind.value} types")
    defaults = pick(params, *DEFAULTS[kind])
    types[key] = RegisteredType(key, defaults, world.timestamp, params.get("description", ""))
    return {}


def deprecate(kind: TypeKind, world: World, params: Body) -> Body:
    """Deprecate…Type: no new executions or tasks of this type; open ones go on."""
    found = find_type(find_domain(world, params["domain"]), kind, params[member(kind)])
    if found.deprecated_at is not None:
        raise Fault("TypeDeprecatedFault", describe_key(kind, found.key))
    found.deprecated_at = world.timestamp
    return {}


def undeprecate(kind: TypeKind, world: World, params: Body) -> Body:
    """Undeprecate…Type: a type that is not deprecated "already exists"."""
    found = find_type(find_domain(world, params["domain"]), kind, params[member(kind)])
    if found.deprecated_at is None:
        raise Fault("TypeAlreadyExistsFault", describe_key(kind, found.key))
    found.deprecated_at = None
    return {}


def delete(kind: TypeKind, world: World, params: Body) -> Body:
    """Delete…Type: for deprecated types; the name may be registered again."""
    domain = find_domain(world, params["domain"])
    found = find_type(domain, kind, params[member(kind)])
    if found.deprecated_at is None:
        raise Fault("TypeNotDeprecatedFault", describe_key(kind, found.key))
    del domain.types[kind][found.key]
    return {}


def describe(kind: TypeKind, world: World, params: Body) -> Body:
    """Describe…Type: the configuration holds the members of the registration, no others."""
    found = find_type(find_domain(world, params["domain"]), kind, params[member(kind)])
    return {"typeInfo": info(kind, found), "configuration": found.defaults}


def info(kind: TypeKind, found: RegisteredType) -> Body:
    """The model's ActivityTypeInfo or WorkflowTypeInfo."""
    body = {
        member(kind): found.key.wire(),
        "status": "REGISTERED" if found.deprecated_at is None else "DEPRECATED",
        "creationDate": found.created_at,
    }
    if found.description:
        body["description"] = found.description
    if found.deprecated_at is not None:
        body["deprecationDate"] = found.deprecated_at
    return body


def list_types(kind: TypeKind, world: World, params: Body) -> Body:
    """List…Types: in ascending order of the name, then of the version."""
    domain = find_domain(world, params["domain"])
    names = {key: info(kind, found) for key, found in _matching(domain, kind, params)}
    purpose = f"types {kind.value} {domain.name}"
    return page_of_names(world, params, "typeInfos", names, purpose)


def _matching(
    domain: Domain, kind: TypeKind, params: Body
) -> Iterable[tuple[TypeKey, RegisteredType]]:
    deprecated = params["registrationStatus"] == "DEPRECATED"
    for key, found in domain.types[kind].items():
        if params.get("name") not in (None, key.name):
            continue
        if (found.deprecated_at is not None) == deprecated:
            yield key, found


def _bind(
    rule: Callable[[TypeKind, World, Body], Body], kind: TypeKind
) -> Callable[[World, Body], Body]:
    return partial(rule, kind)


OPERATIONS = {
    f"{verb}{kind.value}{'Types' if verb == 'List' else 'Type'}": _bind(rule, kind)
    for verb, rule in {
        "Register": register,
        "Deprecate": deprecate,
        "Undeprecate": undeprecate,
        "Delete": delete,
        "Describe": describe,
        "List": list_types,
    }.items()
    for kind in TypeKind
}
