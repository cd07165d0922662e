"""From SWF's events to values and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims
from garcon.executions import Execution, NotCompleted, RequestRefused, Status, WorkflowError
from garcon.executions.parsing import CLOSINGS, json_or_text, next_run_id, result, status
from garcon.payload import codec
from tests.garcon.histories import History

if TYPE_CHECKING:
    from pathlib import Path

RUN = Execution("order-17", "run")


def closed(how: str, **members: Any) -> list[dict[str, Any]]:
    """A history of two events."""
    history = History({"beans": "b"})
    history.add(f"WorkflowExecution{how}", **members)
    return history.events


def test_every_closing_event_has_a_status_of_its_own() -> None:
    """Each closing event gives another status, and any other event stands for an open execution."""
    assert set(CLOSINGS.values()) == set(Status) - {Status.OPEN}
    assert status(History({}).events[-1]) is Status.OPEN
    assert [status(closed(how)[-1]) for how in ("Completed", "TimedOut")] == [
        Status.COMPLETED,
        Status.TIMED_OUT,
    ]


@pytest.mark.parametrize(
    ("how", "members", "sentence"),
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
def test_an_execution_that_did_not_complete_is_an_error(
    how: str, members: dict[str, str], sentence: str
) -> None:
    """The error is a sentence with the reason, if there was one."""
    with pytest.raises(NotCompleted) as caught:
        result(RUN, closed(how, **members))
    assert str(caught.value) == sentence


def test_a_result_that_is_not_json_is_an_error() -> None:
    """Another program's activity may have returned any text: the error says that it is not JSON."""
    history = History({})
    history.scheduled("a")
    history.completed("a-1", "no JSON")
    history.add("WorkflowExecutionCompleted")
    with pytest.raises(WorkflowError, match=r"order-17 completed, but .* not JSON"):
        result(RUN, history.events)


def test_claims_are_fetched_for_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim becomes its value, as for deciders; a silent claim store is a transient error."""
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}/store")
    large = {"k": "x" * 40_000}
    claim = codec.encode(large, "it")
    history = History({})
    history.scheduled("a")
    history.completed("a-1", claim)
    history.add("WorkflowExecutionCompleted", result=claim)
    found = result(RUN, history.events)
    assert (found.context, found.result) == (large, large)

    def silent(_: object) -> str:
        raise claims.ClaimStoreUnavailable("The store does not answer.")

    monkeypatch.setattr(claims, "get", silent)
    with pytest.raises(RequestRefused, match="order-17 completed, but The store") as caught:
        result(RUN, history.events)
    assert caught.value.transient


@pytest.mark.parametrize(
    ("text", "value"), [('{"a": 1}', {"a": 1}), ("text", "text"), ("", None), (None, None)]
)
def test_a_text_is_decoded_if_it_is_json(text: str | None, value: Any) -> None:
    """JSON becomes its value, any other text stays as it is."""
    assert json_or_text(text) == value


def test_only_a_continued_execution_has_a_next_run() -> None:
    """The run id of the next run comes from the event that continued the execution."""
    assert next_run_id(closed("ContinuedAsNew", newExecutionRunId="r2")[-1]) == "r2"
    assert next_run_id(closed("Completed")[-1]) is None
