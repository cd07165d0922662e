"""A world in miniature: applies a decider's decisions, with faults, until the execution closes.

It shows only what a decider sees. The local SWF is the full one; this is for simulated time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garcon.decider import DeciderWorker
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 300  # far more than any of the test's flows needs: reaching it means it spins


class Hang(AssertionError):
    """Nothing will ever happen again."""


class World:
    """One execution of a flow.

    Args:
        flow: The flow.
        choose: Picks one of several fates.
        faults: How many times something may go wrong.
    """

    def __init__(self, flow: Any, choose: Callable[[list[str]], str], faults: int) -> None:
        self.worker = DeciderWorker(flow, register=False)
        self.history = History({"n": 2})
        self.open: dict[str, str] = {}
        self.timers: set[str] = set()
        self.closed: str | None = None
        self.runs: dict[str, int] = {}
        self._choose = choose
        self._faults = faults

    def run(self) -> str:
        """Decide and let something happen, until the execution closes; how it closed."""
        for _ in range(TURNS):
            told = len(self.history.events)
            for decision in self.worker.decide(self.history.poll()):
                self._carry_out(decision)
            if self.closed:
                return self.closed
            if len(self.history.events) == told or not self._refused_since(told):
                self._happen()
        raise AssertionError(f"It spins: {TURNS} turns")

    def _refused_since(self, told: int) -> bool:
        # SWF gives a new decision task when a decision could not be carried out.
        return any(each["eventType"].endswith("Failed") for each in self.history.events[told:])

    def _fault(self, *kinds: str) -> str | None:
        kind = self._choose(["", *kinds]) if self._faults else ""
        self._faults -= bool(kind)
        return kind or None

    def _carry_out(self, decision: dict[str, Any]) -> None:
        kind = decision["decisionType"]
        member = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
        match kind:
            case "ScheduleActivityTask":
                self._schedule(decision[member])
            case "StartTimer":
                self._start_timer(decision[member])
            case "CompleteWorkflowExecution" | "FailWorkflowExecution":
                self._close(kind)
            case _:
                raise AssertionError(f"The world does not know {kind}")

    def _schedule(self, attributes: dict[str, Any]) -> None:
        name, id_ = attributes["activityType"]["name"], attributes["activityId"]
        assert id_ not in self.open, f"{id_} scheduled while it is open"
        if cause := self._fault(
            "OPEN_ACTIVITIES_LIMIT_EXCEEDED", "ACTIVITY_CREATION_RATE_EXCEEDED"
        ):
            self.history.refused(name, cause, id_)
            return
        self.history.scheduled(name, id_)
        self.open[id_] = name
        self.runs[id_] = self.runs.get(id_, 0) + 1

    def _start_timer(self, attributes: dict[str, Any]) -> None:
        timer = attributes["timerId"]
        assert timer not in self.timers, f"{timer} started while it runs"
        if self.open and (cause := self._fault("TIMER_CREATION_RATE_EXCEEDED")):
            self.history.timer_refused(cause, timer)
            return
        self.history.timer_started(timer)
        self.timers.add(timer)

    def _close(self, kind: str) -> None:
        if cause := self._fault("UNHANDLED_DECISION", "OPERATION_NOT_PERMITTED"):
            self.history.not_closed(cause, f"{kind}Failed")
            return
        self.closed = kind

    def _happen(self) -> None:
        possible = sorted(self.open) + sorted(self.timers)
        if not possible:
            raise Hang("Nothing is open.")
        what = self._choose(possible)
        if what in self.timers:
            self.timers.remove(what)
            self.history.timer_fired(what)
            return
        del self.open[what]
        end = self._fault("failed", "timed_out", "canceled")
        getattr(self.history, end or "completed")(what, *(() if end else ({what: 1},)))
