"""The decider worker: its decisions after a history, and its steps."""

from __future__ import annotations

import types
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from garcon import activity, runner
from garcon import decider as decider_module
from garcon.decider import DeciderWorker
from tests.garcon.fakes import GONE, THROTTLED, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, kinds, make, reason, scheduled
from tests.garcon.histories import History

POLL = "poll_for_decision_task"
RESPOND = "respond_decision_task_completed"


def worker(flow_object: Any) -> DeciderWorker:
    """A decider whose clock advances only when it waits."""
    made = DeciderWorker(flow_object, register=False)
    made.clock = made.poll_backoff.clock = FakeClock().clock
    return made


def slept(made: DeciderWorker) -> list[float]:
    """The waits of a decider."""
    fake: Any = made.clock.now.__self__  # type: ignore[attr-defined]
    rests: list[float] = fake.slept
    return rests


def decide(flow_object: Any, history: History | None = None) -> list[dict[str, Any]]:
    """The decisions after a history."""
    return worker(flow_object).decide((history or History()).poll())


def two(**options: Any) -> Any:
    """A flow of two activities, the second after the first."""
    first = make("first", **options)
    return flow(a=first, b=make("second", requires=[first]), on_exception=MagicMock())


def test_a_flow_goes_from_its_first_activity_to_completion() -> None:
    """An activity is scheduled once its requirements completed; then the workflow completes."""
    history = History()
    assert scheduled(decide(two(), history)) == ["flow_first-1"]
    history.scheduled("flow_first")
    assert decide(two(), history) == []
    history.completed("flow_first-1")
    assert scheduled(decide(two(), history)) == ["flow_second-1"]
    history.scheduled("flow_second")
    history.completed("flow_second-1")
    assert kinds(decide(two(), history)) == ["CompleteWorkflowExecution"]


def test_activities_are_scheduled_in_the_flow_s_version_or_their_own() -> None:
    """The version of the decision is the registered one."""
    flow_object = flow(a=make("a"), version="3")
    (decision,) = decide(flow_object)
    activity_type = decision["scheduleActivityTaskDecisionAttributes"]["activityType"]
    assert activity_type == {"name": "flow_a", "version": "3"}


def test_activities_receive_the_ids_of_their_execution() -> None:
    """The input has domain, workflow id and run id beside results and workflow input."""
    history = History({"dish": "soup"})
    flow_object = flow(a=make("a", run=runner.Sync(lambda context: context)))
    (decision,) = decide(flow_object, history)
    text = decision["scheduleActivityTaskDecisionAttributes"]["input"]
    for part in ('"dish": "soup"', '"execution.workflow_id": "workflow"', '"domain"', '"run"'):
        assert part in text


def test_exhausted_retries_fail_the_workflow(caplog: pytest.LogCaptureFixture) -> None:
    """The documented reason goes on with activity, attempts and cause; the handler is called."""
    flow_object, history = two(retry=1), History()
    for why in ("one", "two"):
        history.scheduled("flow_first")
        history.failed("flow_first-1", why)
    decisions = decide(flow_object, history)
    assert reason(decisions) == (
        "The activity failures has exceeded its retry limit. "
        "flow_first-1 failed after 2 attempts: two"
    )
    assert "one; two" in decisions[0]["failWorkflowExecutionDecisionAttributes"]["details"]
    flow_object.on_exception.assert_called_once()
    assert caplog.records[0].exc_info


def test_a_long_cause_is_cut_in_the_reason_and_complete_in_the_details() -> None:
    """SWF takes 256 characters of reason; the rest of an activity's reason is not lost."""
    history, why = History(), "x" * 250
    history.scheduled("flow_first")
    history.failed("flow_first-1", why)
    decisions = decide(two(), history)
    assert len(reason(decisions)) == 255
    assert "flow_first-1 failed after 1 attempt: xxx" in reason(decisions)
    assert why in decisions[0]["failWorkflowExecutionDecisionAttributes"]["details"]


def test_a_retry_within_its_limit_is_scheduled_again() -> None:
    """The id stays the same, which SWF allows once the earlier attempt is closed."""
    history = History()
    history.scheduled("flow_first")
    history.timed_out("flow_first-1", "START_TO_CLOSE")
    assert scheduled(decide(two(retry=1), history)) == ["flow_first-1"]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (lambda history: history.canceled("flow_first-1"), "cancelled"),
        (lambda history: history.timed_out("flow_first-1"), "retry limit"),
    ],
)
def test_ended_activities_do_not_hang_the_workflow(event: Any, text: str) -> None:
    """A timed-out or cancelled activity fails the workflow."""
    history = History()
    history.scheduled("flow_first")
    event(history)
    assert text in reason(decide(two(), history))


def test_refused_activities_do_not_hang_the_workflow() -> None:
    """An unregistered type fails the workflow with a sentence."""
    history = History()
    history.refused("flow_first", "ACTIVITY_TYPE_DOES_NOT_EXIST")
    assert "ACTIVITY_TYPE_DOES_NOT_EXIST" in reason(decide(two(), history))


def test_transient_refusals_are_waited_for() -> None:
    """A timer is started, and after it the activity is scheduled again."""
    history = History()
    history.refused("flow_first", "ACTIVITY_CREATION_RATE_EXCEEDED")
    assert kinds(decide(two(), history)) == ["StartTimer"]
    history.timer_started()
    assert decide(two(), history) == []
    history.timer_fired()
    assert scheduled(decide(two(), history)) == ["flow_first-1"]


def test_a_flow_that_cannot_go_on_fails() -> None:
    """Two activities that require each other fail the workflow instead of hanging it."""
    one, other = make("one"), make("other")
    worker = DeciderWorker(flow(a=one, b=other), register=False)
    one.requires, other.requires = [other], [one]  # a flow that changes itself later
    assert "Nothing runs" in reason(worker.decide(History().poll()))


def test_an_error_of_a_generator_fails_the_workflow() -> None:
    """The traceback is in the details."""

    def generator(context: Any) -> Any:
        return context["missing"]

    decisions = decide(flow(a=make("a"), b=make("b", generators=[generator])))
    assert reason(decisions) == "'missing'"
    assert "in generator" in decisions[0]["failWorkflowExecutionDecisionAttributes"]["details"]


@pytest.mark.parametrize("text", ["[1]", "no json"])
def test_input_that_is_not_an_object_fails_the_workflow(text: str) -> None:
    """The reason is a sentence; the task is not decided forever."""
    assert reason(decide(two(), History(text))).startswith("The workflow's input")


def test_too_large_an_input_of_an_activity_fails_the_workflow() -> None:
    """The reason names the activity and the key."""
    history = History({"big": "x" * 32_700})
    why = reason(decide(flow(a=make("a", run=runner.Sync(lambda context: context))), history))
    assert "The input of flow_a-1" in why
    assert "'big'" in why


def serving(decide_next: Any) -> Any:
    """A flow with a decider of its own."""
    return flow(a=make("a"), b=make("b"), decider=decide_next, on_exception=MagicMock())


def test_a_custom_decider_schedules_and_uses_results() -> None:
    """It runs from its start each time; a missing result ends the run quietly."""

    def decider(schedule: Any, context: Any) -> None:
        first = schedule("x", flow_object.a)
        if first.result["n"] > context["limit"]:
            schedule("y", flow_object.b, requires=[first], input={"n": 1})

    flow_object, history = serving(decider), History({"limit": 3})
    assert scheduled(decide(flow_object, history)) == ["flow_a-1-x"]
    history.scheduled("flow_a", "flow_a-1-x")
    assert decide(flow_object, history) == []
    history.completed("flow_a-1-x", {"n": 4})
    assert scheduled(decide(flow_object, history)) == ["flow_b-1-y"]
    history.scheduled("flow_b", "flow_b-1-y")
    history.completed("flow_b-1-y")
    assert kinds(decide(flow_object, history)) == ["CompleteWorkflowExecution"]
    flow_object.on_exception.assert_not_called()


def test_a_custom_decider_schedules_in_the_flow_s_version() -> None:
    """The version of the decision is the registered one."""
    flow_object = serving(None)
    flow_object.decider = lambda schedule: schedule("x", flow_object.a)
    flow_object.version = "4"
    (decision,) = decide(flow_object)
    attributes = decision["scheduleActivityTaskDecisionAttributes"]
    assert attributes["activityType"]["version"] == "4"


def test_parallel_uses_are_scheduled_together() -> None:
    """A decider that reads no result schedules everything at once."""

    def decider(schedule: Any) -> None:
        for name in "xyz":
            schedule(name, flow_object.a)

    flow_object = serving(decider)
    assert scheduled(decide(flow_object)) == [f"flow_a-1-{name}" for name in "xyz"]


DECIDERS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "schedule alone": (lambda schedule: None, ()),
    "context by name": (lambda schedule, context: context, ({"in": 1},)),
    "keyword only": (lambda schedule, *, context: context, ({"in": 1},)),
    "any second": (lambda schedule, given: given, ({"in": 1},)),
    "a default of its own": (lambda schedule, debug=False: debug, (False,)),
}


@pytest.mark.parametrize(("decider", "seen"), DECIDERS.values(), ids=list(DECIDERS))
def test_the_signature_decides_whether_a_decider_receives_the_context(
    decider: Any, seen: Any
) -> None:
    """A parameter called context, or a second required one, receives the workflow's input."""
    got: list[Any] = []
    names = decider.__code__.co_varnames

    def spy(*args: Any, **kwargs: Any) -> None:
        value = decider(*args, **kwargs)
        got.extend([value] if len(names) > 1 else [])

    spy.__signature__ = __import__("inspect").signature(decider)  # type: ignore[attr-defined]
    decide(serving(spy), History({"in": 1}))
    assert tuple(got) == seen


def test_a_local_variable_called_context_is_not_a_parameter() -> None:
    """Only the signature counts."""

    def decider(schedule: Any) -> None:
        context = "local"
        schedule(context, flow_object.a)

    flow_object = serving(decider)
    assert scheduled(decide(flow_object)) == ["flow_a-1-local"]


def test_an_error_of_a_decider_fails_the_workflow() -> None:
    """The run's other decisions are not sent beside the failure."""

    def decider(schedule: Any) -> None:
        schedule("x", flow_object.a)
        raise KeyError("milk")

    flow_object = serving(decider)
    decisions = decide(flow_object)
    assert (kinds(decisions), reason(decisions)) == (["FailWorkflowExecution"], "'milk'")
    flow_object.on_exception.assert_called_once()


def test_a_module_called_decider_is_not_a_decider() -> None:
    """A flow module may import garcon's decider under its name."""
    module = types.ModuleType("flow")
    vars(module).update(domain="domain", name="flow", decider=decider_module, a=make("a"))
    assert scheduled(decide(module)) == ["flow_a-1"]


def test_the_same_task_decided_twice_is_decided_alike() -> None:
    """Deciding depends on the history alone."""
    made, poll = worker(two()), History().poll()
    assert made.decide(poll) == made.decide(poll)


def test_deciding_logs_under_the_execution() -> None:
    """The log context is set while deciding, and unset after it."""
    names: list[str] = []

    def decider(schedule: Any) -> None:
        names.append(made.logger.name)

    made = worker(serving(decider))
    made.decide(History().poll())
    assert (names, made.logger.name) == (["garcon.domain.workflow.run"], "garcon")


def pages() -> tuple[FakeSwf, dict[str, Any]]:
    """A history of three pages, of which the poll returned the first."""
    one, two, three = ([{"eventId": number}] for number in (1, 2, 3))
    swf = FakeSwf().prepare(POLL, {"events": two, "nextPageToken": "two"}, {"events": three})
    return swf, {"events": one, "nextPageToken": "one"}


def test_all_pages_of_the_history_are_fetched() -> None:
    """Each page is fetched by the same poll with its token, in both call forms."""
    swf, first = pages()
    assert len(worker(flow(swf)).get_history(first)) == 3
    swf, first = pages()
    events = worker(flow(swf)).get_history("me", first)
    assert [each["eventId"] for each in events] == [1, 2, 3]
    assert [request["nextPageToken"] for request in swf.requests(POLL)] == ["one", "two"]
    assert {request["identity"] for request in swf.requests(POLL)} == {"me"}
    assert {request["domain"] for request in swf.requests(POLL)} == {"domain"}


def test_get_activity_states_folds_the_history() -> None:
    """The states are by activity name and id, as documented."""
    history = History()
    history.scheduled("flow_a")
    states = worker(flow()).get_activity_states(history.events)
    assert states["flow_a"]["flow_a-1"].states == [1]


def test_run_polls_decides_and_answers() -> None:
    """A decision task costs two calls."""
    swf = FakeSwf().prepare(POLL, History().poll())
    assert worker(flow(swf, a=make("a"))).run("me") is True
    assert swf.names == [POLL, RESPOND]
    (request,) = swf.requests(RESPOND)
    assert (request["taskToken"], scheduled(request["decisions"])) == ("token", ["flow_a-1"])
    assert swf.requests(POLL)[0] == {
        "domain": "domain",
        "taskList": {"name": "flow"},
        "identity": "me",
    }


@pytest.mark.parametrize("page", [{}, {"events": None}, {"events": []}])
@pytest.mark.parametrize("sticky", [False, True])
def test_a_page_without_events_is_not_an_empty_history(page: Any, sticky: Any) -> None:
    """SWF may return an empty page; events missing after the last page return the task."""
    whole = History()
    whole.scheduled("flow_first")
    first = {**whole.poll(), "events": None, "nextPageToken": "one"}
    rest = {"events": whole.events}

    def decided(*pages: Any) -> list[dict[str, Any]]:
        swf = FakeSwf().prepare(POLL, *pages)
        swf.prepare("get_workflow_execution_history", page)
        flow_object = two()
        flow_object.client = swf
        return DeciderWorker(flow_object, register=False, sticky=sticky).decide(first)

    assert decided({**page, "nextPageToken": "two"}, rest) == []
    assert decided(page) == decider_module.return_task()


def test_an_empty_poll_is_not_a_task() -> None:
    """SWF's empty answer has no token."""
    swf = FakeSwf().prepare(POLL, {"startedEventId": 0}, {"taskToken": ""})
    made = worker(flow(swf))
    assert made.poll() is None
    assert made.run() is True
    assert swf.names == [POLL, POLL]


def test_a_failed_poll_is_reported_and_paused_on() -> None:
    """on_exception receives the error, and the loop does not spin."""
    trouble = EndpointConnectionError(endpoint_url="http://x")
    flow_object = flow(FakeSwf().prepare(POLL, trouble), on_exception=MagicMock())
    made = worker(flow_object)
    assert made.run() is True
    flow_object.on_exception.assert_called_once_with(made, trouble)
    assert len(slept(made)) == 1


def test_throttled_polls_are_attempted_five_times() -> None:
    """The documented backoff applies, as for activities."""
    swf = FakeSwf().prepare(POLL, *[refusal(THROTTLED)] * 5)
    with pytest.raises(ClientError):
        worker(flow(swf)).poll()
    assert len(swf.calls) == 5


def test_a_page_that_cannot_be_fetched_answers_nothing() -> None:
    """The decision task times out and comes again; the workflow does not fail."""
    swf = FakeSwf().prepare(
        POLL, History().poll(nextPageToken="one"), refusal("InternalFailure", status=500)
    )
    made = worker(flow(swf, a=make("a"), on_exception=MagicMock()))
    assert made.run() is True
    assert RESPOND not in swf.names


def test_decisions_are_sent_until_they_are_accepted() -> None:
    """A throttle delays the workflow and does not lose the decision."""
    swf = FakeSwf().prepare(RESPOND, *[refusal(THROTTLED)] * 7)
    made = worker(flow(swf))
    assert made.respond("token", [decider_module.complete_workflow()]) is True
    assert (swf.names, len(slept(made))) == ([RESPOND] * 8, 7)


def test_an_answer_to_a_timed_out_task_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """SWF has handed the task out again."""
    swf = FakeSwf().prepare(RESPOND, refusal(GONE))
    assert worker(flow(swf)).respond("token", []) is False
    assert "no longer has the decision task" in caplog.text


def test_malformed_decisions_fail_the_workflow() -> None:
    """They would be malformed at every attempt, so SWF's sentence is the reason."""
    swf = FakeSwf().prepare(RESPOND, refusal("ValidationException", "bad id"))
    flow_object = flow(swf, on_exception=MagicMock())
    assert worker(flow_object).respond("token", []) is True
    _, second = swf.requests(RESPOND)
    assert "bad id" in reason(second["decisions"])
    flow_object.on_exception.assert_called_once()


def test_other_refusals_of_an_answer_are_raised() -> None:
    """Missing permissions are reported to the operator of the decider."""
    swf = FakeSwf().prepare(RESPOND, refusal("AccessDeniedException"))
    with pytest.raises(ClientError):
        worker(flow(swf)).respond("token", [])


def test_a_generator_may_wait_for_a_result() -> None:
    """A result that is not ready ends the decision quietly, as in a custom decider."""

    def generator(context: Any) -> Any:
        raise activity.ActivityInstanceNotReadyException

    history = History()
    history.scheduled("flow_a")
    assert decide(flow(a=make("a"), b=make("b", generators=[generator])), history) == []
