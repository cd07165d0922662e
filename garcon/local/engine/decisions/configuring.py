"""What a decision's new execution will run with, or why it cannot begin.

In a deprecated domain nothing begins, not even of a type that was brought back; the model has no
cause for it but that of the types, which are deprecated with their domain.
"""

from garcon.local.engine.configuration import configure, first_missing
from garcon.local.engine.decisions.turn import Refused
from garcon.local.engine.entities import Configuration, Domain, TypeKey, TypeKind
from garcon.local.engine.messages import Body


def configuration(domain: Domain, key: TypeKey, request: Body) -> Configuration:
    """The settings of an execution of this type."""
    registered = domain.types[TypeKind.WORKFLOW].get(key)
    if registered is None:
        raise Refused("WORKFLOW_TYPE_DOES_NOT_EXIST")
    if domain.deprecated or registered.deprecated_at is not None:
        raise Refused("WORKFLOW_TYPE_DEPRECATED")
    if missing := first_missing(registered, request):
        raise Refused(missing.cause)
    return configure(registered, request)
