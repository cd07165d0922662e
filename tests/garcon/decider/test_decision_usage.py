"""Counts of deciders: events that they read, states that they keep, waits of tasks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims
from garcon.aws import usage
from garcon.decider.sticky.stickiness import Sticky
from garcon.local import LocalSWF
from tests.garcon.counting import Counting
from tests.garcon.decider.sticky_deciders import UNCHECKED, Office, chain, count
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The process's meter."""
    made = Counting()
    monkeypatch.setattr(usage, "meter", made)
    return made


def fan_out(width: int) -> Any:
    """A flow of so many activities that are scheduled at once, and one after them."""
    first = {f"s{number}": make(f"s{number}") for number in range(width)}
    return flow(**first, last=make("last", requires=list(first.values())))


def wait_seconds(history: list[dict[str, Any]]) -> Counter[tuple[str, float]]:
    """The waits of a complete history, by the list."""
    scheduled = {
        each["eventId"]: each for each in history if each["eventType"] == "ActivityTaskScheduled"
    }
    waits: Counter[tuple[str, float]] = Counter()
    for each in history:
        if each["eventType"] == "ActivityTaskStarted":
            start = each["activityTaskStartedEventAttributes"]["scheduledEventId"]
            began = scheduled[start]
            name = began["activityTaskScheduledEventAttributes"]["taskList"]["name"]
            passed = each["eventTimestamp"] - began["eventTimestamp"]
            seconds = passed if isinstance(passed, float) else passed.total_seconds()
            waits[name, round(seconds, 6)] += 1
    return waits


@pytest.mark.parametrize("sticky", [UNCHECKED, None], ids=["sticky", "not sticky"])
def test_each_wait_counts_once_however_histories_are_read(
    meter: Counting, sticky: Sticky | None
) -> None:
    """Tasks that were scheduled together start in the events of different decisions."""
    with LocalSWF() as swf:
        office = Office(swf, fan_out(4), sticky)
        office.decider()
        office.start()
        history = office.run()
    assert Counter((name, round(wait, 6)) for name, wait in meter.waits) == wait_seconds(history)
    assert len(meter.waits) == 5
    assert len(meter.decisions) == count(history, "DecisionTaskCompleted")


def test_a_sticky_decider_counts_kept_states_and_whole_histories(meter: Counting) -> None:
    """After a decider's death the next one reads everything once."""
    with LocalSWF() as swf:
        office = Office(swf, chain(4))
        dead = office.decider()
        office.start()
        office.run_until(lambda: count(swf.history("workflow"), "ActivityTaskCompleted") == 2)
        office.deciders.remove(dead)
        office.decider()
        history = office.run()
    kinds = [is_continued for _, is_continued in meter.histories]
    assert kinds.count(False) == 2
    assert kinds.count(True) == len(kinds) - 2 > 0
    read = [events for events, is_continued in meter.histories if not is_continued]
    assert sum(events for events, _ in meter.histories) < len(history) + sum(read)


def test_a_check_counts_the_events_that_it_reads(
    meter: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read beside those of the decision."""
    monkeypatch.setattr(Sticky, "checks", lambda *_: True)
    with LocalSWF() as swf:
        office = Office(swf, chain(2))
        office.decider()
        office.start()
        office.run()
    kinds = [is_continued for _, is_continued in meter.histories]
    assert kinds == [False, True, None, True, None]


@pytest.fixture
def _store(tmp_path: Any) -> Iterator[None]:
    claims.configure(f"file:{tmp_path}")
    yield
    claims.configure(None)


@pytest.mark.usefixtures("_store")
def test_claims_count_with_their_bytes(meter: Counting) -> None:
    """A text that is read from this process's cache is not fetched."""
    claim = claims.put('"' + "ü" * 20_000 + '"', claims.store())  # type: ignore[arg-type]
    claims._state.memory = claims.MemoryStore()
    claims.get(claim)
    claims.get(claim)
    assert meter.claims == [("stored", 40_002), ("fetched", 40_002)]
