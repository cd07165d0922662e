"""Scripted timelines: notices to an instance, and the end of its work; ``docs/ec2.md`` has them.

Times are scaled by settings: a look every fifth of a second, seconds instead of spot's two minutes.
Each timeline waits for what it has caused before it goes on, so its order holds on any machine.
"""

from __future__ import annotations

import contextlib
import json
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.auto_scaling import BEAT, COMPLETE, HOOK, Scaling
from tests.fakes.metadata_service import MAINTENANCE, PUT_TOKEN, REBALANCE, SPOT, TARGET, Metadata
from tests.processes import swf
from tests.processes.harness import until
from tests.processes.instance import Outcome, Stage, pool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


LONG, SHORT = 600.0, 16.0
"""Seconds of notice: more than any task needs, and as few as a slow machine can do with."""

MARGIN = 12.0
"""Seconds before the end at which a task is cut short: of a short notice, after four."""

EARLY = 30.0
"""Seconds that the group waits where no heartbeat is permitted: a hook's least."""


@dataclass(frozen=True)
class Timeline:
    """A timeline: its notices, its outcome, and the settings that it needs.

    Attributes:
        name: For people and for the table.
        notice: The notice to the instance, in a few words.
        in_progress: What the pool is at.
        play: What happens, up to the program's end.
        outcome: What comes of it.
        gone: When the instance would be gone, in words.
        argv: Options of the supervisor.
        hooked: Whether the instance is in a group with a termination hook.
    """

    name: str
    notice: str
    in_progress: str
    play: Callable[[Stage], None]
    outcome: Outcome
    gone: str
    argv: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    hooked: bool = False

    @property
    def row(self) -> str:
        """Its line in the table."""
        cells = (
            *(self.name, self.notice, self.in_progress),
            *(str(self.outcome.finished), str(self.outcome.handed_back)),
            *(str(self.outcome.code), self.gone),
        )
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| timeline | notice | in progress | finished | abandoned | exit code"
    " | the instance would be gone |"
)


# --- spot -----------------------------------------------------------------------------------------


def in_mid_poll(stage: Stage) -> None:
    """No task is in progress."""
    stage.notice(LONG)
    stage.drains()


def in_mid_task(stage: Stage) -> None:
    """The task ends in time."""
    stage.work()
    stage.notice(LONG)
    stage.drains()
    stage.finish()


def too_short(stage: Stage) -> None:
    """The task does not end in time."""
    stage.work()
    stage.notice(SHORT)
    stage.drains()


def result_under_way(stage: Stage) -> None:
    """The task has ended, and SWF takes no answer until its worker is killed for the time.

    The task ends before the notice, so that it has not to hurry.
    """
    faults, many = swf.Faults(stage.endpoint), 1_000_000
    faults.order("throttle", "RespondActivityTaskCompleted", count=many)
    stage.work()
    stage.finish()
    until(lambda: faults.orders()[0]["count"] < many, "an answer that is throttled")
    stage.notice(SHORT)
    stage.drains()
    stage.pool.wait_for("worker_died")
    faults.withdraw()


def twice(stage: Stage) -> None:
    """The same is seen again, and reported again by a sidecar that has forgotten it."""
    stage.work()
    stage.notice(LONG)
    stage.drains()
    stage.metadata.wait_for(SPOT, 200, more=2)
    stage.sidecar().kill()
    stage.pool.wait_for("sidecar_lost", sidecar="ec2")
    stage.pool.wait_for("notice", notice="spot")
    stage.finish()


def nearer(stage: Stage) -> None:
    """The end comes nearer."""
    stage.work()
    stage.notice(LONG)
    stage.drains()
    stage.notice(SHORT)
    stage.pool.wait_for("notice", notice="spot")


def withdrawn(stage: Stage) -> None:
    """The notice is withdrawn, and the drain goes on."""
    stage.work()
    stage.notice(LONG)
    stage.drains()
    stage.metadata.withdraw(SPOT)
    stage.pool.wait_for("notice_withdrawn", notice="spot")
    stage.finish()


# --- the service itself ---------------------------------------------------------------------------


def token_ends(stage: Stage) -> None:
    """The token is renewed before its end, which is a second."""
    stage.work()
    stage.metadata.wait_for(PUT_TOKEN, 200, more=2)
    stage.notice(LONG)
    stage.drains()
    stage.finish()


def token_refused(stage: Stage) -> None:
    """A token that is no longer valid is replaced."""
    stage.work()
    stage.metadata.wait_for(SPOT, 404)
    stage.metadata.forget_tokens()
    stage.notice(LONG)
    stage.drains()
    assert any(status == 401 for _, status in stage.metadata.requests)
    stage.finish()


def errors(stage: Stage) -> None:
    """The service fails a while; the notice comes meanwhile."""
    stage.work()
    stage.metadata.wait_for(SPOT, 404)
    stage.metadata.fail(500, 8)
    stage.notice(LONG)
    stage.pool.wait_for("metadata_unavailable")
    stage.drains()
    stage.finish()


def service_gone(stage: Stage) -> None:
    """The service does not answer for a while; one warning, and then the notice is seen."""
    stage.work()
    stage.metadata.wait_for(SPOT, 404)
    stage.metadata.stop()
    stage.pool.wait_for("metadata_unavailable")
    stage.notice(LONG)
    stage.metadata.start()
    stage.pool.wait_for("metadata_recovered")
    stage.drains()
    stage.finish()


# --- other notices --------------------------------------------------------------------------------


def recommend(stage: Stage) -> None:
    """EC2 recommends to rebalance."""
    stage.metadata.put(REBALANCE, json.dumps({"noticeTime": "2026-11-05T08:22:00Z"}))
    stage.pool.wait_for("notice", notice="rebalance")


def rebalance_logged(stage: Stage) -> None:
    """It is logged; the pool serves on, until it is stopped."""
    recommend(stage)
    stage.work()
    stage.finish()
    assert stage.trial is not None
    stage.trial.completes()
    stage.pool.signal(signal.SIGTERM)
    assert "SIGTERM" in stage.pool.wait_for("draining")["message"]


def rebalance_drained(stage: Stage) -> None:
    """It is a reason to drain."""
    stage.work()
    recommend(stage)
    stage.drains()
    stage.finish()


def maintenance(stage: Stage) -> None:
    """A reboot is scheduled."""
    stage.work()
    stage.ends = float(int(time.time() + SHORT))
    begins = time.strftime("%d %b %Y %H:%M:%S GMT", time.gmtime(stage.ends))
    event = {"NotBefore": begins, "Code": "system-reboot", "State": "active", "EventId": "e-1"}
    stage.metadata.put(MAINTENANCE, json.dumps([event]))
    stage.drains()


# --- the group ------------------------------------------------------------------------------------


def scale_in(stage: Stage) -> None:
    """The group waits at its hook, kept so by heartbeats, until the task has ended."""
    assert stage.scaling is not None
    stage.work()
    stage.metadata.put(TARGET, "Terminated")
    stage.drains()
    stage.scaling.wait_for(BEAT)
    assert stage.scaling.count(COMPLETE) == 0
    stage.finish()
    stage.pool.wait_for("hook_completed")
    assert stage.scaling.wait_for(COMPLETE)["LifecycleActionResult"] == "CONTINUE"


def scale_in_too_short(stage: Stage) -> None:
    """Heartbeats are not permitted: the group waits no longer than its hook's timeout."""
    assert stage.scaling is not None
    stage.work()
    stage.scaling.order(BEAT, "AccessDenied")
    stage.ends = time.time() + EARLY
    stage.metadata.put(TARGET, "Terminated")
    stage.pool.wait_for("autoscaling_refused", action=f"autoscaling:{BEAT}")
    stage.pool.wait_for("hook_completed")


def reclaimed_in_a_group(stage: Stage) -> None:
    """Both are logged; the hook is completed though the drain had begun."""
    assert stage.scaling is not None
    stage.work()
    stage.notice(LONG)
    stage.drains()
    stage.metadata.put(TARGET, "Terminated")
    stage.scaling.wait_for(BEAT)
    stage.finish()
    stage.scaling.wait_for(COMPLETE)


FINISHED, RETURNED = Outcome(finished=1), Outcome(handed_back=1, code=1)
IN_LONG, IN_SHORT = f"{LONG:g} s after the notice", f"{SHORT:g} s after the notice"
NOT = "not at all"

TIMELINES = (
    Timeline("notice in mid-poll", "spot: terminate", "polls", in_mid_poll, Outcome(), IN_LONG),
    Timeline("notice in mid-task", "spot: terminate", "a task", in_mid_task, FINISHED, IN_LONG),
    Timeline("too short", "spot: terminate", "a longer task", too_short, RETURNED, IN_SHORT),
    Timeline(
        *("result under way", "spot: terminate", "a result that SWF throttles"),
        *(result_under_way, Outcome(finished=1, code=1), IN_SHORT),
    ),
    Timeline("twice", "spot: terminate, seen again", "a task", twice, FINISHED, IN_LONG),
    Timeline(
        *("nearer", "spot: terminate, then sooner", "a longer task", nearer, RETURNED),
        f"{SHORT:g} s after the second notice",
    ),
    Timeline("withdrawn", "spot: terminate, then nothing", "a task", withdrawn, FINISHED, IN_LONG),
    Timeline(
        *("token ends", "spot: terminate", "a task", token_ends, FINISHED, IN_LONG),
        variables={"GARCON_METADATA_TOKEN_TTL": "1"},
    ),
    Timeline(
        "token refused", "401, then spot: terminate", "a task", token_refused, FINISHED, IN_LONG
    ),
    Timeline("errors", "500, then spot: terminate", "a task", errors, FINISHED, IN_LONG),
    Timeline(
        "service gone", "nothing, then spot: terminate", "a task", service_gone, FINISHED, IN_LONG
    ),
    Timeline("rebalance, logged", "rebalance", "a task", rebalance_logged, FINISHED, NOT),
    Timeline(
        *("rebalance, drained", "rebalance", "a task", rebalance_drained, FINISHED, NOT),
        argv=("--on-rebalance", "drain"),
    ),
    Timeline(
        *("maintenance", "system-reboot scheduled", "a longer task", maintenance, RETURNED),
        f"{SHORT:g} s after the notice",
    ),
    Timeline(
        *("scale-in", "target state: Terminated", "a task", scale_in, FINISHED),
        *("when its hook is completed",),
        hooked=True,
    ),
    Timeline(
        *("scale-in, no heartbeats", "target state: Terminated", "a longer task"),
        *(scale_in_too_short, RETURNED, f"{EARLY:g} s after the notice"),
        argv=("--notice-margin", "26"),
        hooked=True,
    ),
    Timeline(
        *("reclaimed in a group", "spot: terminate, target state: Terminated", "a task"),
        *(reclaimed_in_a_group, FINISHED, IN_LONG),
        hooked=True,
    ),
)


def run(timeline: Timeline, endpoint: str, folder: Path) -> Outcome:
    """Play one timeline to its end."""
    with contextlib.ExitStack() as stack:
        scaling = stack.enter_context(Scaling(HOOK)) if timeline.hooked else None
        metadata = stack.enter_context(Metadata())
        variables = {"GARCON_NOTICE_MARGIN": str(MARGIN), **timeline.variables}
        started = pool(endpoint, metadata, scaling, *timeline.argv, **variables)
        stage = Stage(stack.enter_context(started).ready(), endpoint, folder, metadata, scaling)
        timeline.play(stage)
        return stage.outcome()
