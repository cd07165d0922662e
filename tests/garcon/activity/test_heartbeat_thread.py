"""Background heartbeats: their times, their responses, their end."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import EndpointConnectionError

from garcon import activity, runner, task
from garcon.activity import (
    ActivityExecution,
    AttemptCompleted,
    AttemptGone,
    heartbeat_thread,
    shared_throttling,
)
from garcon.activity.heartbeat_pace import HeartbeatPace
from garcon.activity.task_execution import TaskHeartbeats
from garcon.aws.retrying import Clock
from garcon.decider import DeciderWorker
from garcon.local import LocalSWF
from tests.garcon.activity.manual_wakeup import LIMIT, ManualWakeup
from tests.garcon.fakes import GONE, THROTTLED, FakeSwf, refusal
from tests.garcon.flows import completed, flow, make

if TYPE_CHECKING:
    from collections.abc import Callable

HEARTBEAT = "record_activity_task_heartbeat"
TIMEOUT = 30.0  # seconds of heartbeat timeout


def threads() -> set[threading.Thread]:
    """The threads that send heartbeats."""
    return {each for each in threading.enumerate() if each.name == "heartbeats"}


def joined(thread: threading.Thread) -> bool:
    """Whether the thread ends within the limit."""
    thread.join(LIMIT)
    return not thread.is_alive()


def in_progress(swf: Any, **more: Any) -> ActivityExecution:
    """A task that was received just now."""
    more.setdefault("heartbeat_timeout", TIMEOUT)
    return ActivityExecution(swf, "flow_cook-1", "token", "{}", **more)


def cooking(work: Callable[..., Any], wakeup: ManualWakeup) -> activity.Activity:
    """An activity that does this work, with heartbeats by this wakeup."""
    made = make("cook", run=runner.Sync(task.decorate(timeout=600, heartbeat=int(TIMEOUT))(work)))
    thread = heartbeat_thread.HeartbeatThread(wakeup)
    made.heartbeat_thread = lambda: thread
    return made


def test_the_wakeup_of_these_tests_wakes_and_waits() -> None:
    """A wait ends when the test lets it pass, which moves its clock, or when it is woken."""
    passed: list[float] = []
    wakeup = ManualWakeup(passed.append)
    waited: list[float] = []

    def wait() -> None:
        for seconds in (3, 4):
            wakeup.wait(seconds)
            waited.append(wakeup.now())

    thread = threading.Thread(target=wait)
    thread.start()
    wakeup.passes()
    wakeup.waits()
    wakeup.set()
    thread.join(LIMIT)
    assert (passed, waited) == ([3], [3, 3])


def executing(swf: LocalSWF, made: activity.Activity) -> ActivityExecution:
    """A task of the activity, scheduled by its flow's decider."""
    made.client = client = swf.client()
    decider = DeciderWorker(flow(client, cook=made))
    client.start_workflow_execution(
        domain="domain", workflowId="w", workflowType={"name": "flow", "version": "1.0"}
    )
    decider.run()
    execution = made.poll_for_activity()
    assert execution is not None
    return execution


def test_a_silent_task_outlives_three_heartbeat_timeouts() -> None:
    """SWF accepts the result of a task that sent no heartbeat itself for that long."""
    with LocalSWF() as swf:
        wakeup = ManualWakeup(swf.advance)

        def silent(context: Any, activity: Any) -> dict[str, Any]:
            begun = swf.now
            while swf.now < begun + 3 * TIMEOUT:
                wakeup.passes()
            wakeup.waits()
            return {"meal": "stew"}

        made = cooking(silent, wakeup)
        execution = executing(swf, made)
        assert made.respond(execution, made.attempt(execution))
        assert swf.history("w")[-2]["eventType"] == "ActivityTaskCompleted"


def test_a_starved_thread_lets_swf_see_the_hang() -> None:
    """Work that lets no other thread run has no heartbeats, and times out."""
    with LocalSWF() as swf:
        wakeup = ManualWakeup()

        def hanging(context: Any, activity: Any) -> None:
            swf.advance(TIMEOUT + 1)

        made = cooking(hanging, wakeup)
        execution = executing(swf, made)
        assert not made.respond(execution, made.attempt(execution))
        assert "ActivityTaskTimedOut" in [each["eventType"] for each in swf.history("w")]


def test_the_first_heartbeat_is_due_in_the_middle_of_the_heartbeat_timeout() -> None:
    """If the timeout is not known, the default holds; an earlier moment costs no call."""
    for timeout, known in ((30.0, 30.0), (None, 600.0)):
        waits: list[float] = []
        wakeup, swf = ManualWakeup(waits.append), FakeSwf()
        with heartbeat_thread.BackgroundHeartbeats(
            in_progress(swf, heartbeat_timeout=timeout), heartbeat_thread.HeartbeatThread(wakeup)
        ):
            wakeup.passes()
            wakeup.waits()
            assert swf.calls == []
            wakeup.passes()
            wakeup.waits()
        assert swf.names == [HEARTBEAT]
        assert known / 10 - 0.1 <= sum(waits) <= known * 3 / 4


def test_a_polled_task_has_its_heartbeat_timeout() -> None:
    """It is computed as in the decider, because the response of a poll does not hold it."""
    wakeup = ManualWakeup()
    answer = {"taskToken": "token", "activityId": "flow_cook-1", "input": "{}"}
    made = cooking(lambda context, activity: None, wakeup)
    made.client = FakeSwf().prepare("poll_for_activity_task", answer)
    execution = made.poll_for_activity()
    assert execution is not None
    assert execution.heartbeat_timeout == TIMEOUT


def test_quick_tasks_cost_no_heartbeat_and_share_a_thread() -> None:
    """The thread ends when it finds no task after its wait."""
    before, swf, wakeup = threads(), FakeSwf(), ManualWakeup()
    running: list[threading.Thread] = []

    def quick(context: Any, activity: Any) -> None:
        running.extend(threads() - before)

    made = cooking(quick, wakeup)
    for _ in range(3):
        assert isinstance(made.attempt(in_progress(swf)), AttemptCompleted)
    assert len(running) == 3
    assert len(set(running)) == 1
    wakeup.passes()
    assert joined(running[0])
    assert swf.calls == []


def test_the_next_task_starts_a_new_thread_after_the_last_ended() -> None:
    """A thread that has ended is not counted on."""
    before, wakeup = threads(), ManualWakeup()
    running: list[set[threading.Thread]] = []
    made = cooking(lambda context, activity: running.append(threads() - before), wakeup)
    for _ in range(2):
        made.attempt(in_progress(FakeSwf()))
        wakeup.passes()
        assert joined(*running[-1])
    assert len(running[0] | running[1]) == 2


def test_a_shorter_heartbeat_timeout_wakes_the_thread() -> None:
    """The thread does not wait for as long as the last task allowed."""
    wakeup, swf = ManualWakeup(), FakeSwf()
    heartbeats = heartbeat_thread.HeartbeatThread(wakeup)
    with heartbeat_thread.BackgroundHeartbeats(in_progress(swf, heartbeat_timeout=30), heartbeats):
        wakeup.waits()
    with heartbeat_thread.BackgroundHeartbeats(in_progress(swf, heartbeat_timeout=0.9), heartbeats):
        wakeup.passes()  # the last task's, which was woken
        wakeup.passes()
        wakeup.waits()
    assert swf.names == [HEARTBEAT]


@pytest.mark.parametrize("raises", [False, True])
def test_the_thread_of_a_longer_task_ends_with_it(*, raises: bool) -> None:
    """This holds if the task raises, too: no heartbeat follows its end."""
    before, wakeup = threads(), ManualWakeup()
    running: set[threading.Thread] = set()

    def work(context: Any, activity: Any) -> None:
        wakeup.passes()
        wakeup.waits()
        running.update(threads() - before)
        if raises:
            raise ValueError("broken")

    cooking(work, wakeup).attempt(in_progress(FakeSwf()))
    assert joined(*running)


@pytest.mark.parametrize(
    "error",
    [
        refusal(THROTTLED),
        refusal("AccessDeniedException"),
        EndpointConnectionError(endpoint_url="http://x"),
        KeyError("a fault of ours"),
    ],
)
def test_a_failed_heartbeat_is_logged_under_the_execution(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It fails neither the work nor the heartbeats that follow."""
    swf, wakeup = FakeSwf().prepare(HEARTBEAT, error), ManualWakeup()

    def work(context: Any, activity: Any) -> None:
        wakeup.passes_for(heartbeats=2)

    made = cooking(work, wakeup)
    assert isinstance(made.attempt(in_progress(swf, workflow_id="w", run_id="r")), AttemptCompleted)
    assert swf.names == [HEARTBEAT] * 2
    (record,) = caplog.records
    assert record.name == "garcon.domain.w.r"
    assert "eartbeat of flow_cook-1" in record.getMessage()


def test_a_heartbeat_of_the_task_puts_off_the_next_in_the_background() -> None:
    """SWF counts from the last one that it has accepted, from whichever thread."""
    swf, wakeup = FakeSwf(), ManualWakeup()

    def work(context: Any, activity: Any) -> None:
        wakeup.passes()
        wakeup.waits()
        activity.heartbeat()
        wakeup.passes()
        wakeup.waits()
        assert swf.names == [HEARTBEAT]
        assert activity.heartbeats.due >= 1.0 + TIMEOUT / 2

    execution = in_progress(swf)
    # By chance the first may be due after the one that follows the task's own.
    pace = HeartbeatPace(TIMEOUT, wakeup.now(), lambda low, high: (low + high) / 2)
    throttling = shared_throttling.SharedThrottling()
    execution.heartbeats = TaskHeartbeats(pace, wakeup.now, throttling)
    assert isinstance(cooking(work, wakeup).attempt(execution), AttemptCompleted)


def test_refused_heartbeats_of_a_list_take_one_line_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The next line says how many failed since; each refusal raises the host's throttling."""
    swf = FakeSwf().prepare(HEARTBEAT, *[refusal(THROTTLED)] * 4)
    wakeup, shared = ManualWakeup(), shared_throttling.SharedThrottling()
    thread = heartbeat_thread.HeartbeatThread(wakeup, shared)
    with heartbeat_thread.BackgroundHeartbeats(in_progress(swf, activity_name="cook"), thread):
        wakeup.passes_for(heartbeats=4)
        assert shared.level(wakeup.now()) > 0.5
    (record,) = caplog.records
    assert record.getMessage().endswith("The task goes on.")


def test_a_task_lost_to_refused_heartbeats_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """The line names the seconds and SWF's words; an execution that closed earlier is another."""
    wakeup, swf = ManualWakeup(), MagicMock()

    def throttle(**_: Any) -> None:
        in_time = wakeup.now() < TIMEOUT
        raise refusal(THROTTLED, "Rate exceeded") if in_time else refusal(GONE)

    swf.record_activity_task_heartbeat = throttle
    execution = in_progress(swf)
    thread = heartbeat_thread.HeartbeatThread(wakeup)
    before = threads()
    with heartbeat_thread.BackgroundHeartbeats(execution, thread):
        (running,) = threads() - before
        while wakeup.now() < TIMEOUT:
            wakeup.passes()
        assert joined(running)
    assert execution.gone
    assert "cook-1: lost: its heartbeats were refused for " in caplog.text
    assert "(ThrottlingException: Rate exceeded)" in caplog.text


def test_heartbeats_go_on_while_an_answer_waits() -> None:
    """A throttled answer is sent again later than SWF waits for a heartbeat; the result counts."""
    with LocalSWF() as swf:
        wakeup = ManualWakeup(swf.advance)
        made = cooking(lambda context, activity: None, wakeup)
        execution = executing(swf, made)
        outcome, begun = made.attempt(execution), swf.now
        client, refused = execution.client, iter([refusal(THROTTLED)])

        def sleep(_: float) -> None:
            while swf.now < begun + 3 * TIMEOUT:
                wakeup.passes()
            wakeup.waits()

        def answer(**request: Any) -> Any:
            if error := next(refused, None):
                raise error
            return client.respond_activity_task_completed(**request)

        execution.client = MagicMock(wraps=client, respond_activity_task_completed=answer)
        made.clock = Clock(wakeup.now, sleep)
        assert made.respond(execution, outcome)


def test_a_request_to_cancel_in_a_background_heartbeat_reaches_the_task() -> None:
    """The task sees it in ``cancel_requested``, and its own next heartbeat raises it."""
    requested = {"cancelRequested": True}
    swf, wakeup, stale = (
        FakeSwf().prepare(HEARTBEAT, requested, requested),
        ManualWakeup(),
        MagicMock(),
    )
    seen: list[bool] = []

    def work(context: Any, activity: Any) -> None:
        wakeup.passes_for(heartbeats=1)
        seen.append(activity.cancel_requested)
        activity.heartbeat()

    execution = in_progress(swf)
    execution.on_stale = stale
    assert isinstance(cooking(work, wakeup).attempt(execution), activity.AttemptCanceled)
    assert seen == [True]
    stale.assert_called_once_with(activity.TaskCanceled)


def test_a_gone_task_ends_the_background_heartbeats() -> None:
    """The task's own next heartbeat raises it without another request."""
    swf, wakeup, stale = FakeSwf().prepare(HEARTBEAT, refusal(GONE)), ManualWakeup(), MagicMock()
    before = threads()

    def work(context: Any, activity: Any) -> None:
        wakeup.passes()
        (thread,) = threads() - before
        wakeup.passes()
        assert joined(thread)
        activity.heartbeat()

    execution = in_progress(swf)
    execution.on_stale = stale
    assert isinstance(cooking(work, wakeup).attempt(execution), AttemptGone)
    assert execution.gone
    assert swf.names == [HEARTBEAT]
    stale.assert_called_once_with(activity.TaskGone)


def test_a_background_heartbeat_repeats_the_details_of_the_work() -> None:
    """SWF keeps the details of the last heartbeat only."""
    swf, wakeup = FakeSwf(), ManualWakeup()

    def work(context: Any, activity: Any) -> None:
        activity.heartbeat("half")
        wakeup.passes_for(heartbeats=1)

    cooking(work, wakeup).attempt(in_progress(swf))
    assert [each["details"] for each in swf.requests(HEARTBEAT)] == ["half", "half"]


def test_a_hanging_heartbeat_does_not_delay_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its late response is not reported: by then the report would concern the next task."""
    monkeypatch.setattr(heartbeat_thread, "HANG_TIMEOUT", 0.01)
    wakeup, stale, network, hangs = (
        ManualWakeup(),
        MagicMock(),
        threading.Event(),
        threading.Event(),
    )
    swf = MagicMock()
    execution = in_progress(swf)
    execution.on_stale = stale

    def hang(**_: Any) -> None:
        hangs.set()
        network.wait(LIMIT)
        raise refusal(GONE)

    swf.record_activity_task_heartbeat = hang
    before, heartbeats = threads(), heartbeat_thread.HeartbeatThread(wakeup)
    with heartbeat_thread.BackgroundHeartbeats(execution, heartbeats):
        wakeup.passes()
        (thread,) = threads() - before
        wakeup.passes()
        assert hangs.wait(LIMIT)
    network.set()
    assert joined(thread)
    assert execution.gone
    assert heartbeats.hangs
    stale.assert_not_called()


def test_a_hanging_heartbeat_thread_is_replaced_for_the_next_task() -> None:
    """So is that of a process that was forked within a task."""
    own = heartbeat_thread.current()
    assert heartbeat_thread.current() is own
    own.hangs = True
    assert heartbeat_thread.current() is not own
    heartbeat_thread.current().process = -1
    assert heartbeat_thread.current().process == os.getpid()


def test_the_child_of_a_fork_leaves_the_thread_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that forks may return from the child too, and only the parent ends the heartbeats."""
    heartbeats = heartbeat_thread.HeartbeatThread(ManualWakeup())
    with heartbeat_thread.BackgroundHeartbeats(in_progress(FakeSwf()), heartbeats):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            monkeypatch.setattr(heartbeats, "end", lambda: os.write(writer, b"ended"))
    if child == 0:
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b""


def test_work_goes_on_if_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A host at its limit of threads loses the heartbeats, not the work."""
    monkeypatch.setattr(
        threading.Thread, "start", MagicMock(side_effect=RuntimeError("can't start new thread"))
    )
    made = cooking(lambda context, activity: {"a": 1}, ManualWakeup())
    assert made.attempt(in_progress(FakeSwf())) == completed(a=1)
    assert "can't start new thread" in caplog.text
