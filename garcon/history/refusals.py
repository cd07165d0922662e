"""SWF's refusals of decisions, and the waits that lift them.

Rules:

1. A transient refusal to begin something is held back until the wait timer fires. If SWF refuses
   the wait timer too, the next end of anything lifts it.
2. A refusal to close the execution blocks further attempts until the same moment.
3. A decision that SWF does not permit stays refused.
"""

from dataclasses import dataclass, field

from garcon.history.states import Refusable


@dataclass
class Refusals:
    """The refusals of one execution that are in force.

    Attributes:
        permanent: Decisions that SWF does not permit, and the causes.
        wait_timer: Why SWF did not start the wait timer at the last attempt; ``None`` if it did.
        closing: Number of times SWF refused to close the execution.
        closing_blocked: Whether it refused that since the last wait.
    """

    permanent: dict[str, str] = field(default_factory=dict)
    wait_timer: str | None = None
    closing: int = 0
    closing_blocked: bool = False
    _held_back: dict[str, Refusable] = field(default_factory=dict)

    @property
    def held_back(self) -> list[Refusable]:
        """Things that SWF refused to begin for a transient cause."""
        return list(self._held_back.values())

    def refuse(self, thing: Refusable, cause: str) -> None:
        """Take over that SWF did not begin it."""
        thing.refuse(cause)
        if thing.refusal and thing.refusal.transient:
            self._held_back[thing.what] = thing

    def refuse_closing(self) -> None:
        """Take over that SWF did not close the execution."""
        self.closing += 1
        self.closing_blocked = True

    def forget(self, thing: Refusable) -> None:
        """Take over that it has begun."""
        self._held_back.pop(thing.what, None)

    def lift(self) -> None:
        """Let everything that is held back be attempted again: the wait timer has fired."""
        self.closing_blocked = False
        for thing in self._held_back.values():
            thing.refusal = None
        self._held_back.clear()

    def lift_without_timer(self) -> None:
        """Take over that something ended: it lifts the refusals where there is no wait timer."""
        if self.wait_timer:
            self.wait_timer = None
            self.lift()
