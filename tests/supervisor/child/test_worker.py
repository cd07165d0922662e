"""The worker's loop: its stages, and at each of them the supervisor's knowledge and records."""

from __future__ import annotations

import logging
import os
import resource
import select
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from garcon.aws import limits
from garcon.decider import DeciderWorker
from garcon.history import failure_reasons
from supervisor.child import worker
from supervisor.child.poll_backoff import BACKOFF
from supervisor.ipc import crash_record
from supervisor.ipc.messages import (
    Complete,
    Done,
    Fail,
    Instance,
    Parked,
    PollEnd,
    Polling,
    Result,
    Role,
    Stale,
    Staleness,
    StickySettings,
    SwfEndpoint,
    Task,
    WantsReplacement,
    Working,
)
from supervisor.ipc.spool import Owner
from tests.garcon.fakes import GONE, THROTTLED, refusal
from tests.garcon.histories import History
from tests.supervisor.child.worker_stage import DECISION_POLL, POLL, TASK, WORKER, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEARTBEAT = "record_activity_task_heartbeat"
COMPLETED = "respond_activity_task_completed"
FAILED = "respond_activity_task_failed"
DECIDED = "respond_decision_task_completed"
TITLE = "garcon: activity shop shop_make"
DOWN = EndpointConnectionError(endpoint_url="http://swf")
THE_TASK = Task(
    "token", "w", "r", "make-1", 600.0, activity_name="shop_make", event_id=6, heartbeat=600.0
)
STICKY = StickySettings(schedule_to_start=7, executions=5, check=0)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A worker of the activity ``make``; its signal handlers are removed afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with Stage(tmp_path, monkeypatch) as made:
        yield made
    for number, handler in before.items():
        signal.signal(number, handler)


def names(sent: tuple[Any, ...]) -> list[str]:
    """The classes of messages."""
    return [type(message).__name__ for message in sent]


# --- polling --------------------------------------------------------------------------------------


def test_each_poll_without_a_task_before_it_is_announced(stage: Stage) -> None:
    """The supervisor has ``Polling`` before the poll; the worker ends with exit code 0."""
    assert stage.run({}) == 0
    first, second = stage.all(POLL)
    assert first.sent == (Polling(WORKER),)
    assert second.sent == (Polling(WORKER), Polling(WORKER))
    assert stage.at("end").sent == second.sent


def test_a_poll_names_list_and_poller(stage: Stage) -> None:
    """SWF gets the domain, the task list, and the identity of this process."""
    stage.instance = Instance("i-1")
    stage.run({})
    (request,) = stage.swf.requests(POLL)
    identity = f"i-1:{os.getpid()}:activity"
    assert request == {
        "domain": "domain",
        "taskList": {"name": "shop_make"},
        "identity": identity,
    }


def test_a_polling_worker_has_the_facts_of_its_slot(stage: Stage) -> None:
    """Its title and its log lines name the slot's list, and no task."""
    stage.run({})
    first = stage.all(POLL)[0]
    assert first.title == f"{TITLE} polling"
    assert first.facts == {
        "slot": "shop_make/2",
        "worker": WORKER,
        "pid": os.getpid(),
        "task_list": "shop_make",
    }


# --- permits --------------------------------------------------------------------------------------


def test_a_worker_that_needs_a_permit_is_parked_until_it_has_one(stage: Stage) -> None:
    """It boots parked, and says so; its poll is announced; an empty poll parks it again."""
    stage.permits = 1
    assert stage.run({}) == 0
    assert stage.at("end").sent == (
        Parked(WORKER),
        Polling(WORKER),
        Parked(WORKER, PollEnd.EMPTY),
    )
    # Its title comes first: whoever is told that it is ready finds it by its own name.
    assert stage.all("Parked")[0].title == f"{TITLE} parked"
    assert stage.at("Polling").title == f"{TITLE} polling"
    assert stage.title == f"{TITLE} leaving, polling"


def test_a_parked_worker_leaves_when_asked_to(stage: Stage) -> None:
    """It does not poll again, and needs no answer of SWF for its end."""
    stage.permits = 0
    assert stage.run() == 0
    assert stage.all(POLL) == []


def test_a_worker_with_a_permit_polls_again_after_a_task_unasked(stage: Stage) -> None:
    """``Done`` announces the poll, and no other message is sent."""
    stage.permits = 1
    stage.run(TASK, TASK, {})
    assert names(stage.at("end").sent) == [
        *("Parked", "Polling", "Working", "Done", "Working", "Done", "Parked"),
    ]


def test_a_worker_whose_permit_was_withdrawn_parks_after_its_task(stage: Stage) -> None:
    """``Done`` says so; with another permit it polls, and keeps that one."""
    stage.permits = 2
    stage.meanwhile["task"] = lambda: crash_record.withdraw_permit(stage.descriptor)
    stage.meanwhile["Polling"] = lambda: crash_record.grant_permit(stage.descriptor)
    stage.run(TASK, {})
    assert stage.at("end").sent[3] == Done(WORKER, Result.COMPLETED, parked=True)
    assert names(stage.at("end").sent[4:]) == ["Polling", "Parked"]


def test_a_worker_that_needs_a_permit_waits_in_the_supervisor_s_time(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """A failed poll is logged and reported with its kind, and the worker parks at once."""
    stage.permits = 4
    stage.run(DOWN, refusal(THROTTLED), refusal("LimitExceededFault"), {})
    ends = [each.end for each in stage.at("end").sent if isinstance(each, Parked)]
    assert ends == [
        *(PollEnd.NONE, PollEnd.FAILED, PollEnd.THROTTLED, PollEnd.LIMITED, PollEnd.EMPTY),
    ]
    assert stage.waits == []
    assert len([each for each in caplog.messages if "Trying again" in each]) == 1
    assert len([each for each in caplog.messages if "recovered after" in each]) == 1


def test_a_parked_worker_that_loses_its_supervisor_leaves(stage: Stage) -> None:
    """The end of its channel ends its wait."""
    stage.permits = 0
    stage.answer_parked = stage.lose_supervisor  # type: ignore[method-assign]
    assert stage.run() == 0
    assert stage.all(POLL) == []


# --- failed polls ---------------------------------------------------------------------------------


def test_a_failed_poll_is_followed_by_a_wait_and_another_poll(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Waits double; the title has the reason; the supervisor has each poll's announcement."""
    assert stage.run(DOWN, refusal(THROTTLED), DOWN) == 0
    assert len(stage.waits) == 3
    for failures, wait in enumerate(stage.waits):
        full = BACKOFF.first * BACKOFF.factor**failures
        assert full / 2 <= wait <= full
    assert {moment.title for moment in stage.all("wait")} == {
        f"{TITLE} backing off: SWF does not answer"
    }
    assert stage.at("end").sent == (Polling(WORKER),) * 4
    line, _recovery = [record.message for record in caplog.records]
    assert line.startswith("Polling domain/shop_make failed: Could not connect")
    assert line.endswith(" Trying again until it succeeds.")


@pytest.mark.parametrize("answer", [{}, TASK])
def test_a_poll_that_succeeds_ends_the_outage(
    stage: Stage, caplog: pytest.LogCaptureFixture, answer: dict[str, Any]
) -> None:
    """With or without a task: the recovery is logged once, and the next wait is short again."""
    stage.run(DOWN, DOWN, DOWN, answer, {}, DOWN)
    recoveries = [record.message for record in caplog.records if "recovered" in record.message]
    seconds = sum(stage.waits[:3])
    assert recoveries == [f"Polling domain/shop_make recovered after {seconds:.1f} s."]
    assert stage.waits[3] <= BACKOFF.first


def test_the_workers_of_a_list_share_their_lines(stage: Stage) -> None:
    """An outage that one worker has logged is not due for another one within the minute."""
    stage.run(DOWN)
    assert not stage.context.outage_logs["shop_make"].claim_failure(stage.now)


def test_an_error_of_the_program_ends_the_worker(stage: Stage) -> None:
    """Only errors of calls to AWS are waited out."""
    with pytest.raises(ZeroDivisionError):
        stage.run(ZeroDivisionError())
    assert stage.waits == []


# --- a task ---------------------------------------------------------------------------------------


def test_the_supervisor_knows_of_a_task_before_anything_else(stage: Stage) -> None:
    """``Working`` is sent before the spool is written and before the start is on record."""
    stage.run(TASK)
    working = stage.at("Working")
    assert working.sent == (Polling(WORKER),)
    assert (working.spooled, working.started) == (None, False)
    assert stage.at("task").sent == (Polling(WORKER), Working(WORKER, THE_TASK))


def test_a_started_task_is_on_record(stage: Stage) -> None:
    """In its code the crash record, the spool, the title and the log facts have the task."""
    stage.run(TASK)
    running = stage.at("task")
    assert running.started
    assert running.answer is None
    assert running.title == f"{TITLE} working make-1 of w"
    assert running.facts == {
        **stage.all(POLL)[0].facts,
        "workflow_id": "w",
        "run_id": "r",
        "activity_id": "make-1",
    }
    assert running.spooled is not None
    assert running.spooled.task == THE_TASK
    assert running.spooled.answer is None
    assert running.spooled.role is Role.ACTIVITY
    assert running.spooled.owner == Owner("shop", SwfEndpoint())
    assert running.spooled.supervisor_lock == "lock"


def test_an_answer_is_on_record_before_swf_gets_it(stage: Stage) -> None:
    """Crash record and spool have the very text of the response."""
    stage.task = lambda _activity: {"cups": 2}
    stage.run(TASK)
    answering = stage.at(COMPLETED)
    (request,) = stage.swf.requests(COMPLETED)
    assert answering.answer == Complete(request["result"])
    assert answering.spooled is not None
    assert answering.spooled.answer == answering.answer
    assert answering.started
    assert names(answering.sent) == ["Polling", "Working"]


def test_the_records_are_cleared_in_an_order_that_loses_no_answer(stage: Stage) -> None:
    """The spool is cleared before ``Done``, the crash record after it; then the loop polls."""
    stage.run(TASK)
    done = stage.at("Done")
    assert done.spooled is None
    assert done.started
    assert done.answer is not None
    next_poll = stage.all(POLL)[1]
    assert next_poll.sent == (
        *(Polling(WORKER), Working(WORKER, THE_TASK)),
        Done(WORKER, Result.COMPLETED),
    )
    assert (next_poll.started, next_poll.answer, next_poll.spooled) == (False, None, None)
    assert next_poll.title == f"{TITLE} polling"
    assert next_poll.facts == stage.all(POLL)[0].facts


def test_a_poll_after_a_task_is_not_announced(stage: Stage) -> None:
    """``Done`` means that the next poll follows; after an empty poll ``Polling`` is sent again."""
    stage.run(TASK, TASK, {})
    sent = stage.at("end").sent
    assert names(sent) == ["Polling", "Working", "Done", "Working", "Done", "Polling"]


def test_a_failed_task_is_done_and_the_loop_goes_on(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The failure is on record and sent, and its traceback logged; the worker polls again."""

    def burn(_activity: Any) -> None:
        raise ValueError("burnt")

    stage.task = burn
    assert stage.run(TASK) == 0
    failing = stage.at(FAILED)
    assert isinstance(failing.answer, Fail)
    assert failing.answer.reason == "burnt"
    (logged,) = [record for record in caplog.records if record.exc_info]
    assert logged.exc_info is not None
    assert logged.exc_info[0] is ValueError
    assert stage.at("end").sent[-1] == Done(WORKER, Result.FAILED)


def test_a_stale_task_is_reported(stage: Stage) -> None:
    """The supervisor learns that SWF has closed the task, while the task still runs."""
    stage.task = lambda activity: activity.heartbeat()
    stage.swf.prepare(HEARTBEAT, refusal(GONE))
    stage.run(TASK)
    sent = stage.at("end").sent
    assert sent[2:] == (Stale(WORKER, Staleness.CLOSED), Done(WORKER, Result.ALREADY_CLOSED))


def test_a_task_that_ends_the_process_leaves_its_records(stage: Stage) -> None:
    """The supervisor finds task and start on record, and the last log lines have its facts."""

    def leave(_activity: Any) -> None:
        raise SystemExit(3)

    stage.task = leave
    with pytest.raises(SystemExit):
        stage.run(TASK)
    stage.observe("after")
    after = stage.at("after")
    assert after.started
    assert after.spooled is not None
    assert after.facts["workflow_id"] == "w"
    assert names(after.sent) == ["Polling", "Working"]


@pytest.mark.parametrize("payloads", [False, True])
def test_payloads_are_logged_only_where_the_settings_say_so(
    stage: Stage, caplog: pytest.LogCaptureFixture, *, payloads: bool
) -> None:
    """Input and result are logged, redacted; a failure has no result."""
    caplog.set_level(logging.INFO)
    stage.load["payloads"] = payloads
    stage.task = lambda _activity: {"password": "sesame"}
    stage.run(TASK)
    lines = [record.message for record in caplog.records if record.name == "supervisor"]
    assert lines == (
        ['Input: {"beans": 3}', 'Result: {"password": "[redacted]"}'] if payloads else []
    )


def test_a_task_without_input_and_result_logs_none(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no payload there is no line."""
    caplog.set_level(logging.INFO)
    stage.load["payloads"] = True
    stage.run({key: value for key, value in TASK.items() if key != "input"})
    lines = [record.message for record in caplog.records if record.name == "supervisor"]
    assert lines == ["Result: {}"]


def test_without_a_spool_folder_no_file_is_written(stage: Stage) -> None:
    """The crash record alone has the task."""
    stage.load["spool"] = None
    stage.run(TASK)
    assert stage.at("task").spooled is None
    assert stage.at("task").started


# --- limits ---------------------------------------------------------------------------------------


def test_a_worker_at_its_limit_asks_once_and_goes_on(stage: Stage) -> None:
    """It asks for its replacement after the task's ``Done``, and serves on until asked to leave."""
    stage.load["max_tasks"] = 1
    stage.run(TASK, TASK)
    sent = stage.at("end").sent
    assert names(sent) == ["Polling", "Working", "Done", "WantsReplacement", "Working", "Done"]
    assert sent[3] == WantsReplacement(WORKER, "task limit reached, 1 done")


def test_a_worker_that_has_grown_asks(stage: Stage) -> None:
    """The limit of memory counts like that of tasks."""
    stage.load["max_memory"] = 1
    stage.run(TASK)
    asking = stage.at("end").sent[-1]
    assert isinstance(asking, WantsReplacement)
    assert asking.why.startswith("memory limit reached, ")


# --- leaving --------------------------------------------------------------------------------------


def test_a_worker_asked_to_leave_at_the_start_does_not_poll(stage: Stage) -> None:
    """It sends nothing, and its title says that it leaves."""
    stage.shutdown.requested_at = 0.0
    assert stage.run() == 0
    assert stage.all(POLL) == []
    assert stage.at("end").sent == ()
    assert stage.title == f"{TITLE} leaving, polling"


def test_a_worker_asked_to_leave_in_a_poll_polls_no_more(stage: Stage) -> None:
    """The open poll is waited for."""
    assert stage.run(stage.ask_to_leave, TASK) == 0
    assert len(stage.all(POLL)) == 1
    assert stage.all("task") == []


def test_a_worker_asked_to_leave_in_a_task_finishes_it(stage: Stage) -> None:
    """The answer is sent, and no poll follows."""
    stage.task = lambda _activity: stage.ask_to_leave({"cups": 2})
    assert stage.run(TASK, TASK) == 0
    assert stage.at("end").sent[-1] == Done(WORKER, Result.COMPLETED)
    assert len(stage.all(POLL)) == len(stage.swf.requests(COMPLETED)) == 1


def test_a_task_that_ignores_term_does_not_keep_its_worker(stage: Stage) -> None:
    """The request to leave is in the crash record, too; the handler is put back after the task."""

    def ignores_term(_activity: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGTERM)
        crash_record.request_leave(stage.descriptor)

    stage.task = ignores_term
    assert stage.run(TASK) == 0
    assert stage.shutdown.requested


def test_an_answer_is_recorded_and_sent_with_the_limits_before_the_task(stage: Stage) -> None:
    """A task without descriptors opens neither the spool's file nor a connection to SWF."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    seen: list[int] = []

    def uses_up_descriptors(_activity: Any) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))

    stage.task = uses_up_descriptors
    stage.meanwhile[COMPLETED] = lambda: seen.append(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    assert stage.run(TASK) == 0
    assert seen == [soft]
    spooled = stage.at(COMPLETED).spooled
    assert spooled is not None
    assert spooled.answer == Complete("{}")


def test_a_decision_is_sent_with_the_limits_before_it(stage: Stage) -> None:
    """A decider's changes of its process are put back as well, also where it raises."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    seen: list[int] = []

    def decide(*_: Any) -> list[Any]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        return []

    stage.monkeypatch.setattr(DeciderWorker, "decide", decide)
    stage.role = Role.DECIDER
    stage.meanwhile[DECIDED] = lambda: seen.append(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    assert stage.run(History().poll()) == 0
    assert seen == [soft]


def test_a_worker_asked_to_leave_in_a_failing_poll_polls_no_more(stage: Stage) -> None:
    """The title of the wait says that it leaves."""

    def fail() -> None:
        stage.ask_to_leave()
        raise DOWN

    assert stage.run(fail, TASK) == 0
    assert len(stage.all(POLL)) == 1
    assert stage.at("wait").title == f"{TITLE} leaving, backing off: SWF does not answer"


def test_a_late_task_is_executed(stage: Stage) -> None:
    """A leaving worker does the task of its last poll."""
    assert stage.run(lambda: stage.ask_to_leave(TASK)) == 0
    assert stage.at("task").title == f"{TITLE} leaving, working make-1 of w"
    assert stage.at("end").sent[-1] == Done(WORKER, Result.COMPLETED)


def test_a_late_task_is_returned_where_the_settings_say_so(stage: Stage) -> None:
    """It goes back to SWF unstarted, and is on record meanwhile like any other."""
    stage.load["return_task"] = True
    assert stage.run(lambda: stage.ask_to_leave(TASK)) == 0
    assert stage.all("task") == []
    returning = stage.at(FAILED)
    assert not returning.started
    assert isinstance(returning.answer, Fail)
    assert failure_reasons.prefix_of(returning.answer.reason) == failure_reasons.NOT_STARTED
    assert stage.at("end").sent == (
        *(Polling(WORKER), Working(WORKER, THE_TASK)),
        Done(WORKER, Result.RETURNED),
    )


def test_a_task_in_time_is_never_returned(stage: Stage) -> None:
    """The setting is for leaving workers alone."""
    stage.load["return_task"] = True
    stage.run(TASK)
    assert stage.at("end").sent[-1] == Done(WORKER, Result.COMPLETED)


def test_a_worker_that_lost_its_supervisor_in_a_poll_leaves(stage: Stage) -> None:
    """It finds out when it sends, returns its task unstarted, and ends with exit code 0."""
    assert stage.run(lambda: stage.lose_supervisor(TASK), TASK) == 0
    assert len(stage.all(POLL)) == len(stage.swf.requests(FAILED)) == 1
    assert stage.swf.requests(FAILED)[0]["reason"].startswith("NotStarted: ")
    assert stage.all("task") == []
    assert stage.at("end").spooled is None


def test_an_orphan_begins_no_further_poll(stage: Stage) -> None:
    """When its open poll ends without a task, it leaves."""
    assert stage.run(lambda: stage.lose_supervisor({}), TASK) == 0
    assert len(stage.all(POLL)) == 1


def test_code_that_failed_returns_the_task_of_its_last_poll(stage: Stage) -> None:
    """Whatever the setting for late tasks says: the code was rolled back, or has to stop."""

    def roll_back() -> dict[str, Any]:
        crash_record.request_return(stage.descriptor)
        return dict(stage.ask_to_leave(TASK))

    assert stage.run(roll_back) == 0
    assert stage.all("task") == []
    assert stage.at("end").sent[-1] == Done(WORKER, Result.RETURNED)


def test_code_that_failed_returns_the_decision_of_its_last_poll(stage: Stage) -> None:
    """A timer of zero seconds brings it to another decider; the flow's code does not run."""
    stage.role = Role.DECIDER
    stage.load.update(sticky=STICKY)

    def roll_back() -> dict[str, Any]:
        crash_record.request_return(stage.descriptor)
        return dict(stage.ask_to_leave(History().poll()))

    assert stage.run(roll_back) == 0
    (request,) = stage.swf.requests(DECIDED)
    (decision,) = request["decisions"]
    assert decision["startTimerDecisionAttributes"]["startToFireTimeout"] == "0"
    assert not stage.at(DECIDED).started
    assert stage.at(DECIDED).waiting == 0
    assert stage.at("end").sent[-1] == Done(WORKER, Result.RETURNED)


def test_a_worker_that_lost_its_supervisor_in_a_task_finishes_it(stage: Stage) -> None:
    """The answer reaches SWF, and the crash record is cleared."""
    stage.task = lambda _activity: stage.lose_supervisor({"cups": 2})
    assert stage.run(TASK, TASK) == 0
    assert len(stage.all(POLL)) == len(stage.swf.requests(COMPLETED)) == 1
    assert stage.at("end").answer is None


# --- deciders -------------------------------------------------------------------------------------


def test_a_decision_task_has_no_activity(stage: Stage) -> None:
    """Its title and its facts say so, and it counts as started while it is decided."""
    stage.role = Role.DECIDER
    assert stage.run(History().poll()) == 0
    deciding = stage.at(DECIDED)
    assert deciding.title == "garcon: decider flow flow working decision of workflow"
    assert deciding.started
    assert deciding.answer is None
    assert stage.at("end").sent[-1] == Done(WORKER, Result.COMPLETED)


def test_a_decision_task_is_on_record_from_its_poll_on(stage: Stage) -> None:
    """It counts as waiting until the supervisor knows of it, and ends a backoff."""
    stage.role = Role.DECIDER
    woken = []

    def look() -> None:
        woken.extend(select.select([stage.shutdown._reader], [], [], 0)[0])

    stage.meanwhile["Working"] = look
    stage.run(History().poll())
    assert stage.at("Working").waiting == 1
    assert stage.at(DECIDED).waiting == 0
    assert woken


def test_a_late_decision_task_is_decided(stage: Stage) -> None:
    """Deciders have no unstarted tasks to return; the execution leaves the sticky list."""
    stage.role = Role.DECIDER
    stage.load.update(return_task=True, sticky=STICKY)
    assert stage.run(lambda: stage.ask_to_leave(History().poll())) == 0
    (request,) = stage.swf.requests(DECIDED)
    assert "taskListScheduleToStartTimeout" not in request
    assert stage.at("end").sent[-1] == Done(WORKER, Result.COMPLETED)


@pytest.mark.parametrize(("seconds_ago", "tokens"), [(0.0, ["token", "late"]), (60.0, ["token"])])
def test_the_last_polls_of_a_leaving_decider_are_waited_for(
    stage: Stage, seconds_ago: float, tokens: list[str]
) -> None:
    """Their tasks are decided; the sticky list is polled for its timeout from the request on."""
    stage.role = Role.DECIDER
    stage.load["sticky"] = STICKY
    history = History()
    first = history.poll()
    history.scheduled("flow_a")
    history.completed("flow_a-1")
    stage.sticky_script = [history.poll(previousStartedEventId=1, taskToken="late")]
    stage.meanwhile["Done"] = lambda: stage.ask_to_leave(seconds_ago=seconds_ago)
    assert stage.run(first) == 0
    assert [request["taskToken"] for request in stage.swf.requests(DECIDED)] == tokens
    assert names(stage.at("end").sent) == ["Polling", *["Working", "Done"] * len(tokens)]


def test_an_orphaned_decider_polls_its_sticky_list_no_more(stage: Stage) -> None:
    """The execution goes back to the flow's list when the sticky list times out."""
    stage.role = Role.DECIDER
    stage.load["sticky"] = STICKY
    stage.meanwhile["Done"] = stage.lose_supervisor
    assert stage.run(History().poll()) == 0
    lists = [request["taskList"]["name"] for request in stage.swf.requests(DECISION_POLL)]
    assert (lists, stage.sticky_polls) == (["flow"], 0)


def test_a_draining_decider_has_the_title_of_its_polls(stage: Stage) -> None:
    """While it waits for the last polls it is leaving and polling."""
    stage.role = Role.DECIDER
    stage.load["sticky"] = STICKY
    stage.meanwhile["Done"] = stage.ask_to_leave
    stage.run(History().poll())
    assert stage.title == "garcon: decider flow flow leaving, polling"


# --- identity -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instance", "host"),
    [
        (None, socket.gethostname()),
        (Instance("i-1"), "i-1"),
        (Instance("i-1", "eu-west-1a", "spot"), "i-1/eu-west-1a/spot"),
        (Instance("i-1", "", "spot"), "i-1/spot"),
    ],
)
def test_an_identity_has_host_pid_and_role(instance: Instance | None, host: str) -> None:
    """On EC2 the host is the instance with its zone and life cycle, as far as known."""
    assert worker.identity("decider", instance) == f"{host}:{os.getpid()}:decider"


def test_an_identity_fits_swf() -> None:
    """A long host name is cut."""
    assert len(worker.identity("activity", Instance("i" * 300))) == limits.IDENTITY


def test_a_decider_takes_over_the_private_list_of_a_dead_one(stage: Stage) -> None:
    """A task that waits there is decided although no answer of its own has named that list."""
    stage.role, stage.takes_over = Role.DECIDER, 4
    stage.load["sticky"] = STICKY
    stage.sticky_script = [History().poll(taskToken="of the dead")]
    assert stage.run({}) == 0
    (request,) = stage.swf.requests(DECIDED)
    assert request["taskToken"] == "of the dead"


def test_the_identity_names_the_build() -> None:
    """So the history shows which code had a task; a long host name is cut, and the rest stays."""
    assert worker.identity("decider", None, "b1").endswith(f":{os.getpid()}:decider:b1")
    named = worker.identity("decider", Instance("i" * 300), "b1")
    assert (len(named), named.endswith(":decider:b1")) == (limits.IDENTITY, True)
