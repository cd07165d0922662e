"""One response to a decision task, the context of its decisions.

In a deprecated domain no execution begins, even of a type that was undeprecated; the model has no
cause for it but that of the types, which are deprecated with their domain.
"""

from collections.abc import Callable
from dataclasses import dataclass

from garcon.errors import GarconError
from garcon.local.engine.configuration import configure, first_missing
from garcon.local.engine.entities import Configuration, ExecutionRecord, TypeKey, TypeKind
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.world import World


class DecisionRefused(GarconError):
    """A decision fails; the cause is one of the model's, for the …Failed event."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(slots=True)
class DecisionTurn:
    """One response.

    Attributes:
        completed_id: the DecisionTaskCompleted event that all its events refer to.
        unhandled: whether there are events that the decider has not seen.
        needs_decision: whether its decisions led to events that need another decision task.
    """

    world: World
    execution: ExecutionRecord
    completed_id: int
    unhandled: bool
    needs_decision: bool = False

    def record(self, event_type: str, attributes: Body) -> int:
        """Add an event of a decision and return its id."""
        return record(self.world, self.execution, event_type, self.referring(attributes))

    def later(self, effect: Callable[[], None]) -> None:
        """Run the effect that the latest event announces after the response.

        A full history has no room for the event; then nothing was announced and nothing runs.
        """
        if not self.execution.history_full:
            self.world.later(effect)

    def referring(self, attributes: Body) -> Body:
        """The attributes with the reference to the response."""
        return {**attributes, "decisionTaskCompletedEventId": self.completed_id}

    def configuration(self, key: TypeKey, request: Body) -> Configuration:
        """The settings of a new execution of this type.

        Raises:
            DecisionRefused: the type is unknown or deprecated, or a setting is missing.
        """
        domain = self.execution.domain
        registered = domain.types[TypeKind.WORKFLOW].get(key)
        if registered is None:
            raise DecisionRefused("WORKFLOW_TYPE_DOES_NOT_EXIST")
        if domain.deprecated or registered.deprecated_at is not None:
            raise DecisionRefused("WORKFLOW_TYPE_DEPRECATED")
        if missing := first_missing(registered, request):
            raise DecisionRefused(missing.cause)
        return configure(registered, request)
