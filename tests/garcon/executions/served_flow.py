"""A flow on a local SWF in virtual time; its workers take a turn whenever the client waits."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from garcon import activity, runner, task
from garcon import client as clients
from garcon.aws.retrying import Clock
from garcon.executions import Client
from garcon.local import LocalSWF, Settings
from tests.garcon.drive import Driver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

START = 1_700_000_000.0  # seconds since the epoch
DOMAIN, NAME = "cafe", "coffee"

create = activity.create(DOMAIN, NAME)


@task.decorate(timeout=60)
def grind(beans: str) -> dict[str, str]:
    """Grind the beans, unless they are stones."""
    if beans == "stones":
        raise ValueError("These are stones.")
    return {"powder": f"ground {beans}"}


@task.decorate(timeout=60)
def brew(powder: str) -> dict[str, str]:
    """Brew a cup."""
    return {"cup": f"brewed {powder}"}


def coffee(**options: Any) -> Any:
    """A flow of two activities, one after the other; the options are those of the first."""
    ground = create(name="grind", run=runner.Sync(grind.fill(beans="beans")), **options)
    brewed = create(name="brew", requires=[ground], run=runner.Sync(brew.fill(powder="powder")))
    return SimpleNamespace(domain=DOMAIN, name=NAME, grind=ground, brew=brewed)


class ServedFlow:
    """A client of a flow, and the flow's workers.

    Attributes:
        swf: The service.
        raw: A boto3 client of it.
        client: The client under test; the workers take a turn in each of its waits.
        waits: Seconds of each wait of the client.
        idle: Whether the workers do nothing.
        run_decider: One turn of the decider, if a test wants it.
        workers: One turn of a worker each, by task list.
    """

    def __init__(self, swf: LocalSWF, flow: Any) -> None:
        self.swf = swf
        self.raw: Any = swf.client()
        self.waits: list[float] = []
        self.idle = False
        self._driver = Driver(self.raw, flow)
        self.run_decider = self._driver.decider.run
        self.workers = self._driver.turns
        self.client = Client(flow, clock=Clock(now=lambda: swf.now, sleep=self._wait))

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.swf.advance(seconds)
        if not self.idle:
            self._driver._turn()

    def decide(self, kind: str, **attributes: Any) -> None:
        """Answer the flow's next decision task with one decision."""
        member = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
        task = self.raw.poll_for_decision_task(domain=DOMAIN, taskList={"name": NAME})
        decision = {"decisionType": kind, member: attributes}
        self.raw.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[decision])


@contextmanager
def served(flow: Any = None, settings: Settings | None = None) -> Iterator[ServedFlow]:
    """A flow on a local SWF of its own; ``coffee()`` if none is given."""
    with LocalSWF(settings, start=START) as swf, clients.use(swf.client()):
        yield ServedFlow(swf, coffee() if flow is None else flow)


def history_of(flow: Any, workflow_input: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events of one run of a flow, driven to its end."""
    with LocalSWF(start=START) as swf:
        return swf.run(flow, dict(workflow_input), workflow_id="order-17").history
