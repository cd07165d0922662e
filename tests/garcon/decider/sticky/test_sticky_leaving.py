"""Sticky deciders that leave: their last polls, and the executions they give back."""

from __future__ import annotations

import pytest

from garcon.decider.history_reader import PolledTask
from tests.garcon.decider.sticky.test_sticky import (
    POLL,
    RESPOND,
    continued,
    decide_one,
    private_of,
    received,
    sticky,
)
from tests.garcon.fakes import GONE, FakeSwf, refusal
from tests.garcon.histories import History


def test_give_back_returns_the_execution_in_progress() -> None:
    """From then on answers name the flow's own list, and no state is kept."""
    swf = FakeSwf()
    worker = sticky(swf)
    decide_one(worker, received())
    worker.give_back()
    came_back = History().poll(previousStartedEventId=3, taskToken="t")
    task_ = PolledTask(came_back, {"taskList": {"name": private_of(worker)}})
    decide_one(worker, task_)
    assert swf.requests(RESPOND)[-1]["taskList"] == {"name": "flow"}
    assert len(worker._tasks.histories) == 0


def test_leaving_polls_the_private_list_for_the_latest_answer() -> None:
    """The next task of that execution may come at any moment; then it is given back."""
    swf = FakeSwf()
    worker = sticky(swf)
    decide_one(worker, received())
    swf.prepare(POLL, continued(History()))
    (late,) = worker.leave("me")
    (request,) = swf.requests(POLL)
    assert request["taskList"] == {"name": private_of(worker)}
    assert request["identity"] == "me"
    worker.respond(late["taskToken"], worker.decide(late))
    assert swf.requests(RESPOND)[-1]["taskList"] == {"name": "flow"}


@pytest.mark.parametrize(("seconds", "given_back"), [(60.0, ["one", "two"]), (0.0, [])])
def test_leaving_polls_the_private_list_while_tasks_come(
    seconds: float, given_back: list[str]
) -> None:
    """All active executions are given back, not only the first, within the time limit."""
    swf = FakeSwf()
    worker = sticky(swf)
    decide_one(worker, received())
    for token in ("one", "two"):
        swf.prepare(POLL, {**continued(History()), "taskToken": token})
    for late in worker.leave("me", seconds):
        worker.respond(late["taskToken"], worker.decide(late))
    answered = [each for each in swf.requests(RESPOND) if each["taskToken"] in {"one", "two"}]
    assert [each["taskToken"] for each in answered] == given_back
    assert {each["taskList"]["name"] for each in answered} <= {"flow"}
    assert len(swf.requests(POLL)) == (3 if seconds else 0)


def test_leaving_does_not_poll_an_unknown_private_list() -> None:
    """A process that has answered nothing has not named its private list."""
    swf = FakeSwf()
    assert list(sticky(swf).leave()) == []
    assert swf.requests(POLL) == []


def test_an_answer_without_acceptance_may_have_named_the_private_list() -> None:
    """SWF may have taken it, so the list is polled; the state is not kept."""
    swf = FakeSwf().prepare(RESPOND, refusal(GONE))
    worker = sticky(swf)
    assert not decide_one(worker, received())
    list(worker.leave())
    assert [each["taskList"]["name"] for each in swf.requests(POLL)] == [private_of(worker)]
