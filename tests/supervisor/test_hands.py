"""garcon's steps as the worker's loop sees them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from garcon import activity, decider, runner
from supervisor.hands import DeciderHands
from supervisor.messages import Result

if TYPE_CHECKING:
    import pytest

POLL = {
    "taskToken": "token",
    "startedEventId": 3,
    "workflowExecution": {"workflowId": "order-1", "runId": "run"},
}


class Broken:
    """An SWF that hands out one decision task and refuses every further call."""

    def poll_for_decision_task(self, **asked: Any) -> dict[str, Any]:
        """The task, with a page of history still to come; that page is refused."""
        if "nextPageToken" in asked:
            raise refusal()
        return {**POLL, "events": [], "nextPageToken": "more", "previousStartedEventId": 0}

    def __getattr__(self, _name: str) -> Any:
        """Any other call."""

        def refuse(**_: Any) -> Any:
            raise refusal()

        return refuse


def refusal() -> ClientError:
    """SWF does not permit it."""
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Any")


def test_a_decision_that_swf_does_not_take_leaves_the_worker_alive(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error of SWF while deciding is a line in the log and an abandoned task, nothing more."""
    make = activity.create(Broken(), "cafe", "orders")
    flow = SimpleNamespace(
        client=Broken(),
        domain="cafe",
        name="orders",
        make=make(name="make", run=runner.Sync(lambda context, activity: None)),
    )
    hands = DeciderHands(decider.DeciderWorker(flow, register=False))
    work = hands.poll("me")
    assert work is not None
    assert work.perform(None) is Result.ABANDONED  # type: ignore[arg-type]  # a decision has no keeper
    assert "Answering a decision task failed" in caplog.text
