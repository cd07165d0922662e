"""A desk to start from: a local SWF in virtual time, whose workers work while one waits."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from garcon import activity, runner, task
from garcon import client as clients
from garcon.insist import Clock
from garcon.local import LocalSWF, Settings
from garcon.workflow import Client
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
    """Two activities, one after the other; the options are of the first."""
    ground = create(name="grind", run=runner.Sync(grind.fill(beans="beans")), **options)
    brewed = create(name="brew", requires=[ground], run=runner.Sync(brew.fill(powder="powder")))
    return SimpleNamespace(domain=DOMAIN, name=NAME, grind=ground, brew=brewed)


class Desk:
    """A client, and the workers that do what it starts.

    Attributes:
        swf: The service.
        raw: A boto3 client of it.
        client: The client under test; each rest of its lets the workers take a turn.
        rests: The seconds that it rested, one by one.
        idle: Whether the workers have gone home.
    """

    def __init__(self, swf: LocalSWF, flow: Any) -> None:
        self.swf = swf
        self.raw: Any = swf.client()
        self.rests: list[float] = []
        self.idle = False
        self._driver = Driver(self.raw, flow)
        self.client = Client(flow, clock=Clock(now=lambda: swf.now, sleep=self._rest))

    def _rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.swf.advance(seconds)
        if not self.idle:
            self._driver._turn()

    def decide(self, kind: str, **attributes: Any) -> None:
        """Take the one decision of the flow's next decision task."""
        member = f"{kind[0].lower()}{kind[1:]}DecisionAttributes"
        task = self.raw.poll_for_decision_task(domain=DOMAIN, taskList={"name": NAME})
        decision = {"decisionType": kind, member: attributes}
        self.raw.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[decision])


@contextmanager
def desk(flow: Any = None, settings: Settings | None = None) -> Iterator[Desk]:
    """A desk for a flow, the coffee shop's by default."""
    with LocalSWF(settings, start=START) as swf, clients.use(swf.client()):
        yield Desk(swf, coffee() if flow is None else flow)


def history_of(flow: Any, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events of one run of a flow, driven to its end."""
    with LocalSWF(start=START) as swf:
        return swf.run(flow, dict(given), workflow_id="order-17").history
