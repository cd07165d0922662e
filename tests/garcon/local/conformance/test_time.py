"""The accounts of the conformance tests: their clocks, and the checks of every answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from garcon.local.engine import Answer, Fault
from garcon.local.service import protocol
from tests.garcon.local.conformance.account import MOMENT, Account, schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.garcon.local.conformance.account import TimedAccount


def test_no_time_passes_by_itself(account: Account) -> None:
    """Without an empty poll, all events have the time at which the tests begin."""
    account.start()
    account.decide(schedule())
    account.complete_activity()
    assert {event["eventTimestamp"].timestamp() for event in account.history()} == {MOMENT}


def test_time_passes_by_hand(timed: TimedAccount) -> None:
    """An account with a manual clock begins at the same time, and moves on from it."""
    assert timed.swf.now == MOMENT
    timed.after(5)
    timed.start()
    assert timed.history()[0]["eventTimestamp"].timestamp() == MOMENT + 5


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda body: body | {"color": "red"}, "color is unknown"),
        (lambda body: {"executionInfo": {}, "openCounts": {}}, "Configuration is missing"),
        (lambda body: body | {"executionInfo": "w"}, "executionInfo is 'w', not an object"),
        (lambda body: body | {"openCounts": {"openTimers": "1"}}, "openTimers is '1', not a"),
    ],
    ids=["unknown", "missing", "not an object", "mistyped"],
)
def test_every_answer_is_checked_by_the_model(
    timed: TimedAccount,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Any], Any],
    complaint: str,
) -> None:
    """An unknown, a missing or a mistyped member fails the test that made the call."""
    run_id = timed.start()
    before = protocol.success
    monkeypatch.setattr(protocol, "success", lambda answer: before(Answer(spoil(answer.body))))
    with pytest.raises(AssertionError, match=complaint):
        timed.in_domain(
            "describe_workflow_execution", execution={"workflowId": "w", "runId": run_id}
        )


def test_every_event_is_checked_by_the_model(
    timed: TimedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events of histories and of decision tasks are checked."""
    timed.start()
    before = protocol.success

    def spoilt(answer: Answer) -> protocol.Reply:
        body = json.loads(json.dumps(answer.body))
        del body["events"][1]["decisionTaskScheduledEventAttributes"]["taskList"]
        return before(Answer(body))

    monkeypatch.setattr(protocol, "success", spoilt)
    with pytest.raises(AssertionError, match="taskList is missing"):
        timed.decision_task()


def test_every_refusal_is_checked_by_the_model(
    timed: TimedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code that is not in the model of the operation fails the test that made the call."""
    before = protocol.refusal
    other = Fault("TypeDeprecatedFault", "any")
    monkeypatch.setattr(protocol, "refusal", lambda _: before(other))
    with pytest.raises(AssertionError, match="never refused with TypeDeprecatedFault"):
        timed.call("describe_domain", name="nowhere")
