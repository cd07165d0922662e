"""A fleet of supervisors, each with the code of one version of a flow; versions do not fit.

The flow has a decider of its own, or activities that require one another. Both have three
activities whose names or ids are their version's, with two gates between them: signals, or
activities that the operator (this module) does. Timers run meanwhile. Each beginning of a task
leaves a line in a file.
"""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from garcon.history import build_notes
from tests.processes import swf
from tests.processes.harness import Program, Supervisor, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from garcon.history.build_notes import BuildNote

_TASK = """
import os
import pathlib

from garcon import activity, runner, task
from garcon.retry import Retry

domain, name = "tests", "fleet"
create = activity.create(domain, name)


@task.decorate(timeout=60, heartbeat=60)
def do_it(context, activity):
    line = f"{{context['execution.workflow_id']}} {{activity.activity_id}}\\n"
    with open(os.environ["FLEET_TRACE"], "a") as trace:
        trace.write(line)
    return {{}}

"""

CUSTOM = (
    _TASK
    + """
step = create(name="step", run=runner.Sync(do_it), retry=9, schedule_to_start=7200)


def decider(schedule):
    schedule("first-v{version}", step).wait()
    for leg in range(2):
        reminder = schedule.timer(f"soon{{leg}}-v{version}", 1)
        schedule.signal("go").wait()
        reminder.wait()
        schedule(f"leg{{leg}}-v{version}", step).wait()
"""
)
"""A decider of one's own, whose ids are those of its version."""

REQUIRES = (
    _TASK
    + """
@task.decorate(timeout=60, heartbeat=60)
def do_it_at_the_second_attempt(context):
    tried = pathlib.Path(os.environ["FLEET_TRACE"] + "-" + context["execution.workflow_id"])
    if not tried.exists():
        tried.touch()
        raise ConnectionError("the first attempt of this test fails")
    return {{}}


def gate(name, before):
    return create(
        name=name, requires=[before], external=True, timeout=7200, schedule_to_start=7200
    )


def step(name, *before, run=do_it, retry=9):
    return create(
        name=name,
        requires=list(before),
        run=runner.Sync(run),
        retry=retry,
        schedule_to_start=7200,
    )


first = step("first-v{version}")
gate0 = gate("gate0", first)
leg0 = step("leg0-v{version}", gate0)
again = step(
    "again-v{version}", leg0, run=do_it_at_the_second_attempt, retry=Retry(maximum=9, initial=2)
)
gate1 = gate("gate1", again)
leg1 = step("leg1-v{version}", gate1)
"""
)
"""Activities that are renamed with each version, and two that another program does."""

STEPS = ("first", "leg0", "leg1")


class Flow:
    """The members of the flow's module."""

    domain, name = "tests", "fleet"


class Fleet:
    """Hosts that are started and stopped; each has a folder with the code of its version."""

    def __init__(self, folder: Path, endpoint: str, code: str) -> None:
        self.endpoint = endpoint
        self.executions: dict[str, swf.Execution] = {}
        self._versions: dict[str, str] = {}  # by workflow id
        self._sent: Counter[str] = Counter()  # signals, by workflow id
        self.errors: list[str] = []  # that hosts of this fleet have logged
        self._folder = folder
        self._code = code
        self._swf = swf.client(endpoint)

    # --- hosts

    @contextmanager
    def host(self, version: int, *more: str) -> Iterator[Supervisor]:
        """A host with this version; it drains at the end of the block."""
        with self.started(version, "off", *more) as host:
            host.wait_for("full_strength")
            yield host
            self.drain(host)

    def started(
        self, version: int, gate: str, *more: str, build: str = "", **variables: str
    ) -> Supervisor:
        """A host that was started, or a check of one with ``--check``."""
        options = ("--build", build or f"v{version}", "--gate-replay", gate)
        folder = ("--folder", str(self.release(version)))
        return self._supervisor(*options, *folder, *more, **variables)

    def keeping(self, version: int, older: int) -> Supervisor:
        """A host that was started with this release and so many older ones.

        Its gate asks whether these serve the executions that stay with their builds. A host without
        any leaves them to others, so it has no gate.
        """
        releases = self.release(version).parent
        link = releases / "next"
        link.symlink_to(f"v{version}")
        link.rename(releases / "current")
        gate = () if older else ("--gate-replay", "off")
        return self._supervisor("--releases", str(releases), "--keep-builds", str(older), *gate)

    def _supervisor(self, *argv: str, **variables: str) -> Supervisor:
        return Supervisor(
            *("--flow", "fleet", "--endpoint-url", self.endpoint, *argv),
            GARCON_DECISION_TIMEOUT="10",
            FLEET_TRACE=str(self._folder / "trace"),
            **variables,
        )

    def release(self, version: int) -> Path:
        """The folder with the code of a version."""
        folder = self._folder / "releases" / f"v{version}"
        if not folder.exists():
            folder.mkdir(parents=True)
            (folder / "fleet.py").write_text(self._code.format(version=version))
        return folder

    def retired(self, version: int) -> Supervisor:
        """Retired code of this version, on a host of its own."""
        lists = [f"{step}-v{version}=1" for step in (*STEPS, "again")]
        pools = lists if self._code == REQUIRES else ["step=1"]
        options = (option for each in pools for option in ("--pool", each))
        return self.started(version, "off", "--retired", "--control", "none", *options)

    def drain(self, host: Supervisor) -> None:
        """Let a host end, and keep its errors."""
        host.signal(signal.SIGTERM)
        assert host.wait() == 0
        lines = map(parsed, host.err.rest().splitlines())
        self.errors += [str(each["message"]) for each in lines if each.get("level") == "ERROR"]

    # --- executions

    def start(self, number: int) -> None:
        """Start executions, and wait until each is at its first gate."""
        # Long: a busy machine must not let a decider lose its task.
        started = [
            swf.start(self.endpoint, Flow, {"taskStartToCloseTimeout": "20"}) for _ in range(number)
        ]
        for each in started:
            each.wait_for("DecisionTaskCompleted", 2)
            self.executions[each.workflow_id] = each

    def go(self, *, gates: int = 2) -> None:
        """Let all executions go on until they have passed so many gates."""
        for each in self.executions:
            while self._sent[each] < gates:
                self._sent[each] += 1
                self._signal(each, "go")
        for gate in range(gates):
            self.open_gates(gate)

    def nudge(self) -> None:
        """Send all of them a signal that none waits for: it brings a decision task."""
        for each in self.executions:
            self._signal(each, "news")

    def _signal(self, workflow_id: str, name: str) -> None:
        self._swf.signal_workflow_execution(
            domain="tests", workflowId=workflow_id, signalName=name, input="1"
        )

    def open_gates(self, number: int) -> None:
        """Do all activities that wait for this program, as they are now."""
        if self._code == CUSTOM:
            return
        request: Any = {"domain": "tests", "taskList": {"name": f"fleet_gate{number}"}}
        while self._swf.count_pending_activity_tasks(**request)["count"]:
            if token := self._swf.poll_for_activity_task(**request).get("taskToken"):
                self._swf.respond_activity_task_completed(taskToken=token, result="{}")

    # --- what SWF shows

    def open(self) -> int:
        """The number of open executions."""
        times = {"startTimeFilter": {"oldestDate": 0}, "domain": "tests"}
        return int(self._swf.count_open_workflow_executions(**times)["count"])

    def of(self, *versions: int) -> list[swf.Execution]:
        """The executions whose first decision was made by one of these versions."""
        for workflow_id in self.executions.keys() - self._versions.keys():
            self._versions[workflow_id] = version_of(self.executions[workflow_id].history())
        names = {f"v{version}" for version in versions}
        return [each for key, each in self.executions.items() if self._versions[key] in names]

    def have_completed(self, executions: list[swf.Execution]) -> bool:
        """Whether these have completed; gates that they reach meanwhile are opened."""
        self.open_gates(0)
        self.open_gates(1)
        return all(each.kinds()[-1] == "WorkflowExecutionCompleted" for each in executions)

    def are_stuck(self, executions: list[swf.Execution]) -> bool:
        """Whether all of these executions are stuck."""
        notes = (build_notes.latest(reversed(each.history())) for each in executions)
        return all(note is not None and note.is_stuck for note in notes)

    def were_stuck(self) -> list[str]:
        """The executions that were stuck at any time."""
        return [
            each.workflow_id
            for each in self.executions.values()
            if any(note.is_stuck for note in notes(each.history()))
        ]

    def listed(self, *words: str) -> Any:
        """The answer of a command of ``python -m garcon``."""
        options = ("--domain", "tests", "--name", "fleet", "--endpoint-url", self.endpoint)
        cache = str(self._folder / "cache")
        with Program("-m", "garcon", *words, *options, "--json", XDG_CACHE_HOME=cache) as command:
            answer = command.out.rest()
            assert command.wait() == 0
            return json.loads(answer)

    def ensure_whole(self) -> None:
        """All have completed; nothing was done twice, and all of one by one version of the code."""
        harmed = {}
        for workflow_id, each in self.executions.items():
            history = each.history()
            if found := self._harm(history):
                harmed[workflow_id] = f"{found}\n{outline(history)}"
        assert not harmed, "\n".join(f"{key}: {text}" for key, text in harmed.items())
        begun = Counter((self._folder / "trace").read_text().splitlines())
        assert set(begun.values()) == {1}, [each for each, times in begun.items() if times > 1]
        assert len(begun) == len(STEPS) * len(self.executions)

    def _harm(self, history: list[dict[str, Any]]) -> str:
        if history[-1]["eventType"] != "WorkflowExecutionCompleted":
            return "It has not completed."
        builds = {note.build for note in decisions(history)}
        if len(builds) != 1:
            return f"Decided by {sorted(builds)}."
        version = version_of(history)
        others = ["gate0", "gate1", f"again-{version}"] if self._code == REQUIRES else []
        wanted = sorted([*(f"{step}-{version}" for step in STEPS), *others])
        ids = sorted(completed_activities(history))
        pairs = zip_longest(ids, wanted, fillvalue="")
        if not all(name and name in id_ for id_, name in pairs):
            return f"Completed {ids}, and not {wanted}."
        return ""


def outline(history: list[dict[str, Any]]) -> str:
    """The events, a line each, with notes and identities."""
    return "\n".join(f"  {line}" for line in map(_outlined, history))


def _outlined(event: dict[str, Any]) -> str:
    kind = event["eventType"]
    attributes = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
    names = ("executionContext", "identity", "activityId", "timerId", "signalName", "taskList")
    shown = {name: attributes[name] for name in names if name in attributes}
    return f"{event['eventId']} {event['eventTimestamp']:%M:%S.%f} {kind} {shown}"


def version_of(history: list[dict[str, Any]]) -> str:
    """The version whose code decided first, as ``v2``: it stands in the first activity's id."""
    first = next(each for each in history if each["eventType"] == "ActivityTaskScheduled")
    (version,) = re.findall(r"first-(v\d+)", str(first))[:1]
    return str(version)


def notes(history: list[dict[str, Any]]) -> list[BuildNote]:
    """The notes of all answers, in order."""
    found = (build_notes.latest([event]) for event in history)
    return [note for note in found if note]


def decisions(history: list[dict[str, Any]]) -> list[BuildNote]:
    """The notes of those answers that decided."""
    return [note for note in notes(history) if not (note.returned or note.is_stuck)]


def completed_activities(history: list[dict[str, Any]]) -> list[str]:
    """The ids of the activities whose results SWF took, one for each result."""
    scheduled = {
        event["eventId"]: event["activityTaskScheduledEventAttributes"]["activityId"]
        for event in history
        if event["eventType"] == "ActivityTaskScheduled"
    }
    return [
        scheduled[event["activityTaskCompletedEventAttributes"]["scheduledEventId"]]
        for event in history
        if event["eventType"] == "ActivityTaskCompleted"
    ]
