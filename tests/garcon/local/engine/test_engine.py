"""The interface of the engine: purity, time, determinism, counters."""

import ast
import gc
import math
from pathlib import Path

import pytest

import garcon.local.engine
from garcon.local.engine import Engine, Fault, Waiting
from garcon.local.engine.engine import OPERATIONS
from garcon.local.engine.entities import DecisionTask, OpenActivity
from tests.garcon.local.engine.account import (
    COMPLETE,
    DOMAIN,
    START,
    Account,
    schedule,
    timer,
)
from tests.garcon.local.shapes import model

PURE = {
    "base64",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "garcon",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "typing",
}
"""The modules that the engine may import: none for time, chance, threads or the network."""

FOLDER = Path(garcon.local.engine.__file__).parent


def sources() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text())) for path in sorted(FOLDER.rglob("*.py"))]


def imports(tree: ast.Module) -> set[str]:
    """The modules that a file imports, in full."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_the_engine_is_pure() -> None:
    """It imports no module that has the time, chance or the outside."""
    for path, tree in sources():
        assert {name.split(".")[0] for name in imports(tree)} <= PURE, path


def test_the_engine_imports_nothing_outside_its_folder() -> None:
    """Of the project it imports only itself and the base of all errors."""
    for path, tree in sources():
        ours = {name for name in imports(tree) if name.startswith("garcon")}
        inside = ("garcon.local.engine", "garcon.errors")
        assert all(name.startswith(inside) for name in ours), path


def test_every_operation_of_the_model_is_there() -> None:
    """All 39 operations, and no others."""
    assert set(OPERATIONS) == set(model().operation_names)


def test_an_idle_engine_has_nothing_due() -> None:
    """Its next deadline is infinity."""
    assert Engine().next_deadline() == math.inf
    assert Engine().next_work_deadline() == math.inf


def test_time_never_goes_backwards() -> None:
    """A call with an earlier time counts as made at the latest time."""
    account = Account()
    account.after(10)
    account.now -= 5
    run = account.start()
    assert account.history(run)[0]["eventTimestamp"] == START + 10


def test_timestamps_have_milliseconds() -> None:
    """Seconds as floats, rounded."""
    account = Account()
    account.after(0.123456)
    run = account.start()
    assert account.history(run)[0]["eventTimestamp"] == 1700000000.123


def busy(account: Account) -> str:
    """An execution with timers, lost tasks and timeouts; its run id."""
    run = account.start(executionStartToCloseTimeout="500")
    account.decide(timer("a", "7"), timer("b", "90"), schedule(heartbeatTimeout="20"))
    account.poll_activity()
    poll = account.wait("Decision", "decide")
    assert isinstance(poll, Waiting)
    account.engine.disconnect(poll.poll_id, account.now)
    account.after(200)
    account.decide(schedule("c"), timer("c", "3"))
    account.after(400)
    return run


def test_the_steps_of_the_clock_make_no_difference() -> None:
    """Second by second or in one step, the history is the same, event for event."""

    class SecondBySecond(Account):
        def after(self, seconds: float) -> None:
            for _ in range(int(seconds)):
                super().after(1)

    at_once, stepwise = Account(), SecondBySecond()
    assert at_once.history(busy(at_once)) == stepwise.history(busy(stepwise))


def test_run_ids_and_tokens_follow_the_seed() -> None:
    """The same seed gives the same ids, another seed others."""

    def made(seed: int) -> tuple[str, str]:
        account = Account(seed=seed)
        return account.start(), account.poll_decision()["taskToken"]

    assert made(1) == made(1)
    assert not set(made(1)) & set(made(2))


def test_reads_leave_no_trace() -> None:
    """Read operations and empty polls do not change later ids."""

    def made(*, look: bool) -> tuple[str, str]:
        account = Account()
        run = account.start()
        if look:
            account.describe(run)
            account.wait("Activity", "nothing here")
            account.call("ListDomains", registrationStatus="REGISTERED")
        account.decide(schedule())
        return account.poll_activity()["taskToken"], account.start("other")

    assert made(look=True) == made(look=False)


def test_calls_and_refusals_are_counted() -> None:
    """Calls are counted by operation, refusals by code."""
    account = Account(bare=True)
    for _ in range(2):
        with pytest.raises(Fault):
            account.call("DescribeDomain", name=DOMAIN)
    account.call("ListDomains", registrationStatus="REGISTERED")
    counters = account.engine.counters
    assert counters.calls == {"DescribeDomain": 2, "ListDomains": 1}
    assert counters.faults == {"UnknownResourceFault": 2}


def test_started_tasks_are_those_in_progress() -> None:
    """A task is in progress from the poll to the response or the timeout."""
    account = Account()
    account.start()
    assert account.engine.started_tasks == 0
    task = account.poll_decision()
    assert account.engine.started_tasks == 1
    account.respond(task, schedule())
    account.poll_activity()
    assert account.engine.started_tasks == 1
    account.after(60)
    assert account.engine.started_tasks == 0


def test_a_task_of_a_ghost_poller_is_not_in_progress() -> None:
    """A wait for its response would be a wait for its timeout."""
    account = Account()
    poll = account.wait("Decision", "decide")
    assert isinstance(poll, Waiting)
    account.engine.disconnect(poll.poll_id, account.now)
    account.start()
    assert account.engine.counters.ghosts == 1
    assert account.engine.started_tasks == 0
    account.after(10)
    account.poll_decision()
    assert account.engine.started_tasks == 1


def test_many_executions_leave_nothing_behind() -> None:
    """Closed executions leave no clock, token or queued task."""
    account = Account()
    for number in range(500):
        account.start(str(number))
        account.decide(timer(), schedule(), schedule("b"))
        account.signal(str(number))
        account.decide(COMPLETE)
    world = account.engine._world
    assert len(world.deadlines) == 0
    assert len(world.deadlines._heap) <= 64
    assert not world.started_tasks
    assert all(not task_list.tasks for task_list in world.domains[DOMAIN].task_lists.values())


def test_ended_tasks_do_not_wait_for_the_garbage_collector() -> None:
    """A server's memory follows its open items, and its collector finds little to do."""
    gc.collect()
    gc.disable()
    try:
        account = Account()
        account.start()
        account.decide(timer(), schedule())
        account.complete(account.poll_activity())
        account.decide()
        ours = account.engine._world.domains[DOMAIN]
        tasks = [each for each in gc.get_objects() if isinstance(each, OpenActivity | DecisionTask)]
        left = [each for each in tasks if each.task_list.domain is ours]
    finally:
        gc.enable()
    assert left == []
