"""The working of one response to a decision task, as its decisions see it."""

from collections.abc import Callable
from dataclasses import dataclass

from garcon.errors import GarconError
from garcon.local.engine.entities import Execution
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.world import World


class Refused(GarconError):
    """A decision fails; the cause is one of the model's and goes into the …Failed event."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(slots=True)
class Turn:
    """One response.

    Attributes:
        completed_id: the DecisionTaskCompleted event that all its events refer to.
        unhandled: whether something has happened that the decider had not seen.
        eventful: whether its decisions led to something that calls for another decision task.
    """

    world: World
    execution: Execution
    completed_id: int
    unhandled: bool
    eventful: bool = False

    def record(self, event_type: str, attributes: Body) -> int:
        """Add an event that comes of a decision, and return its id."""
        return record(self.world, self.execution, event_type, self.referring(attributes))

    def later(self, effect: Callable[[], None]) -> None:
        """Let what the latest event announces happen after the turn.

        A full history has no room for the event; then nothing was announced.
        """
        if not self.execution.doomed:
            self.world.later(effect)

    def referring(self, attributes: Body) -> Body:
        """The attributes with the reference to the response."""
        return {**attributes, "decisionTaskCompletedEventId": self.completed_id}
