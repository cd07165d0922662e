"""The console's reads, and the number of calls that they take."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from garcon.executions.console import console_reads
from garcon.executions.console.closed_histories import ClosedHistories
from garcon.executions.console.console_reads import Answers, ConsoleReads, Cursor
from garcon.executions.errors import InputNotSendable, NotFound, RequestRefused
from garcon.executions.values import Execution
from garcon.local import LocalSWF
from tests.garcon.local.conformance.account import Account, TimedAccount, schedule

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator
    from pathlib import Path

HISTORY = "GetWorkflowExecutionHistory"


class LocalConsole:
    """A console at a local SWF in virtual time."""

    def __init__(self, swf: LocalSWF, file: Path) -> None:
        self.swf = swf
        self.account = TimedAccount(swf)
        self.flow = SimpleNamespace(domain=self.account.domain, client=swf.client())
        self.file = file
        self.time = 0.0
        self.reads = self.fresh()

    def fresh(self) -> ConsoleReads:
        """Another console with the same file."""
        closed = ClosedHistories(self.file, "here", self.flow.domain)
        return ConsoleReads(self.flow, closed, Answers(lambda: self.time))

    @property
    def calls(self) -> Counter[str]:
        """Calls so far, by operation."""
        return self.swf.counters.calls.copy()

    def pages(self, *where: str) -> list[list[str]]:
        """The workflow ids on all pages of a list."""
        found, after = [], None
        while True:
            page = self.reads.executions(where, after)
            found.append([each["workflow_id"] for each in page["executions"]])
            if not page["next"]:
                return found
            after = Cursor(**page["next"])


@pytest.fixture
def console(tmp_path: Path) -> Iterator[LocalConsole]:
    """A console at a local SWF."""
    with LocalSWF() as swf:
        yield LocalConsole(swf, tmp_path / "histories.sqlite")


def test_pages_have_each_execution_once_in_the_order_of_starts(
    console: LocalConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where many start in one instant, and where some have closed."""
    monkeypatch.setattr(console_reads, "SHOWN", 4)
    for number in range(23):
        console.account.start(f"order-{number}")
        if number % 3 == 0:
            console.account.in_domain("terminate_workflow_execution", workflowId=f"order-{number}")
        if number % 7 == 0:
            console.swf.advance(0.4)
    pages = console.pages()
    ids = [each for page in pages for each in page]
    assert sorted(ids) == sorted(f"order-{number}" for number in range(23))
    assert all(len(page) == 4 for page in pages[:-1])
    assert ids[0] == "order-22"


def test_a_search_by_prefix_looks_through_a_bounded_number(
    console: LocalConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be empty and have a next one: no answer takes hundreds of calls."""
    monkeypatch.setattr(console_reads, "EXAMINED", 5)
    for number in range(12):
        console.account.start(f"{'tea' if number == 0 else 'coffee'}-{number}")
        console.swf.advance(1)
    assert console.pages("id=tea") == [[], [], ["tea-0"]]


def test_the_state_of_an_execution_is_that_of_the_page(console: LocalConsole) -> None:
    """List and history describe an execution in the same members."""
    run_id = console.account.start("order-1", tagList=["vip"])
    console.account.in_domain("terminate_workflow_execution", workflowId="order-1")
    (listed,) = console.reads.executions(())["executions"]
    opened = console.reads.history(Execution("order-1", run_id))["execution"]
    assert listed.keys() == opened.keys()
    same = {key: value for key, value in opened.items() if key not in {"events", "tags"}}
    assert same == {key: listed[key] for key in same}
    assert (listed["status"], listed["tags"], opened["tags"]) == ("TERMINATED", ("vip",), ("vip",))


def test_a_closed_history_is_read_once_ever(console: LocalConsole) -> None:
    """Neither another look nor another console reads it again; a failed file would cost calls."""
    run = Execution("order-1", console.account.start("order-1"))
    console.account.in_domain("terminate_workflow_execution", workflowId="order-1")
    first = console.reads.history(run)
    calls = console.calls
    assert console.reads.history(run)["events"] == first["events"]
    assert console.fresh().history(run)["events"] == first["events"]
    assert console.calls == calls


def test_another_look_at_an_open_history_reads_the_new_events(console: LocalConsole) -> None:
    """A look without news is one call for one event, whatever the history's length."""
    run = Execution("order-1", console.account.start("order-1"))
    for number in range(5):
        console.account.signal(f"hurry-{number}", "order-1")
    console.reads.history(run)
    before = console.calls
    assert len(console.reads.history(run)["events"]) == 7
    assert (console.calls - before)[HISTORY] == 1
    console.account.signal("now", "order-1")
    assert [each["eventId"] for each in console.reads.history(run)["events"]] == list(range(1, 9))


def test_a_refused_look_loses_nothing_that_was_read(console: LocalConsole) -> None:
    """The next look reads the new events only, and not a long history again while SWF throttles."""
    run = Execution("order-1", console.account.start("order-1"))
    console.account.signal("hurry", "order-1")
    console.reads.history(run)
    console.swf.inject("throttle", HISTORY, count=1)
    with pytest.raises(RequestRefused):
        console.reads.history(run)
    assert read_sizes(console, lambda: console.reads.history(run)) == [1]


def read_sizes(console: LocalConsole, look: Callable[[], object]) -> list[int]:
    """The numbers of events that SWF returns to each call during a look."""
    sizes: list[int] = []

    def note(parsed: dict[str, Any], **_: Any) -> None:
        sizes.append(len(parsed["events"]))

    events = console.flow.client.meta.events
    events.register(f"after-call.swf.{HISTORY}", note)
    look()
    events.unregister(f"after-call.swf.{HISTORY}", note)
    return sizes


def test_nobody_waits_for_the_long_history_of_another(console: LocalConsole) -> None:
    """While one run is read, the history of another is answered."""
    slow, other = (Execution(name, console.account.start(name)) for name in ("slow", "other"))
    begun, goes_on = threading.Event(), threading.Event()

    def hold(params: dict[str, Any], **_: Any) -> None:
        if slow.run_id in str(params["body"]):
            begun.set()
            goes_on.wait(60)

    console.flow.client.meta.events.register(f"before-call.swf.{HISTORY}", hold)
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(console.reads.history, slow)
        assert begun.wait(60)
        answered = threads.submit(console.reads.history, other)
        try:
            assert len(answered.result(30)["events"]) == 2
        finally:
            goes_on.set()
        assert len(waiting.result(60)["events"]) == 2


def test_viewers_share_answers_for_some_seconds(console: LocalConsole) -> None:
    """Ten viewers of a list make the calls of one; afterwards it is asked again."""
    console.account.start("order-1")
    before = console.calls
    for _ in range(10):
        console.reads.executions(("status=OPEN",))
        console.reads.count(("status=OPEN",))
    spent = console.calls - before
    assert spent == {"ListOpenWorkflowExecutions": 1, "CountOpenWorkflowExecutions": 1}
    console.time += console_reads.COUNTS_KEPT
    console.reads.count(("status=OPEN",))
    assert (console.calls - before)["CountOpenWorkflowExecutions"] == 2


def test_nothing_is_called_while_no_page_is_open(console: LocalConsole) -> None:
    """A console that is made and not asked calls nothing."""
    before = console.calls
    console.fresh()
    assert console.calls == before


def test_task_lists_have_the_number_of_tasks_that_wait(console: LocalConsole) -> None:
    """Viewers share a count for some seconds; a started task no longer waits."""
    run = Execution("order-1", console.account.start("order-1"))
    console.account.start("order-2")
    (decisions,) = console.reads.task_lists(run)["lists"]
    assert (decisions["kind"], decisions["name"], decisions["backlog"]) == ("decision", "decide", 2)
    before = console.calls
    console.reads.task_lists(run)
    assert (console.calls - before).keys() == {HISTORY}
    console.account.decide(schedule("a"), schedule("b"))
    console.time += console_reads.BACKLOGS_KEPT
    (activities,) = console.reads.task_lists(run)["lists"]
    assert (activities["kind"], activities["name"], activities["backlog"]) == (
        "activity",
        "work",
        2,
    )
    console.account.in_domain("terminate_workflow_execution", workflowId="order-1")
    assert console.reads.task_lists(run)["lists"] == []


def test_the_lists_of_a_domain_are_shared_by_its_viewers(console: LocalConsole) -> None:
    """For some seconds a further look costs no call."""
    console.account.start("order-1")
    answer = console.reads.domain_lists()
    assert {each["name"]: each["backlog"] for each in answer["lists"]} == {"decide": 1, "work": 0}
    before = console.calls
    assert console.reads.domain_lists() == answer
    assert console.calls == before


def test_counts_are_swfs_where_it_can_count(console: LocalConsole) -> None:
    """A prefix cannot be counted without a list, so there is no number."""
    for number in range(3):
        console.account.start(f"order-{number}")
    assert console.reads.count(()) == {"count": 3, "truncated": False}
    assert console.reads.count(("id=order-1",)) == {"count": None, "truncated": False}


def test_stuck_executions_come_with_the_reason(console: LocalConsole) -> None:
    """An execution that goes on is not among them."""
    console.account.start("order-1")
    console.account.decide(schedule("a"))
    assert console.reads.stuck(())["executions"] == []


@pytest.mark.parametrize("where", [("reason=x",), ("colour=red",), ("status=LOST",)])
def test_criteria_that_it_does_not_have_are_refused(
    console: LocalConsole, where: tuple[str, ...]
) -> None:
    """The sentence says what there is."""
    with pytest.raises(InputNotSendable):
        console.reads.executions(where)


def test_an_unknown_execution_is_a_sentence(console: LocalConsole) -> None:
    """A link outlives its execution."""
    with pytest.raises(NotFound, match="no such execution"):
        console.reads.history(Execution("order-1", "lost"))


@pytest.mark.slow  # moto
def test_moto_is_read_as_well(tmp_path: Path) -> None:
    """Lists and histories need only what another implementation of SWF has."""
    import moto  # noqa: PLC0415 - slow to import, and most tests do without

    with moto.mock_aws():
        client = boto3.client(
            "swf",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - any will do
        )
        account = Account(client, "cafe", strict=False)
        account.register()
        run = Execution("order-1", account.start("order-1", input="{}", tagList=["vip"]))
        flow = SimpleNamespace(domain="cafe", client=client)
        reads = ConsoleReads(flow, ClosedHistories(tmp_path / "file", "moto", "cafe"))
        (listed,) = reads.executions(("status=OPEN",))["executions"]
        assert (listed["workflow_id"], listed["status"]) == ("order-1", "OPEN")
        opened = reads.history(run)
        assert opened["events"][0]["eventType"] == "WorkflowExecutionStarted"
        assert opened["execution"]["type_name"] == "order"
        assert {each["name"] for each in reads.domain_lists()["lists"]} == {"decide", "work"}


def test_answers_are_kept_in_a_bounded_number() -> None:
    """Each filter that a viewer types is another answer."""
    answers = Answers(lambda: 0.0)
    asked: list[int] = []

    def ask(number: int) -> int:
        asked.append(number)
        return number

    for number in (*range(console_reads.MEMORY + 1), 1, 0):
        assert answers.get(number, 5.0, functools.partial(ask, number)) == number
    assert asked == [*range(console_reads.MEMORY + 1), 0]
