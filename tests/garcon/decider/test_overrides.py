"""Subclasses that override the documented methods of ``DeciderWorker``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon import activity
from garcon import client as clients
from garcon import decider as decider_module
from garcon.decider import DeciderWorker, Sticky
from garcon.decider.nondeterminism import NonDeterminism
from garcon.decider.overrides import takes_identity
from garcon.local import LocalSWF
from tests.garcon.decider.sticky_deciders import OneAtATime, chain, count, waiting
from tests.garcon.fakes import FakeSwf
from tests.garcon.flows import flow, kinds, make, reason, scheduled
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable

POLL = "poll_for_decision_task"
RESPOND = "respond_decision_task_completed"
DOCUMENTED = [
    "get_history",
    "get_activity_states",
    "create_decisions_from_flow",
    "delegate_decisions",
]


def spying(calls: list[str], *names: str) -> type[DeciderWorker]:
    """A subclass whose methods of these names note that they were called."""

    def spy(name: str) -> Callable[..., Any]:
        def method(self: DeciderWorker, *args: Any, **options: Any) -> Any:
            calls.append(name)
            return getattr(DeciderWorker, name)(self, *args, **options)

        return method

    return type("Spying", (DeciderWorker,), {name: spy(name) for name in names})


def decide(worker: DeciderWorker, history: History | None = None) -> list[dict[str, Any]]:
    """The decisions after a history."""
    return worker.decide((history or History()).poll())


@pytest.mark.parametrize("sticky", [False, True])
def test_run_calls_all_overridden_methods(sticky: bool) -> None:  # noqa: FBT001 - parametrized
    """In the order of the released ``run``; the rest of ``run`` is unchanged."""
    calls: list[str] = []
    swf = FakeSwf().prepare(POLL, History().poll(), History().poll())
    made = flow(swf, a=make("a"))
    worker = spying(calls, *DOCUMENTED)(made, register=False, sticky=sticky)
    assert worker.run()
    assert calls == ["get_history", "get_activity_states", "create_decisions_from_flow"]
    made.decider = lambda schedule: schedule("x", made.a)
    calls.clear()
    assert worker.run()
    assert calls == ["get_history", "get_activity_states", "delegate_decisions"]
    first, second = swf.requests(RESPOND)
    assert scheduled(first["decisions"]) == ["flow_a-1"]
    assert scheduled(second["decisions"]) == ["flow_a-1-x"]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_method_can_be_overridden_alone(name: str) -> None:
    """By a subclass, on the object, and in a patched class."""
    made = flow(a=make("a"))
    if name == "delegate_decisions":
        made.decider = lambda schedule: schedule("x", made.a)
    calls: list[str] = []
    expected = decide(DeciderWorker(made, register=False))
    assert decide(spying(calls, name)(made, register=False)) == expected
    assert calls == [name]


def test_an_object_s_method_may_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of users do so, and patch the class as well."""
    worker = DeciderWorker(flow(a=make("a")), register=False)
    decision = decider_module.complete_workflow()
    add: Callable[..., None] = lambda decisions, *_: decisions.append(decision)  # noqa: E731
    monkeypatch.setattr(worker, "create_decisions_from_flow", add)
    assert decide(worker) == [decision]
    monkeypatch.undo()
    assert scheduled(decide(worker)) == ["flow_a-1"]
    patched = lambda self, *args: add(*args)  # noqa: E731
    monkeypatch.setattr(DeciderWorker, "create_decisions_from_flow", patched)
    assert decide(worker) == [decision]


def test_get_history_is_called_in_the_form_that_it_has() -> None:
    """As documented with the poll's answer, as in 1.1.1 with the identity before it."""
    seen: list[Any] = []

    class Documented(DeciderWorker):
        def get_history(self, poll: Any) -> Any:  # type: ignore[override]
            seen.append(poll["taskToken"])
            return super().get_history(poll)

    class Released(DeciderWorker):
        def get_history(self, identity: Any, poll: Any) -> Any:  # type: ignore[override]
            seen.append((identity, poll["taskToken"]))
            return super().get_history(identity, poll)

    for kind in (Documented, Released):
        made = kind(flow(a=make("a")), register=False)
        assert scheduled(made.decide(History().poll(), "me")) == ["flow_a-1"]
    assert seen == ["token", ("me", "token")]


def test_the_form_of_get_history_is_read_from_its_signature() -> None:
    """Further parameters with defaults do not make a documented form a released one."""
    assert not takes_identity(lambda poll: poll)
    assert not takes_identity(lambda poll, size=5: poll)
    assert takes_identity(lambda identity, poll: poll)
    assert takes_identity(lambda identity, poll=None: poll)
    assert takes_identity(lambda *args: args)


def test_an_overridden_history_is_decided_as_it_is() -> None:
    """Even if it is shorter than SWF's: the override may leave events out."""
    history = History()
    history.scheduled("flow_a")

    class Filter(DeciderWorker):
        def get_history(self, poll: Any) -> Any:  # type: ignore[override]
            return [each for each in super().get_history(poll) if each["eventId"] < 2]

    made = Filter(flow(a=make("a")), register=False)
    assert scheduled(decide(made, history)) == ["flow_a-1"]


def test_overridden_states_are_decided_from() -> None:
    """A subclass may know of a completion that the history does not show."""

    class Knowing(DeciderWorker):
        def get_activity_states(self, history: Any) -> Any:
            states = super().get_activity_states(history)
            states.setdefault("flow_a", {})["flow_a-1"] = state = activity.ActivityState("flow_a-1")
            state.add_state(activity.ACTIVITY_COMPLETED)
            return states

    first = make("a")
    made = Knowing(flow(a=first, b=make("b", requires=[first])), register=False)
    assert scheduled(decide(made)) == ["flow_b-1"]


def test_a_custom_decider_keeps_its_timers_and_signals() -> None:
    """``delegate_decisions`` receives states and context alone, and still knows the history."""
    history = History()
    history.timer_started("tea")

    def decider(schedule: Any) -> None:
        schedule.timer("tea", 180).wait()

    worker = spying([], "delegate_decisions")(flow(a=make("a"), decider=decider), register=False)
    assert decide(worker, history) == []
    history.timer_fired("tea")
    assert kinds(decide(worker, history)) == ["CompleteWorkflowExecution"]


@pytest.mark.parametrize("name", ["get_activity_states", "create_decisions_from_flow"])
def test_an_error_of_an_override_fails_the_workflow(name: str) -> None:
    """Like any error of the flow's code; it is reported once."""
    errors: list[Exception] = []
    error = ValueError("overridden")

    def method(self: Any, *args: Any) -> Any:
        raise error

    made = flow(a=make("a"), on_exception=lambda _, error: errors.append(error))
    worker: DeciderWorker = type("Failing", (DeciderWorker,), {name: method})(made, register=False)
    assert reason(decide(worker)) == "overridden"
    assert errors == [error]


def test_an_error_of_the_flow_is_reported_once_where_a_method_is_overridden() -> None:
    """The overridden method and ``run`` both catch what the flow raises."""
    errors: list[Exception] = []

    def decider(schedule: Any) -> None:
        raise ValueError("flow")

    made = flow(a=make("a"), decider=decider, on_exception=lambda _, error: errors.append(error))
    assert reason(decide(spying([], "delegate_decisions")(made, register=False))) == "flow"
    assert len(errors) == 1


def test_a_truncated_history_is_not_decided_where_other_methods_are_overridden() -> None:
    """An override of the decisions does not lift the protection of the reading."""
    poll = History().poll()
    poll["startedEventId"] = 5
    worker = spying([], "create_decisions_from_flow")(flow(a=make("a")), register=False)
    assert worker.decide(poll) == decider_module.return_task()


def test_an_overriding_class_is_protected_against_non_determinism() -> None:
    """A running activity that the flow no longer has holds the decisions back, as without it."""
    errors: list[Exception] = []
    history = History()
    history.scheduled("flow_old")
    made = flow(a=make("new"), on_exception=lambda _, error: errors.append(error))
    for names in (["create_decisions_from_flow"], ["get_activity_states"]):
        assert kinds(decide(spying([], *names)(made, register=False), history)) == ["StartTimer"]
    assert [type(each) for each in errors] == [NonDeterminism, NonDeterminism]


def test_an_overriding_class_runs_a_flow_and_keeps_no_state() -> None:
    """Sticky or not, each task is decided from its whole history, on the flow's own list."""
    calls: list[str] = []
    with LocalSWF() as swf, clients.use(swf.client()):
        made = chain(3)
        worker = spying(calls, "create_decisions_from_flow")(made, sticky=Sticky(check=0))
        worker._tasks.polls = OneAtATime(swf)  # type: ignore[assignment]
        client: Any = swf.client()
        client.start_workflow_execution(
            domain="domain", workflowId="w", workflowType={"name": "flow", "version": "1.0"}
        )
        for _ in range(20):
            swf.advance(0.002)
            if "flow" in waiting(swf, "decision"):
                worker.run()
            for each in activity.find_workflow_activities(made):
                if each.task_list in waiting(swf, "activity"):
                    each.run()
        history = swf.history("w")
    assert history[-1]["eventType"] == "WorkflowExecutionCompleted"
    assert count(history, "ActivityTaskCompleted") == 3
    assert len(calls) == 4
    assert len(worker._tasks.histories) == 0
