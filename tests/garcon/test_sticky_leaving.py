"""Sticky deciders that leave: what they poll once more, and what they give back."""

from __future__ import annotations

import pytest

from garcon.decider.reading import Received
from tests.garcon.fakes import GONE, FakeSwf, refusal
from tests.garcon.histories import History
from tests.garcon.test_sticky import (
    POLL,
    RESPOND,
    continued,
    decide_one,
    private_of,
    received,
    sticky,
)


def test_who_will_leave_gives_back_what_it_has_in_hand() -> None:
    """From ``give_back`` on answers name the flow's own list, and no state is kept."""
    swf = FakeSwf()
    worker = sticky(swf)
    decide_one(worker, received())
    worker.give_back()
    came_back = History().poll(previousStartedEventId=3, taskToken="t")
    task_ = Received(came_back, {"taskList": {"name": private_of(worker)}})
    decide_one(worker, task_)
    assert swf.requests(RESPOND)[-1]["taskList"] == {"name": "flow"}
    assert len(worker._sticking._reader.cache) == 0  # type: ignore[union-attr]


def test_leaving_polls_the_own_list_once_more_for_what_was_just_answered() -> None:
    """That execution's next task may come at any moment; it is given back then."""
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
def test_leaving_polls_the_own_list_while_tasks_come(seconds: float, given_back: list[str]) -> None:
    """All that go on just now are given back, not only the first; for so long and no longer."""
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


def test_leaving_polls_nothing_that_nobody_was_told_of() -> None:
    """A process that has answered nothing has no list of its own."""
    swf = FakeSwf()
    assert list(sticky(swf).leave()) == []
    assert swf.requests(POLL) == []


def test_an_answer_whose_acceptance_was_lost_has_named_the_own_list() -> None:
    """SWF may have taken it, so the list is polled; nothing is kept that may be wrong."""
    swf = FakeSwf().prepare(RESPOND, refusal(GONE))
    worker = sticky(swf)
    assert not decide_one(worker, received())
    list(worker.leave())
    assert [each["taskList"]["name"] for each in swf.requests(POLL)] == [private_of(worker)]
