"""How an execution ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims, payload
from garcon.workflow import Execution, NotCompleted, Refused, Status, WorkflowError
from garcon.workflow.closing import CLOSINGS, continued, readable, result, status
from tests.garcon.histories import History

if TYPE_CHECKING:
    from pathlib import Path

RUN = Execution("order-17", "run")


def closed(how: str, **told: Any) -> list[dict[str, Any]]:
    """A history of two events."""
    history = History({"beans": "b"})
    history.add(f"WorkflowExecution{how}", **told)
    return history.events


def test_every_closing_event_is_a_status_of_its_own() -> None:
    """And nothing else is."""
    assert set(CLOSINGS.values()) == set(Status) - {Status.OPEN}
    assert status(History({}).events[-1]) is Status.OPEN
    assert [status(closed(how)[-1]) for how in ("Completed", "TimedOut")] == [
        Status.COMPLETED,
        Status.TIMED_OUT,
    ]


@pytest.mark.parametrize(
    ("how", "told", "sentence"),
    [
        ("Failed", {"reason": "no beans"}, "order-17 failed: no beans."),
        ("Failed", {"reason": "No beans."}, "order-17 failed: No beans."),
        ("Failed", {}, "order-17 failed."),
        ("Canceled", {}, "order-17 was cancelled."),
        ("Terminated", {"cause": "X"}, "order-17 was terminated: X."),
        ("TimedOut", {}, "order-17 timed out."),
        ("ContinuedAsNew", {}, "order-17 continued as new."),
    ],
)
def test_what_did_not_complete_says_so_in_a_sentence(
    how: str, told: dict[str, str], sentence: str
) -> None:
    """With the reason, if there was one."""
    with pytest.raises(NotCompleted) as caught:
        result(RUN, closed(how, **told))
    assert str(caught.value) == sentence


def test_a_result_that_garcon_cannot_read_is_a_sentence() -> None:
    """Another program's activity may have returned anything."""
    history = History({})
    history.scheduled("a")
    history.completed("a-1", "no JSON")
    history.add("WorkflowExecutionCompleted")
    with pytest.raises(WorkflowError, match=r"order-17 completed, but .* not JSON"):
        result(RUN, history.events)


def test_claims_are_fetched_for_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits sees values, as deciders do; a store that does not answer may do so later."""
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}/store")
    large = {"k": "x" * 40_000}
    claim = payload.encode(large, "it")
    history = History({})
    history.scheduled("a")
    history.completed("a-1", claim)
    history.add("WorkflowExecutionCompleted", result=claim)
    found = result(RUN, history.events)
    assert (found.context, found.result) == (large, large)

    def silent(_: object) -> str:
        raise claims.Unavailable("The store does not answer.")

    monkeypatch.setattr(claims, "get", silent)
    with pytest.raises(Refused, match="order-17 completed, but The store") as caught:
        result(RUN, history.events)
    assert caught.value.passing


@pytest.mark.parametrize(
    ("text", "value"), [('{"a": 1}', {"a": 1}), ("text", "text"), ("", None), (None, None)]
)
def test_texts_are_read_as_json_if_they_are(text: str | None, value: Any) -> None:
    """Others stay as they are."""
    assert readable(text) == value


def test_only_what_continued_goes_on() -> None:
    """Under the run id that its last event tells."""
    assert continued(closed("ContinuedAsNew", newExecutionRunId="r2")[-1]) == "r2"
    assert continued(closed("Completed")[-1]) is None
