"""The gate that replays a sample of open executions: would this code leave any without a decider?

Rules:

1. The sample is half of the executions that were started last, half the oldest ones: changes behind
   an execution show in long histories, and most executions are young.
2. An execution that this code does not fit would wait for code that does, so new code is stopped.
3. Unless this build has been let in before: an execution of the sample was decided by it, or was
   returned by it. Then the misfits are named, and the host starts: a fleet must be able to replace
   its hosts while old executions wait.
4. An execution without a note was decided by a release without builds, which may have decided a
   little otherwise. Deciders do not compare it, so a difference stops no code. It is named.
5. An execution that is stuck already is not harmed by this code. It is named.
6. The gate is bounded: two calls for the list, one for each thousand events, and no further history
   after ``MOST_EVENTS``.
7. Task lists on which tasks of the sample wait, and which this code does not have, are named: no
   worker of this host will take them.
8. Without the permission to list or read executions nothing is replayed, and a warning says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from garcon import client
from garcon.decider import history_replay
from garcon.decider.builds import MOST_REPLAYED
from garcon.executions import listing, recorded_history
from garcon.history import build_notes
from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garcon.executions.recorded_history import Events
    from garcon.executions.values import Execution
    from garcon.history.build_notes import BuildNote
    from supervisor.child.flow_loader import Flow
    from supervisor.child.jobs.throttle_wait import ThrottleWait

MOST_EVENTS = 40_000
"""Events that are read in all: three seconds of replay, 40 calls."""

SHOWN = 5
"""Workflow ids in a sentence."""


@dataclass
class OpenSample:
    """The findings of the replays of open executions.

    Attributes:
        build: Id of this code's build.
        fitting: Number of executions that this code fits.
        misfits: Workflow ids and builds of those that it does not fit.
        stuck: Workflow ids of misfits that were stuck before.
        unnoted: Workflow ids of misfits without a note.
        is_admitted: Whether this build has decided, or returned, one of them before.
        unserved_lists: Task lists with waiting tasks that this code does not have.
    """

    build: str
    fitting: int = 0
    misfits: list[tuple[str, str]] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    unnoted: list[str] = field(default_factory=list)
    is_admitted: bool = False
    unserved_lists: set[str] = field(default_factory=set)

    def add(self, workflow_id: str, note: BuildNote | None, *, fits: bool) -> bool:
        """Add an execution, with the latest note of its history; returns whether it is harmed."""
        if note and self.build and self.build in (note.build, *note.misfits):
            self.is_admitted = True
        if fits:
            self.fitting += 1
        elif note is None:
            self.unnoted.append(workflow_id)
        elif note.is_stuck:
            self.stuck.append(workflow_id)
        else:
            self.misfits.append((workflow_id, note.build))
            return True
        return False

    @property
    def is_harmful(self) -> bool:
        """Whether this code would leave executions without a decider."""
        return bool(self.misfits) and not self.is_admitted

    @property
    def report(self) -> str:
        """Sentences about those that do not fit; empty if all do."""
        parts = []
        if self.misfits:
            whose = f"build {', '.join(sorted({build for _, build in self.misfits}))}"
            names = _names([each for each, _ in self.misfits])
            parts.append(
                f"{len(self.misfits)} of the open executions do not fit ({names}): they stay with"
                f" {whose}."
            )
        if self.stuck:
            parts.append(f"{len(self.stuck)} were stuck before ({_names(self.stuck)}).")
        if self.unnoted:
            parts.append(
                f"{len(self.unnoted)} differ that were decided without a build"
                f" ({_names(self.unnoted)}): they go on."
            )
        if self.unserved_lists:
            names = _names(sorted(self.unserved_lists))
            parts.append(f"Tasks wait on lists that this code does not have: {names}.")
        return " ".join(parts)


def open_histories(
    flow: Flow, number: int, throttle_wait: ThrottleWait
) -> Iterator[tuple[Execution, Events]]:
    """A sample of the flow's open executions, with their histories.

    Args:
        flow: The flow.
        number: The most executions.
        throttle_wait: Waits out throttles.

    Raises:
        botocore.exceptions.ClientError: SWF refused a call.
        botocore.exceptions.BotoCoreError: SWF was not reached.
    """
    swf: Any = client.calling(getattr(flow.target, "client", None))
    read = 0
    for each in throttle_wait.call(
        partial(listing.open_sample, swf, flow.domain, flow.name, number)
    ):
        read_it = partial(recorded_history.since, swf, flow.domain, each.execution, 0)
        events = throttle_wait.call(read_it)
        yield each.execution, events
        read += len(events)
        if read > MOST_EVENTS:
            log.LOGGER.info("Replayed histories of %d events; no further ones are read.", read)
            return


def unserved_lists(flow: Flow, events: Events) -> set[str]:
    """The task lists on which activities of an execution wait, and which the flow does not have."""
    waiting: dict[int, str] = {}
    for event in events:
        members = recorded_history.attributes(event)
        if event["eventType"] == "ActivityTaskScheduled":
            waiting[event["eventId"]] = str(members.get("taskList", {}).get("name"))
        elif event["eventType"].startswith("ActivityTask"):
            waiting.pop(members.get("scheduledEventId", 0), None)
    return set(waiting.values()) - {*flow.activities, *flow.external_lists}


def misfit(flow: Flow, execution: Execution, events: Events) -> history_replay.Difference | None:
    """The first decision of a history that the flow's code does not repeat."""
    return history_replay.misfit(flow.target, events, MOST_REPLAYED, execution.wire())


def note_of(events: Events) -> BuildNote | None:
    """The latest note of a history."""
    return build_notes.latest(reversed(events))


def _names(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more
