"""Signs of life in the background: when they are sent, what they bring, and when they end."""

from __future__ import annotations

import os
import queue
import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import EndpointConnectionError

from garcon import activity, runner, task
from garcon.activity import ActivityExecution, Completed, Gone, beating
from garcon.decider import DeciderWorker
from garcon.local import LocalSWF
from tests.garcon.fakes import GONE, THROTTLED, FakeSwf, refusal
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Callable

HEARTBEAT = "record_activity_task_heartbeat"
TIMEOUT = 30.0  # seconds of heartbeat timeout in these tests
PATIENCE = 10.0  # seconds that a test waits for the other thread


class SlowBell:
    """A bell whose waits pass when the test says so; ``seconds`` hears how long each would last."""

    def __init__(self, seconds: Callable[[float], None] = lambda _: None) -> None:
        self._seconds = seconds
        self._asked: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._rung: queue.SimpleQueue[bool] = queue.SimpleQueue()  # or passed

    def wait(self, timeout: float) -> bool:
        self._asked.put(timeout)
        return self._rung.get(timeout=PATIENCE)

    def set(self) -> None:
        self._rung.put(item=True)

    def passes(self) -> None:
        """Let one wait pass; the beat before it has been sent."""
        self._seconds(self._asked.get(timeout=PATIENCE))
        self._rung.put(item=False)

    def waits(self) -> None:
        """Until the next wait begins, which means that the beat before it has been sent."""
        self._asked.put(self._asked.get(timeout=PATIENCE))


def in_hand(swf: Any, **more: Any) -> ActivityExecution:
    """A task received just now."""
    more.setdefault("heartbeat_timeout", TIMEOUT)
    return ActivityExecution(swf, "flow_cook-1", "token", "{}", **more)


def cooking(work: Callable[..., Any], bell: SlowBell) -> activity.Activity:
    """An activity that does this work, with beats by this bell."""
    made = make("cook", run=runner.Sync(task.decorate(timeout=600, heartbeat=int(TIMEOUT))(work)))
    made.bell = lambda: bell
    return made


def test_the_bell_of_these_tests_rings_and_waits() -> None:
    """A wait is over when it passes, or when the bell is rung, and tells which."""
    heard: list[float] = []
    bell = SlowBell(heard.append)
    waited: list[bool] = []
    thread = threading.Thread(target=lambda: waited.extend([bell.wait(3), bell.wait(4)]))
    thread.start()
    bell.passes()
    bell.waits()
    bell.set()
    thread.join(PATIENCE)
    assert (heard, waited) == ([3], [False, True])


def executing(swf: LocalSWF, made: activity.Activity) -> ActivityExecution:
    """A task of the activity in hand, scheduled by its flow's decider."""
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
    """A task that calls nothing for so long is alive to SWF, and its result is taken."""
    with LocalSWF() as swf:
        bell = SlowBell(swf.advance)

        def silent(context: Any, activity: Any) -> dict[str, Any]:
            begun = swf.now
            while swf.now < begun + 3 * TIMEOUT:
                bell.passes()
            bell.waits()
            return {"meal": "stew"}

        made = cooking(silent, bell)
        execution = executing(swf, made)
        assert made.respond(execution, made.attempt(execution))
        assert swf.history("w")[-2]["eventType"] == "ActivityTaskCompleted"


def test_a_starved_thread_lets_swf_see_the_hang() -> None:
    """Work that lets no other thread run has no signs of life, and times out."""
    with LocalSWF() as swf:
        bell = SlowBell()

        def hanging(context: Any, activity: Any) -> None:
            swf.advance(TIMEOUT + 1)

        made = cooking(hanging, bell)
        execution = executing(swf, made)
        assert not made.respond(execution, made.attempt(execution))
        assert "ActivityTaskTimedOut" in [each["eventType"] for each in swf.history("w")]


def test_beats_come_at_a_third_of_the_heartbeat_timeout() -> None:
    """Of one that is not known, at a third of the default."""
    for timeout, third in ((30.0, 10.0), (None, 200.0)):
        waits: list[float] = []
        bell = SlowBell(waits.append)
        with beating.beating(in_hand(FakeSwf(), heartbeat_timeout=timeout), bell):
            bell.passes()
        assert waits == [third]


def test_a_poll_tells_the_task_its_heartbeat_timeout() -> None:
    """Reckoned as the decider does, because SWF's answer does not say it."""
    bell = SlowBell()
    answer = {"taskToken": "token", "activityId": "flow_cook-1", "input": "{}"}
    made = cooking(lambda context, activity: None, bell)
    made.client = FakeSwf().prepare("poll_for_activity_task", answer)
    execution = made.poll_for_activity()
    assert execution is not None
    assert execution.heartbeat_timeout == TIMEOUT


def test_a_quick_task_costs_no_beat_and_leaves_no_thread() -> None:
    """The thread ends with the task, before the answer is sent."""
    before, swf = threading.active_count(), FakeSwf()
    running: list[int] = []

    def quick(context: Any, activity: Any) -> None:
        running.append(threading.active_count() - before)

    made = cooking(quick, SlowBell())
    assert isinstance(made.attempt(in_hand(swf)), Completed)
    assert (running, threading.active_count() - before, swf.calls) == ([1], 0, [])


def test_the_thread_ends_with_work_that_raises() -> None:
    """However a task ends, nothing speaks for it any more."""
    before = threading.active_count()

    def broken(context: Any, activity: Any) -> None:
        raise ValueError("broken")

    cooking(broken, SlowBell()).attempt(in_hand(FakeSwf()))
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "trouble",
    [
        refusal(THROTTLED),
        refusal("AccessDeniedException"),
        EndpointConnectionError(endpoint_url="http://x"),
        KeyError("a fault of ours"),
    ],
)
def test_a_beat_that_fails_is_logged_under_the_execution_and_followed_by_the_next(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """No trouble of a beat fails the work, nor ends the beats."""
    swf, bell = FakeSwf().prepare(HEARTBEAT, trouble), SlowBell()

    def work(context: Any, activity: Any) -> None:
        bell.passes()
        bell.passes()
        bell.waits()

    made = cooking(work, bell)
    assert isinstance(made.attempt(in_hand(swf, workflow_id="w", run_id="r")), Completed)
    assert swf.names == [HEARTBEAT] * 2
    (record,) = caplog.records
    assert record.name == "garcon.domain.w.r"
    assert "eartbeat of flow_cook-1" in record.getMessage()


def test_a_request_to_cancel_that_a_beat_brings_is_the_task_s() -> None:
    """It can be looked at, is told once, and the task's own next heartbeat raises it."""
    asked = {"cancelRequested": True}
    swf, bell, stale = FakeSwf().prepare(HEARTBEAT, asked, asked), SlowBell(), MagicMock()
    seen: list[bool] = []

    def work(context: Any, activity: Any) -> None:
        bell.passes()
        bell.waits()
        seen.append(activity.cancel_requested)
        activity.heartbeat()

    execution = in_hand(swf)
    execution.on_stale = stale
    assert isinstance(cooking(work, bell).attempt(execution), activity.Canceled)
    assert seen == [True]
    stale.assert_called_once_with(activity.TaskCanceled)


def test_that_the_task_is_gone_is_kept_and_ends_the_beats() -> None:
    """The task's own next heartbeat raises it, and asks SWF no more."""
    swf, bell, stale = FakeSwf().prepare(HEARTBEAT, refusal(GONE)), SlowBell(), MagicMock()
    threads = threading.active_count()

    def work(context: Any, activity: Any) -> None:
        bell.passes()
        for thread in threading.enumerate()[threads:]:
            thread.join(PATIENCE)
        activity.heartbeat()

    execution = in_hand(swf)
    execution.on_stale = stale
    assert isinstance(cooking(work, bell).attempt(execution), Gone)
    assert execution.gone
    assert swf.names == [HEARTBEAT]
    stale.assert_called_once_with(activity.TaskGone)


def test_a_beat_repeats_the_details_that_the_work_gave() -> None:
    """SWF shows the details of the last sign of life; a silent one would wipe them out."""
    swf, bell = FakeSwf(), SlowBell()

    def work(context: Any, activity: Any) -> None:
        activity.heartbeat("half")
        bell.passes()
        bell.waits()

    cooking(work, bell).attempt(in_hand(swf))
    assert [each["details"] for each in swf.requests(HEARTBEAT)] == ["half", "half"]


def test_a_beat_that_hangs_does_not_hold_the_answer_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it brings when it comes back is not told to who watches the next task by then."""
    monkeypatch.setattr(beating, "HANGING", 0.01)
    bell, stale, network = SlowBell(), MagicMock(), threading.Event()
    swf = MagicMock()
    execution = in_hand(swf)
    execution.on_stale = stale

    def hang(**_: Any) -> None:
        network.wait(PATIENCE)
        raise refusal(GONE)

    swf.record_activity_task_heartbeat = hang
    with beating.beating(execution, bell):
        bell.passes()
        threads = threading.enumerate()
    network.set()
    for thread in threads:
        if thread.name.startswith("heartbeats"):
            thread.join(PATIENCE)
    assert execution.gone
    stale.assert_not_called()


def test_the_child_of_a_fork_leaves_the_thread_alone() -> None:
    """A task that forks may return from the child too, and only the parent ends the beats."""
    bell, over = MagicMock(), threading.Event()
    bell.wait.side_effect = lambda _: over.wait(PATIENCE)
    bell.set.side_effect = over.set
    with beating.beating(in_hand(FakeSwf()), bell):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            bell.set.side_effect = lambda: os.write(writer, b"rung")
    if child == 0:
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as told:
        assert told.read() == b""


def test_work_goes_on_where_no_thread_can_be_had(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine without a thread to spare costs the signs of life, not the work."""
    monkeypatch.setattr(
        threading.Thread, "start", MagicMock(side_effect=RuntimeError("can't start new thread"))
    )
    made = cooking(lambda context, activity: {"a": 1}, SlowBell())
    assert made.attempt(in_hand(FakeSwf())) == Completed({"a": 1})
    assert "can't start new thread" in caplog.text
