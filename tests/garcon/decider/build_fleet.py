"""A fleet of deciders of several builds over one local SWF; the test decides when time passes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from garcon import activity
from garcon import client as clients
from garcon.decider import DeciderWorker
from garcon.decider.history_reader import PolledTask
from garcon.decider.sticky.list_choice import build_list
from garcon.history import build_notes
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garcon.history.build_notes import BuildNote
    from garcon.local import LocalSWF

STEPS = 300  # more than any of the tests needs
ID = "workflow"
TASK_TIMEOUT = 3_600  # seconds, more than a decision may take


class Fleet:
    """Hosts with deciders of builds; each host serves the flow's list and that of its build.

    Args:
        swf: The local SWF.
        builds: The flows, by the id of their build; all of one name, with all their activities.

    Attributes:
        running: The builds that serve.
        turn: Whose turn it was to take a task from the flow's list.
        news: Number of the next decisions during which a signal arrives that no flow waits for.
    """

    def __init__(self, swf: LocalSWF, builds: Mapping[str, Any]) -> None:
        self.swf = swf
        self.client = swf.client()
        self.running: list[str] = []
        self.turn = 0
        self.news = 0
        flow = next(iter(builds.values()))
        self.domain, self.name = flow.domain, flow.name
        with clients.use(self.client):
            self.deciders = {id_: DeciderWorker(each, build=id_) for id_, each in builds.items()}
            self._activities = {
                str(each.task_list): each
                for each_flow in builds.values()
                for each in activity.find_workflow_activities(each_flow)
            }

    def start(self, workflow_input: Any = None) -> None:
        """Start the execution."""
        self.client.start_workflow_execution(
            domain=self.domain,
            workflowId=ID,
            workflowType={"name": self.name, "version": "1.0"},
            input=json.dumps(workflow_input or {}),
        )

    def deploy(self, *builds: str) -> None:
        """From now on these builds serve, and no other."""
        self.running = [*builds]

    def decide(self) -> Fleet:
        """Do all decisions that a running build gets; no time passes, and no activity ends."""
        with clients.use(self.client):
            for _ in range(STEPS):
                place = self._waiting_decision()
                if place is None:
                    return self
                self._decide(*place)
        raise AssertionError(f"It spins: {self.kinds[-12:]}")

    def work(self) -> Fleet:
        """Do one activity that waits, and the decisions before and after it."""
        self.decide()
        with clients.use(self.client):
            for name, each in self._activities.items():
                if name in self._waiting("Activity"):
                    each.run()
                    break
        return self.decide()

    def after(self, seconds: float) -> Fleet:
        """Let time pass in steps, so that what is due is done when it is due."""
        step = max(5.0, seconds / 20)
        while seconds > 0:
            self.swf.advance(min(step, seconds))
            seconds -= step
            self.decide()
        return self

    def lose(self, build: str) -> Fleet:
        """A decider of this build takes a task from the build's list, and its host is gone."""
        place: Any = {"domain": self.domain, "taskList": {"name": build_list(self.name, build)}}
        assert self.client.poll_for_decision_task(**place)["taskToken"]
        self.swf.advance(TASK_TIMEOUT)
        return self

    def wake(self) -> Fleet:
        """Send the signal that wakes a stuck execution."""
        self._signal("garcon-wake")
        return self.decide()

    def _signal(self, name: str) -> None:
        self.client.signal_workflow_execution(domain=self.domain, workflowId=ID, signalName=name)

    def _waiting_decision(self) -> tuple[str, str] | None:
        """The list with a decision that a running build serves, and that build."""
        waiting = self._waiting("Decision")
        for build in self.running:
            if build_list(self.name, build) in waiting:
                return build_list(self.name, build), build
        if self.running and self.name in waiting:
            self.turn += 1  # SWF gives a task of the flow's list to any poller
            return self.name, self.running[self.turn % len(self.running)]
        return None

    def _decide(self, task_list: str, build: str) -> None:
        request: Any = {"domain": self.domain, "taskList": {"name": task_list}, "identity": build}
        task = PolledTask(self.client.poll_for_decision_task(**request), request)
        if self.news:
            self.news -= 1
            self._signal("news")
        decider = self.deciders[build]
        decider.respond(task["taskToken"], decider.decide(task))

    def _waiting(self, kind: str) -> set[str]:
        """The lists with a task of this kind that is scheduled and not started."""
        self.swf.advance(0)  # timers of no seconds are due
        waiting: dict[int, str] = {}
        for event in self.history:
            name = event["eventType"]
            members = event.get(f"{name[0].lower()}{name[1:]}EventAttributes", {})
            if name == f"{kind}TaskScheduled":
                waiting[event["eventId"]] = members["taskList"]["name"]
            elif name.startswith(f"{kind}Task"):
                waiting.pop(members.get("scheduledEventId"), None)
        return set(waiting.values())

    @property
    def history(self) -> list[dict[str, Any]]:
        """The events of the latest run."""
        return self.swf.history(ID)

    @property
    def kinds(self) -> list[str]:
        """The types of the events."""
        return [each["eventType"] for each in self.history]

    @property
    def note(self) -> BuildNote:
        """The latest note."""
        found = build_notes.latest(reversed(self.history))
        assert found
        return found

    @property
    def notes(self) -> list[BuildNote]:
        """All notes, in order."""
        found = (build_notes.latest([each]) for each in self.history)
        return [each for each in found if each]

    @property
    def scheduled(self) -> list[str]:
        """The ids of the activities that were scheduled, in order."""
        members = (each.get("activityTaskScheduledEventAttributes") for each in self.history)
        return [each["activityId"] for each in members if each]

    @property
    def is_open(self) -> bool:
        """Whether the execution is open."""
        return not self.kinds[-1].startswith("WorkflowExecution")


def parent() -> Any:
    """A flow that starts a child, and no activity."""

    def decider(schedule: Any) -> None:
        schedule.child("x", flow_of_child)
        schedule.signal("end").wait()

    return flow(version="1.0", step=make("step"), decider=decider)


flow_of_child = flow(version="1.0", step=make("step"))
flow_of_child.name = "child"


def parents(swf: LocalSWF) -> Fleet:
    """A fleet of two equal builds of that flow; the first has begun an execution."""
    made = Fleet(swf, {"a": parent(), "b": parent()})
    with clients.use(made.client):
        DeciderWorker(flow_of_child)
    made.deploy("a")
    made.start()
    return made
