"""Mistakes of a custom decider: each fails the workflow with a sentence that names the mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon.decider import DeciderWorker
from tests.garcon.flows import flow, make, reason, scheduled
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable

A = make("a")


def decide(decider: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """The first decisions of a decider."""
    made = flow(a=A, decider=decider)
    return DeciderWorker(made, register=False).decide(History().poll())


FORM = "The form is schedule(id, activity, requires=None, input=None)."
MISTAKES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "swapped": (lambda schedule: schedule(A, "one"), f"'one' as activity. {FORM}"),
    "twice": (
        lambda schedule: schedule(A, A),
        f"flow_a was scheduled with an activity as id. {FORM}",
    ),
    "no activity": (lambda schedule: schedule("one", None), f"None as activity. {FORM}"),
    "no arguments": (
        lambda schedule: schedule(),
        "schedule() missing 2 required positional arguments: 'schedule_id' and 'current_activity'",
    ),
    "missing": (
        lambda schedule: schedule("one"),
        "schedule() missing 1 required positional argument: 'current_activity'",
    ),
    "no id": (lambda schedule: schedule(None, A), "flow_a needs an id, a text, not None"),
    "empty": (lambda schedule: schedule("", A), "flow_a needs an id, a text, not ''"),
    "colon": (
        lambda schedule: schedule("a:b", A),
        "flow_a has the id 'a:b': SWF does not allow ':'",
    ),
    "space": (lambda schedule: schedule("a ", A), "flow_a has the id 'a ': SWF allows neither"),
    "input": (lambda schedule: schedule("a", A, input=[1]), "flow_a: its input has to be a dict"),
    "requires": (
        lambda schedule: schedule("a", A, requires=["b"]),
        "A decider requires 'b'; it has to be a state that schedule",
    ),
    "timer": (
        lambda schedule: schedule.timer("a/b", 1),
        "timer has the id 'a/b': SWF does not allow '/'",
    ),
    "no text": (lambda schedule: schedule.timer(5, 1), "A timer needs an id, a text, not 5"),
    "lambda": (lambda schedule: schedule.lambda_("a|b", "f"), "lambda function has the id 'a|b'"),
    "child": (lambda schedule: schedule.child("a\n", flow()), "child workflow has the id"),
}


@pytest.mark.parametrize(("decider", "why"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_decider_s_mistake_is_named(decider: Any, why: str) -> None:
    """The workflow's failure has the sentence as reason; SWF never receives the decision."""
    assert why in reason(decide(decider))


def test_numbers_are_ids_too() -> None:
    """A number is an id: a loop's counter needs no conversion."""
    assert scheduled(decide(lambda schedule: [schedule(number, A) for number in (0, 1)])) == [
        "flow_a-1-0",
        "flow_a-1-1",
    ]
