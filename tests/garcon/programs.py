"""Random flows: with requirements only, and with deciders that use every verb."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from garcon.retry import Retry
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

RETRIES = [0, 1, Retry(maximum=2, initial=5), Retry(maximum=1, unless=["HEARTBEAT"], deadline=0)]
CHILD = SimpleNamespace(domain="domain", name="other")


def _turns(number: int) -> Any:
    return [{"i": i} for i in range(number)]


def requiring(chance: Random) -> Any:
    """A flow of up to five activities, each of which may require earlier ones."""
    made: list[Any] = []
    for number in range(chance.randint(1, 5)):
        options = {
            "requires": [each for each in made if chance.random() < 1 / 3],
            "generators": chance.choice([[], [lambda c: _turns(c["n"])]]),
            "retry": chance.choice(RETRIES),
            "restartable": chance.random() < 1 / 2,
        }
        made.append(make(f"a{number}", **options))
    return flow(**{f"z{9 - number}": each for number, each in enumerate(made)})


VERBS = """activity many optional timer signal child child lambda marker effect version
    any all cancel cancel wait""".split()  # noqa: SIM905 - reads better


def speaking(chance: Random) -> Any:
    """A flow whose decider makes random statements."""
    one = make("one", retry=chance.choice(RETRIES), restartable=chance.random() < 1 / 2)
    many = make("many", generators=[lambda c: _turns(c["n"])])
    statements = [(chance.choice(VERBS), chance.randint(0, 3)) for _ in range(chance.randint(0, 9))]
    made = flow(a=one, b=many, errors=[], listens=set())
    program = Program(made, statements, chance.choice(["", "", "", "continue", "raise"]))
    made.decider = program.decide
    made.on_exception = lambda _, error: made.errors.append(error)
    if chance.random() < 1 / 2:
        made.on_cancel = program.on_cancel
    return made


class Program:
    """A decider that makes its statements one after the other."""

    def __init__(self, made: Any, statements: list[tuple[str, int]], ending: str) -> None:
        self.flow, self.statements, self.ending = made, statements, ending

    def decide(self, schedule: Any) -> None:
        """One run."""
        self.flow.listens = schedule.record.awaited_signals
        states: list[Any] = []
        for place, (verb, number) in enumerate(self.statements):
            state = self._say(schedule, states, verb, f"{place}", number)
            states += [] if state is None else [state]
        if self.ending == "continue":
            schedule.continue_as_new({"n": 2})
        if self.ending == "raise":
            raise ValueError("the end")

    def on_cancel(self, schedule: Any) -> None:
        """Cancel all, and tidy up."""
        self.flow.listens = schedule.record.awaited_signals
        schedule.cancel_all()
        schedule("tidy", self.flow.a, may_fail=True)

    def _say(self, schedule: Any, states: list[Any], verb: str, id_: str, number: int) -> Any:
        say: dict[str, Callable[[], Any]] = {
            "activity": lambda: schedule(id_, self.flow.a, input={"k": number}),
            "many": lambda: schedule(id_, self.flow.b, states[-number:] if number else None),
            "optional": lambda: schedule(id_, self.flow.a, may_fail=True),
            "timer": lambda: schedule.timer(id_, number),
            "signal": lambda: schedule.signal("go"),
            "child": lambda: schedule.child(id_, CHILD, {"n": 1}, may_fail=bool(number)),
            "lambda": lambda: schedule.lambda_(id_, "f", may_fail=bool(number)),
            "marker": lambda: schedule.marker("m", number),
            "effect": lambda: schedule.side_effect(lambda: number) * 0 or None,
            "version": lambda: schedule.version(id_, number) * 0 or None,
            "any": lambda: schedule.any_of(*states[-2:]),
            "all": lambda: schedule.all_of(*states[-2:]),
            "cancel": lambda: self._cancel(schedule, states),
            "wait": lambda: states[-1].wait() if states else None,
        }
        return say[verb]()

    def _cancel(self, schedule: Any, states: list[Any]) -> None:
        can = [each for each in states if getattr(each, "kind", "") in {"timer", "child workflow"}]
        schedule.cancel(*can[-1:], *[each for each in states if hasattr(each, "uses")][-1:])
