"""Random flows that fail and are redriven: they end as if they had not failed."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garcon import activity, runner, task
from garcon import client as clients
from garcon.executions import Client, Status
from garcon.local import LocalSWF
from tests.garcon.drive import Driver
from tests.garcon.executions.served_flow import START

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOMAIN, NAME = "cafe", "random"
STEPS = ["activity", "pair", "may_fail", "timer", "signal", "effect", "version", "child", "any"]
TURNS = 100  # more than any of the flows needs
LIFE = 500  # seconds; a first run that hangs at a broken step times out


class Kitchen:
    """Activities that note their runs; some are broken once, some for good.

    Attributes:
        broken: Ids of activities that fail at their next run, once.
        spoilt: Ids of activities that always fail.
        completed: Runs that completed, by id.
    """

    def __init__(self, spoilt: Sequence[str]) -> None:
        self.broken: set[str] = set()
        self.spoilt = spoilt
        self.completed: Counter[str] = Counter()
        self.bugs: set[str] = set()

    def work(self, name: str, requires: Sequence[Any] = (), **options: Any) -> Any:
        """An activity, whose result is its id."""

        @task.decorate(timeout=60)
        def run(activity: Any) -> dict[str, object]:
            id_ = activity.activity_id.removeprefix(f"{NAME}_")
            if id_ in self.broken or id_ in self.spoilt:
                self.broken.discard(id_)
                raise ValueError(f"{id_} is broken.")
            self.completed[id_] += 1
            return {id_: "done"}

        create = activity.create(DOMAIN, NAME)
        return create(name=name, requires=list(requires), run=runner.Sync(run.fill()), **options)


def stepwise(kitchen: Kitchen, steps: Sequence[str], path: list[object]) -> Any:
    """A flow with a decider that takes these steps, and notes in ``path`` what it saw."""
    work = kitchen.work("work")
    kid = SimpleNamespace(domain=DOMAIN, name="kid", decider=lambda schedule: None)

    def pair(schedule: Any, id_: str) -> object:
        return schedule.all_of(schedule(id_, work), schedule(f"{id_}-b", work)).result

    def may_fail(schedule: Any, id_: str) -> object:
        state = schedule(id_, work, may_fail=True)
        return schedule(f"{id_}-b", work).result if state.failed else state.result

    def any_(schedule: Any, id_: str) -> object:
        first = schedule.any_of(schedule.timer(id_, 5), schedule(id_, work, may_fail=True))
        first.wait()
        return first.first.what

    take: dict[str, Callable[[Any, str], object]] = {
        "activity": lambda schedule, id_: schedule(id_, work).result,
        "pair": pair,
        "may_fail": may_fail,
        "timer": lambda schedule, id_: schedule.timer(id_, 5).result,
        "signal": lambda schedule, _: schedule.signal("go").result,
        "effect": lambda schedule, id_: schedule.side_effect(lambda: len(kitchen.completed), id_),
        "version": lambda schedule, id_: schedule.version(id_, 1),
        "child": lambda schedule, id_: schedule.child(id_, kid).result,
        "any": any_,
    }

    def decider(schedule: Any) -> None:
        path.clear()
        for number, step in enumerate(steps):
            path.append(take[step](schedule, f"s{number}"))
            if f"s{number}" in kitchen.bugs:
                raise RuntimeError("A bug of the decider.")

    return SimpleNamespace(domain=DOMAIN, name=NAME, work=work, decider=decider, kid=kid)


def run_to_the_end(
    flow: Any,
    signals: int,
    close: Callable[[Client], None] = lambda _: None,
    point: Callable[[Client], str | None] = lambda _: None,
) -> tuple[dict[str, Any], int]:
    """Run an execution, and redrive it until it completes.

    Args:
        flow: The flow.
        signals: Number of signals that it gets at its start.
        close: Called once, after a few turns of the workers.
        point: Gives the activity from which it is redriven; that which failed if none.

    Returns:
        The context at the end, and the number of redrives.
    """
    with LocalSWF(start=START) as swf, clients.use(swf.client()):
        drivers = [
            Driver(swf.client(), each) for each in (flow, getattr(flow, "kid", None)) if each
        ]
        client, redrives = Client(flow), 0
        client.start({"n": 1}, "o", timeout=LIFE)
        for number in range(signals):
            client.signal("o", "go", number)
        for turn in range(TURNS):
            if turn == 2:
                close(client)
            for driver in drivers:
                driver._turn()
            swf.advance(1)
            status = client.describe("o").summary.status
            if status is Status.COMPLETED:
                return dict(client.result("o").context), redrives
            if status is not Status.OPEN:
                assert client.redrive("o", point(client)).is_new
                redrives += 1
    raise AssertionError("The execution does not end.")


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_custom_decider_ends_as_without_the_failures(data: Any) -> None:
    """Steps of all kinds, broken activities, bugs, a termination or a cancellation on the way."""
    steps = data.draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=6))
    ids = [f"work-1-s{number}" for number in range(len(steps))]
    spoilt = [id_ for id_, step in zip(ids, steps, strict=True) if step == "may_fail"]
    spoilt = data.draw(st.lists(st.sampled_from(spoilt), unique=True)) if spoilt else []
    good, seen = Kitchen(spoilt), list[object]()
    expected, none = run_to_the_end(stepwise(good, steps, seen), steps.count("signal"))
    assert none == 0
    bad, path = Kitchen(spoilt), list[object]()
    strict = [id_ for id_, step in zip(ids, steps, strict=True) if step in {"activity", "pair"}]
    if strict:
        bad.broken = set(data.draw(st.lists(st.sampled_from(strict), unique=True)))
    failures = len(bad.broken)
    if data.draw(st.booleans()):
        bad.bugs = {f"s{data.draw(st.integers(0, len(steps) - 1))}"}
    way = data.draw(st.sampled_from(["none", "terminate", "cancel"]))

    def close(client: Client) -> None:
        bad.bugs.clear()
        if way != "none" and client.describe("o").summary.status is Status.OPEN:
            client.terminate("o") if way == "terminate" else client.cancel("o")

    context, redrives = run_to_the_end(stepwise(bad, steps, path), steps.count("signal"), close)
    assert context == expected
    assert path == seen
    assert max(bad.completed.values(), default=0) <= 1
    assert bad.completed == good.completed
    assert redrives or not failures


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_requires_flow_ends_as_without_the_failures(data: Any) -> None:
    """Any graph of activities, with generators; any of them broken."""
    size = data.draw(st.integers(1, 5))
    shape = [
        (
            sorted(data.draw(st.sets(st.integers(0, number - 1)))) if number else [],
            data.draw(st.booleans()),
        )
        for number in range(size)
    ]

    def graph(kitchen: Kitchen) -> Any:
        made: list[Any] = []
        for number, (requires, generates) in enumerate(shape):
            turns = {"generators": [lambda _: ({"i": i} for i in range(2))]} if generates else {}
            made.append(kitchen.work(f"a{number}", [made[each] for each in requires], **turns))
        return SimpleNamespace(domain=DOMAIN, name=NAME, **{f"a{i}": a for i, a in enumerate(made)})

    good, bad = Kitchen([]), Kitchen([])
    expected, _ = run_to_the_end(graph(good), 0)
    bad.broken = set(data.draw(st.lists(st.sampled_from(sorted(good.completed)), unique=True)))
    failures = len(bad.broken)
    context, redrives = run_to_the_end(graph(bad), 0)
    assert context == expected
    assert bad.completed == good.completed
    assert bool(redrives) == bool(failures)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_redrive_from_any_point_ends_as_without_the_failure(data: Any) -> None:
    """With either kind of flow; what completed before the point does not run again."""
    size, is_custom = data.draw(st.integers(2, 6)), data.draw(st.booleans())

    def chain(kitchen: Kitchen) -> Any:
        if is_custom:
            return stepwise(kitchen, ["activity"] * size, [])
        made: list[Any] = []
        for number in range(size):
            made.append(kitchen.work(f"a{number}", made[-1:]))
        return SimpleNamespace(domain=DOMAIN, name=NAME, **{f"a{i}": a for i, a in enumerate(made)})

    ids = [f"work-1-s{i}" if is_custom else f"a{i}-1" for i in range(size)]
    expected, _ = run_to_the_end(chain(Kitchen([])), 0)
    broken = data.draw(st.integers(0, size - 1))
    point = data.draw(st.integers(0, broken))
    bad = Kitchen([])
    bad.broken = {ids[broken]}
    context, redrives = run_to_the_end(chain(bad), 0, point=lambda _: ids[point])
    assert (context, redrives) == (expected, 1)
    again = {id_: 2 if point <= number < broken else 1 for number, id_ in enumerate(ids)}
    assert bad.completed == again
