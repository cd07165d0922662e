"""The use of retired code's build, by its searches: when it is unused for long enough."""

from __future__ import annotations

from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.build_use import SEARCHES, BuildUse

DAY = 86_400.0
NOTHING: dict[str, Any] = {"found": False, "complete": True, "tasks": 0}


def searched(*searches: dict[str, Any], apart: float = DAY / 3, use: BuildUse) -> BuildUse:
    """What is known after these searches, one after the other."""
    for number, each in enumerate(searches):
        use.note_search(number * apart, DAY, **{**NOTHING, **each})
    return use


def test_a_day_and_four_searches_without_an_execution_are_enough() -> None:
    """Neither is by itself: three searches over days are too few, and so are ten of an hour."""
    assert searched(*[{}] * SEARCHES, use=BuildUse()).is_over
    assert not searched(*[{}] * (SEARCHES - 1), apart=DAY, use=BuildUse()).is_over
    assert not searched(*[{}] * 10, apart=360.0, use=BuildUse()).is_over


@pytest.mark.parametrize("use", [{"found": True}, {"found": True, "complete": False}])
def test_an_execution_that_is_found_begins_the_row_anew(use: dict[str, Any]) -> None:
    """The build is used, whatever else was not read."""
    known = searched({}, {}, {}, use, {}, use=BuildUse())
    assert (known.searches, known.unused_since) == (1, 4 * DAY / 3)


def test_a_task_begins_the_row_anew() -> None:
    """Of whatever execution: newer code may have adopted one that has tasks on lists of this
    code.
    """
    known = searched({}, {}, {}, {"tasks": 1}, {"tasks": 1}, use=BuildUse())
    assert (known.searches, known.unused_since) == (2, DAY)


def test_an_incomplete_search_says_nothing() -> None:
    """The last search decides, so one that read nothing cannot."""
    unknown = {"complete": False}
    assert not searched({}, {}, {}, unknown, unknown, use=BuildUse()).is_over
    assert searched({}, {}, {}, unknown, {}, use=BuildUse()).is_over
    assert searched(*[unknown] * 100, use=BuildUse()).searches == 0


def test_searches_that_are_due_as_planned_are_a_day_together() -> None:
    """Four in a row are never nearer, and a host makes less than one in eight hours."""
    jitter, use, at = Random(1), BuildUse(), 0.0
    for _ in range(SEARCHES):
        use.plan(at, DAY, jitter)
        assert DAY / 3 <= use.search_at - at <= DAY / 2
        at = use.search_at
        assert not use.is_over
        use.note_search(at, DAY, **NOTHING)
    assert use.is_over


outcomes: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    found=st.sampled_from([False, False, False, True]),
    complete=st.sampled_from([True, True, True, False]),
    tasks=st.sampled_from([0, 0, 0, 0, 1]),
)


@given(st.lists(st.tuples(st.sampled_from([DAY / 3, DAY / 2, 60.0]), outcomes), max_size=40))
def test_it_is_never_over_while_the_build_may_be_used(
    steps: list[tuple[float, dict[str, Any]]],
) -> None:
    """When it is over, the last search read everything, and within a day no search found an
    execution and no task was done.
    """
    use, now, tasks, used_at, complete = BuildUse(), 0.0, 0, -inf, list[float]()
    for wait, outcome in steps:
        now += wait
        tasks += outcome["tasks"]
        use.note_search(now, DAY, **{**outcome, "tasks": tasks})
        if outcome["found"] or outcome["tasks"]:
            used_at, complete = now, []
        if outcome["complete"] and not outcome["found"]:
            complete.append(now)
        if use.is_over:
            assert complete[-1] == now
            assert len(complete) >= SEARCHES
            assert now - complete[0] >= DAY
            assert now - used_at >= DAY
            return
