"""Signs of life in the background: when they are sent, what they bring, and when they end."""

from __future__ import annotations

import contextlib
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
    """A bell whose waits pass when the test says so, and a clock that goes on by them.

    ``seconds`` hears how long each would last.
    """

    def __init__(self, seconds: Callable[[float], None] = lambda _: None) -> None:
        self._seconds = seconds
        self._now = 0.0
        self._asked: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._over: queue.SimpleQueue[None] = queue.SimpleQueue()  # it has passed, or it rang

    def now(self) -> float:
        return self._now

    def wait(self, timeout: float) -> None:
        self._asked.put(timeout)
        with contextlib.suppress(queue.Empty):  # its test is over
            self._over.get(timeout=PATIENCE)

    def set(self) -> None:
        self._over.put(None)

    def clear(self) -> None:
        pass

    def passes(self) -> None:
        """Let one wait pass; the beat before it has been sent."""
        seconds = self._asked.get(timeout=PATIENCE)
        self._now += seconds
        self._seconds(seconds)
        self._over.put(None)

    def waits(self) -> None:
        """Until the next wait begins, which means that the beat before it has been sent."""
        self._asked.put(self._asked.get(timeout=PATIENCE))

    def passes_for(self, beats: int) -> None:
        """Time for so many beats; before the first one the thread looks around."""
        for _ in range(1 + beats):
            self.passes()
        self.waits()


def threads() -> set[threading.Thread]:
    """Those that beat."""
    return {each for each in threading.enumerate() if each.name == "heartbeats"}


def joined(thread: threading.Thread) -> bool:
    """Whether it ends."""
    thread.join(PATIENCE)
    return not thread.is_alive()


def in_hand(swf: Any, **more: Any) -> ActivityExecution:
    """A task received just now."""
    more.setdefault("heartbeat_timeout", TIMEOUT)
    return ActivityExecution(swf, "flow_cook-1", "token", "{}", **more)


def cooking(work: Callable[..., Any], bell: SlowBell) -> activity.Activity:
    """An activity that does this work, with beats by this bell."""
    made = make("cook", run=runner.Sync(task.decorate(timeout=600, heartbeat=int(TIMEOUT))(work)))
    beats = beating.Beats(bell)
    made.beats = lambda: beats
    return made


def test_the_bell_of_these_tests_rings_and_waits() -> None:
    """A wait is over when it passes, which takes the time that it would last, or when it rings."""
    heard: list[float] = []
    bell = SlowBell(heard.append)
    waited: list[float] = []

    def wait() -> None:
        for seconds in (3, 4):
            bell.wait(seconds)
            waited.append(bell.now())

    thread = threading.Thread(target=wait)
    thread.start()
    bell.passes()
    bell.waits()
    bell.set()
    thread.join(PATIENCE)
    assert (heard, waited) == ([3], [3, 3])


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
        bell, swf = SlowBell(waits.append), FakeSwf()
        with beating.beating(in_hand(swf, heartbeat_timeout=timeout), beating.Beats(bell)):
            bell.passes()
            bell.waits()
            assert swf.calls == []
            bell.passes()
            bell.waits()
        assert swf.names == [HEARTBEAT]
        assert sum(waits) == third


def test_a_poll_tells_the_task_its_heartbeat_timeout() -> None:
    """Reckoned as the decider does, because SWF's answer does not say it."""
    bell = SlowBell()
    answer = {"taskToken": "token", "activityId": "flow_cook-1", "input": "{}"}
    made = cooking(lambda context, activity: None, bell)
    made.client = FakeSwf().prepare("poll_for_activity_task", answer)
    execution = made.poll_for_activity()
    assert execution is not None
    assert execution.heartbeat_timeout == TIMEOUT


def test_quick_tasks_cost_no_beat_and_share_a_thread() -> None:
    """It ends when it looks around and finds no task."""
    before, swf, bell = threads(), FakeSwf(), SlowBell()
    running: list[threading.Thread] = []

    def quick(context: Any, activity: Any) -> None:
        running.extend(threads() - before)

    made = cooking(quick, bell)
    for _ in range(3):
        assert isinstance(made.attempt(in_hand(swf)), Completed)
    assert len(running) == 3
    assert len(set(running)) == 1
    bell.passes()
    assert joined(running[0])
    assert swf.calls == []


def test_the_next_task_starts_a_new_thread() -> None:
    """After one that has ended for want of a task."""
    before, bell = threads(), SlowBell()
    running: list[set[threading.Thread]] = []
    made = cooking(lambda context, activity: running.append(threads() - before), bell)
    for _ in range(2):
        made.attempt(in_hand(FakeSwf()))
        bell.passes()
        assert joined(*running[-1])
    assert len(running[0] | running[1]) == 2


def test_a_task_with_less_patience_than_the_last_one_is_in_time() -> None:
    """The thread does not wait as long as the last task would have let it."""
    bell, swf = SlowBell(), FakeSwf()
    beats = beating.Beats(bell)
    with beating.beating(in_hand(swf, heartbeat_timeout=30), beats):
        bell.waits()
    with beating.beating(in_hand(swf, heartbeat_timeout=1.5), beats):
        bell.passes()  # the last one's: it was rung out of it
        bell.passes()
        bell.waits()
    assert swf.names == [HEARTBEAT]


@pytest.mark.parametrize("raises", [False, True])
def test_the_thread_of_a_longer_task_ends_with_it(*, raises: bool) -> None:
    """However it ends: nothing speaks for it any more."""
    before, bell = threads(), SlowBell()
    running: set[threading.Thread] = set()

    def work(context: Any, activity: Any) -> None:
        bell.passes()
        bell.waits()
        running.update(threads() - before)
        if raises:
            raise ValueError("broken")

    cooking(work, bell).attempt(in_hand(FakeSwf()))
    assert joined(*running)


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
        bell.passes_for(beats=2)

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
        bell.passes_for(beats=1)
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
    before = threads()

    def work(context: Any, activity: Any) -> None:
        bell.passes()
        (thread,) = threads() - before
        bell.passes()
        assert joined(thread)
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
        bell.passes_for(beats=1)

    cooking(work, bell).attempt(in_hand(swf))
    assert [each["details"] for each in swf.requests(HEARTBEAT)] == ["half", "half"]


def test_a_beat_that_hangs_does_not_hold_the_answer_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it brings when it comes back is not told to who watches the next task by then."""
    monkeypatch.setattr(beating, "HANGING", 0.01)
    bell, stale, network, hangs = SlowBell(), MagicMock(), threading.Event(), threading.Event()
    swf = MagicMock()
    execution = in_hand(swf)
    execution.on_stale = stale

    def hang(**_: Any) -> None:
        hangs.set()
        network.wait(PATIENCE)
        raise refusal(GONE)

    swf.record_activity_task_heartbeat = hang
    before, beats = threads(), beating.Beats(bell)
    with beating.beating(execution, beats):
        bell.passes()
        (thread,) = threads() - before
        bell.passes()
        assert hangs.wait(PATIENCE)
    network.set()
    assert joined(thread)
    assert execution.gone
    assert beats.hangs
    stale.assert_not_called()


def test_a_thread_whose_beat_hangs_gets_new_ones_for_its_next_task() -> None:
    """As does a process that was forked in a task."""
    own = beating.of_thread()
    assert beating.of_thread() is own
    own.hangs = True
    assert beating.of_thread() is not own
    beating.of_thread().process = -1
    assert beating.of_thread().process == os.getpid()


def test_the_child_of_a_fork_leaves_the_thread_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that forks may return from the child too, and only the parent ends the beats."""
    beats = beating.Beats(SlowBell())
    with beating.beating(in_hand(FakeSwf()), beats):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            monkeypatch.setattr(beats, "end", lambda: os.write(writer, b"ended"))
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
