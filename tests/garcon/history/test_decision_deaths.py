"""Deaths of deciders in a history: their number, and whether the execution is parked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.decider import DeciderWorker
from garcon.history import decision_deaths
from garcon.history.decision_deaths import DecisionDeaths
from garcon.history.event_types import member_of
from garcon.history.reserved_timers import RETURN_TIMER
from garcon.local.replay import replay
from tests.garcon.fakes import FakeSwf, refusal
from tests.garcon.flows import flow, make
from tests.garcon.histories import History

PARKED = DecisionDeaths(3, "WorkerDied: exited 3", 60)
RESPOND = "respond_decision_task_completed"
HISTORY = "get_workflow_execution_history"


def answered(deaths: DecisionDeaths | None, history: History | None = None) -> History:
    """A history with an answer that carries these deaths."""
    history = history or History()
    started = history.add("DecisionTaskStarted", scheduledEventId=0)
    context = {"executionContext": str(deaths)} if deaths else {}
    number = history.add(
        "DecisionTaskCompleted", scheduledEventId=0, startedEventId=started, **context
    )
    if deaths:
        history.timer_started(RETURN_TIMER, str(deaths.parked))
        history.events[-1]["timerStartedEventAttributes"]["decisionTaskCompletedEventId"] = number
    return history


def parked(history: History) -> DecisionDeaths | None:
    """Whether a task at the end of this history is of a parked execution."""
    return decision_deaths.parked(reversed(history.events))


def test_deaths_are_read_as_they_were_written() -> None:
    """A note that the supervisor writes into a history is read by the next one."""
    assert decision_deaths.read(str(PARKED)) == PARKED


@pytest.mark.parametrize(
    "text", [None, "", "null", "[]", "x", '{"deaths": "3"}', '{"deaths": -1}', '{"deaths": true}']
)
def test_another_s_text_has_no_deaths(text: str | None) -> None:
    """``executionContext`` may hold anything."""
    assert decision_deaths.read(text) is None


def test_a_decider_s_own_answer_ends_the_row() -> None:
    """Only the latest answer has the number; without an answer it is unknown."""
    history = answered(PARKED)
    assert decision_deaths.latest(reversed(history.events)) == PARKED
    own = answered(None, history)
    assert decision_deaths.latest(reversed(own.events)) == DecisionDeaths(0, "")
    assert decision_deaths.latest(History().events) is None


def test_an_execution_is_parked_while_its_timer_runs() -> None:
    """A signal does not end that, the timer does; so does SWF, if it starts none."""
    history = answered(PARKED)
    history.add("WorkflowExecutionSignaled", signalName="hurry")
    assert parked(history) == PARKED
    history.timer_fired(RETURN_TIMER)
    assert parked(history) is None
    refused = answered(PARKED)
    refused.timer_refused("OPEN_TIMERS_LIMIT_EXCEEDED", RETURN_TIMER)
    assert parked(refused) is None
    assert parked(answered(DecisionDeaths(2, "x"))) is None


def returned(history: History, *, in_use: bool = False) -> History:
    """The history, with the answer of a task that was returned undecided."""
    answered(None, history)
    number = history.events[-1]["eventId"]
    if in_use:
        history.timer_refused("TIMER_ID_ALREADY_IN_USE", RETURN_TIMER)
    else:
        history.timer_started(RETURN_TIMER, "0")
    event = history.events[-1]
    event[member_of(event["eventType"])]["decisionTaskCompletedEventId"] = number
    return history


@given(st.lists(st.sampled_from(["died", "returned", "decided"]), max_size=12))
def test_only_a_decider_s_own_answer_ends_the_row(answers: list[str]) -> None:
    """Tasks that were returned undecided neither count nor start the count over."""
    history, deaths = History(), 0
    for answer in answers:
        if answer == "returned":
            returned(history)
            continue
        deaths = deaths + 1 if answer == "died" else 0
        answered(DecisionDeaths(deaths, "x") if deaths else None, history)
    known = decision_deaths.latest(reversed(history.events))
    assert (known.deaths if known else 0) == deaths


def test_a_return_does_not_end_the_parking() -> None:
    """Its timer has the id of the one that runs, so SWF refuses it."""
    assert parked(returned(answered(PARKED), in_use=True)) == PARKED


def paged(history: History) -> dict[str, Any]:
    """A task that comes with the first page of its history alone."""
    return history.poll(events=history.events[:2], nextPageToken="next")


def test_the_end_of_a_long_history_is_read_before_it_is_decided() -> None:
    """A decider that polls one list gets the oldest page first; one call finds the parking."""
    ran: list[int] = []
    made: Any = flow(a=make("a"), decider=lambda _schedule: ran.append(1))
    history = answered(PARKED)
    history.add("WorkflowExecutionSignaled", signalName="hurry")
    swf = made.client = FakeSwf().prepare(HISTORY, {"events": history.events[::-1]})
    worker = DeciderWorker(made, register=False)
    worker.respond("token", worker.decide(paged(history)))
    assert ran == []
    assert decision_deaths.read(swf.requests(RESPOND)[0]["executionContext"]) == PARKED
    assert swf.requests(HISTORY)[0]["reverseOrder"]


def test_old_events_prove_nothing() -> None:
    """SWF's copy may lag, and the timer have fired meanwhile: then the task is decided."""
    history = answered(PARKED)
    late = {"events": history.events[::-1]}
    history.timer_fired(RETURN_TIMER)
    made: Any = flow(a=make("a"))
    made.client = FakeSwf().prepare(HISTORY, late)
    worker = DeciderWorker(made, register=False)
    task = worker._tasks.as_polled(paged(history), None)
    assert not worker._tasks.skip_parked(task)
    made.client = worker.client = FakeSwf().prepare(HISTORY, refusal("AccessDeniedException"))
    assert not worker._tasks.skip_parked(task)


def test_a_decider_passes_a_parked_execution() -> None:
    """Its flow does not run; the answer has no decisions, and the deaths as before."""
    ran: list[int] = []
    made: Any = flow(a=make("a"), decider=lambda _schedule: ran.append(1))
    swf = FakeSwf()
    made.client = swf
    worker = DeciderWorker(made, register=False)
    history = answered(PARKED)
    history.add("WorkflowExecutionSignaled", signalName="hurry")
    worker.respond("token", worker.decide(history.poll()))
    (request,) = swf.requests(RESPOND)
    assert (request["decisions"], ran) == ([], [])
    assert decision_deaths.read(request["executionContext"]) == PARKED
    history.timer_fired(RETURN_TIMER)
    worker.decide(history.poll())
    assert ran == [1]


def test_returned_tasks_are_not_replayed() -> None:
    """No code decided them, so no code can differ from them."""
    assert replay(flow(a=make("a")), answered(PARKED).events) == []
