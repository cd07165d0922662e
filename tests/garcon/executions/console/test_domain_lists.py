"""The task lists of a domain: where they are learnt from, and how many calls that takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from garcon.executions.client import Client
from garcon.executions.console.call_pace import PACED
from garcon.executions.console.domain_lists import STEP, TYPES_KEPT, DomainLists
from garcon.local import LocalSWF
from tests.garcon.local.conformance.account import DEFAULTS, TimedAccount, schedule

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from garcon.executions.recorded_history import Events


class LocalConsole:
    """The lists of a domain at a local SWF, with a clock of its own.

    Args:
        swf: The local SWF.
        flow: The name of a flow; empty for the whole domain.
    """

    def __init__(self, swf: LocalSWF, flow: str = "") -> None:
        self.swf = swf
        self.account = TimedAccount(swf)
        self.time = 0.0
        self.sampled: list[str] = []
        of = SimpleNamespace(domain=self.account.domain, client=swf.client(), name=flow)
        self.client = Client(of)
        self.lists = DomainLists(of, self._sample, self.client.backlog, lambda: self.time)

    def _sample(self) -> Iterator[Events]:
        return (self.client.history(each) for each in self.sampled)

    def read(self) -> tuple[dict[tuple[str, str], Any], Counter[str]]:
        """The waiting tasks by kind and name, and the calls of that read."""
        before = self.swf.counters.calls.copy()
        self.time += 5
        answer = self.lists.read()
        rows = {(each["kind"], each["name"]): each["backlog"] for each in answer["lists"]}
        return rows, self.swf.counters.calls - before


@pytest.fixture
def console() -> Iterator[LocalConsole]:
    """A whole domain."""
    with LocalSWF() as swf:
        yield LocalConsole(swf)


def add_types(console: LocalConsole, number: int, prefix: str = "album") -> None:
    """Activity types, each with a list of its own."""
    for each in range(number):
        name = f"{prefix}_{each}"
        console.account.in_domain(
            "register_activity_type",
            name=name,
            version="1.0",
            defaultTaskList={"name": name},
            **DEFAULTS,
        )


def test_the_defaults_of_types_name_lists_before_any_execution(console: LocalConsole) -> None:
    """Each with the number of tasks that wait in it."""
    rows, _ = console.read()
    assert rows == {("activity", "work"): 0, ("decision", "decide"): 0}


def test_lists_that_executions_name_are_known_too(console: LocalConsole) -> None:
    """With the time from which on the oldest task of them waits."""
    console.account.start("order-1", taskList={"name": "other decisions"})
    task = console.account.decision_task(taskList={"name": "other decisions"})
    console.account.respond(
        task, schedule("a", taskList={"name": "hired"}), schedule("b", taskList={"name": "hired"})
    )
    console.sampled = ["order-1"]
    answer = console.lists.read()
    rows = {each["name"]: each for each in answer["lists"]}
    assert rows.keys() == {"work", "decide", "other decisions", "hired"}
    assert rows["hired"]["backlog"] == 2
    scheduled = console.client.history("order-1")[4]["eventTimestamp"]
    assert rows["hired"]["since"] == pytest.approx(scheduled, abs=0.002)
    assert rows["other decisions"]["since"] is None, "nothing waits there"


def test_many_types_are_read_bit_by_bit_and_once(console: LocalConsole) -> None:
    """A read makes few calls of each operation that an account has 6 a second of."""
    add_types(console, 10)
    reads = [console.read() for _ in range(12)]
    for _, calls in reads:
        assert all(number <= STEP for name, number in calls.items() if name in PACED), calls
    described = sum((calls for _, calls in reads), start=reads[0][1].__class__())
    assert described["DescribeActivityType"] == 11
    assert described["ListActivityTypes"] == 1
    rows, calls = reads[-1]
    assert len(rows) == 12
    assert None not in rows.values(), "each is counted in its turn"
    assert calls.keys() == {"CountPendingActivityTasks", "CountPendingDecisionTasks"}


def test_types_of_a_later_deploy_are_found(console: LocalConsole) -> None:
    """The types are listed again after some minutes."""
    console.read()
    add_types(console, 1)
    assert ("activity", "album_0") not in console.read()[0]
    console.time += TYPES_KEPT
    assert ("activity", "album_0") in console.read()[0]


def test_a_flow_has_its_own_types_only() -> None:
    """The lists of its activities begin with its name, and its decider's type has it."""
    with LocalSWF() as swf:
        console = LocalConsole(swf, "album")
        add_types(console, 1)
        add_types(console, 1, "albums")
        assert console.read()[0].keys() == {("activity", "album_0")}
