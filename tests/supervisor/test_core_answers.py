"""What SWF is told of the dead: a pure function of what is known of a death."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import reasons
from supervisor.core import answers
from supervisor.core.causes import Cause, Kind, cause_of, how_ended
from supervisor.core.generation import Generation
from supervisor.core.worker import Death, Killing, Worker
from supervisor.messages import (
    Answer,
    Cancel,
    Complete,
    Fail,
    HandBack,
    PostMortem,
    Seat,
    Serve,
    Staleness,
    Task,
)
from supervisor.settings import Settings
from tests.world import DECIDER, RESIZE

READY = Complete('{"size": 3}')


def death(
    status: int = -9,
    killing: Killing | None = None,
    *,
    stale: Staleness | None = None,
    decides: bool = False,
    **post: Any,
) -> Death:
    """Of a worker that took its task at 100 and died at 112.5."""
    seat = Seat(DECIDER if decides else RESIZE, 0)
    code = Generation(1, Settings(), 0.0)
    worker = Worker(7, code, Serve(seat), held_since=100.0, killing=killing)
    worker.task, worker.stale = Task("t", "w", "r", "a"), stale
    found = PostMortem(pid=4711, host="here", **post)
    return Death(worker, cause_of(status, found), 112.5, status=status, post=found)


def ours(kind: Kind, why: str) -> Killing:
    """A kill by us at 112."""
    return Killing(112.0, 122.0, why, kind)


CUT = ours(Kind.INTERRUPTED, "a second SIGTERM")
LATE = ours(Kind.LATE, "past its own timeout")
BIG = ours(Kind.TOO_BIG, "over the memory limit of 2GiB")


def test_the_words_are_those_that_garcon_knows() -> None:
    """The core cannot import garcon, so its words are copies: they must be the same."""
    assert answers.WORKER_DIED == reasons.WORKER_DIED
    assert answers.INTERRUPTED == reasons.INTERRUPTED
    assert answers.UNBEGUN == reasons.UNBEGUN


# --- which answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [READY, Fail("Oops", "trace"), Cancel("by itself")])
@pytest.mark.parametrize("killing", [None, CUT, LATE, BIG])
@pytest.mark.parametrize("stale", [None, *Staleness])
def test_an_answer_that_was_ready_is_given_as_it_is(
    answer: Answer, killing: Killing | None, stale: Staleness | None
) -> None:
    """Whatever the worker died of: the answer that it left is the one that SWF gets."""
    assert answers.answer_to(death(killing=killing, stale=stale, answer=answer)) == answer


@pytest.mark.parametrize("killing", [None, CUT, LATE])
@pytest.mark.parametrize("post", [{}, {"begun": False}, {"answer": READY}])
def test_a_decision_is_handed_back(killing: Killing | None, post: dict[str, Any]) -> None:
    """There is no call that fails a decision task, and none that completes it with a result."""
    assert answers.answer_to(death(killing=killing, decides=True, **post)) == HandBack()


@pytest.mark.parametrize("killing", [None, CUT, ours(Kind.STALE, "it went on")])
def test_what_is_gone_needs_no_answer(killing: Killing | None) -> None:
    """SWF has said itself that it does not know the task any more."""
    assert answers.answer_to(death(killing=killing, stale=Staleness.GONE)) is None


@pytest.mark.parametrize("killing", [None, CUT, ours(Kind.STALE, "it went on")])
def test_what_was_to_be_canceled_is_canceled(killing: Killing | None) -> None:
    """The decider asked for it: how the worker came to its end is in the details."""
    answer = answers.answer_to(death(killing=killing, stale=Staleness.CANCEL))
    assert isinstance(answer, Cancel)
    assert json.loads(answer.details or "")["signal"] == "SIGKILL"


REASONS: list[tuple[Death, str]] = [
    (death(-9), "WorkerDied: killed by SIGKILL"),
    (death(-9, out_of_memory=True), "WorkerDied: killed by SIGKILL, out of memory"),
    (death(-11), "WorkerDied: SIGSEGV"),
    (death(-11, core_dumped=True), "WorkerDied: SIGSEGV, core dumped"),
    (death(-6), "WorkerDied: SIGABRT"),
    (death(-15), "WorkerDied: killed by SIGTERM"),
    (death(-40), "WorkerDied: killed by signal 40"),
    (death(3), "WorkerDied: exited 3"),
    (death(0), "WorkerDied: exited 0"),
    (death(-9, LATE), "WorkerDied: killed after 12 s, past its own timeout"),
    (death(-9, BIG), "WorkerDied: over the memory limit of 2GiB"),
    (death(-9, CUT), "Interrupted: a second SIGTERM"),
    (death(-9, begun=False), "Unbegun: killed by SIGKILL"),
    (death(-9, CUT, begun=False), "Unbegun: a second SIGTERM"),
    (death(-9, LATE, begun=False), "Unbegun: killed after 12 s, past its own timeout"),
]


@pytest.mark.parametrize(("dead", "reason"), REASONS, ids=[each for _, each in REASONS])
def test_a_reason_is_a_word_and_a_sentence(dead: Death, reason: str) -> None:
    """The word tells a decider whether the death counts; the rest tells people what happened."""
    answer = answers.answer_to(dead)
    assert isinstance(answer, Fail)
    assert answer.reason == reason
    assert reasons.prefix_of(answer.reason) == reason.partition(":")[0]


def test_a_death_of_which_nothing_is_known_counts() -> None:
    """Without a post-mortem the task is taken for begun: to run it again may not be free."""
    known = death(-9)
    held = Death(known.worker, Cause(Kind.LATE, "killed, but the kernel holds it"), 112.5)
    answer = answers.answer_to(held)
    assert isinstance(answer, Fail)
    assert answer.reason.startswith("WorkerDied: killed, but the kernel")
    facts = json.loads(answer.details or "")
    assert (facts["signal"], facts["exit_status"]) == (None, None)


# --- details --------------------------------------------------------------------------------------


def test_details_tell_the_facts() -> None:
    """Everything that helps to find out, under plain names, in plain units."""
    dead = death(
        -11, core_dumped=True, peak_memory=1 << 20, last_lines=("a", "b"), stacks=("File x",)
    )
    assert json.loads(answers.details(dead)) == {
        "cause": "crashed",
        "signal": "SIGSEGV",
        "exit_status": None,
        "core_dumped": True,
        "out_of_memory": False,
        "host": "here",
        "pid": 4711,
        "seconds": 12.5,
        "peak_memory": 1 << 20,
        "last_lines": ["a", "b"],
        "stacks": ["File x"],
    }
    assert json.loads(answers.details(death(3)))["exit_status"] == 3


lines = st.lists(st.text(max_size=3000), max_size=40).map(tuple)


@given(lines, lines)
def test_details_fit(last_lines: tuple[str, ...], stacks: tuple[str, ...]) -> None:
    """Whatever the worker wrote: bounded, JSON, with room for what the reporter adds.

    What is kept are the end of the lines and the beginning of the stacks.
    """
    text = answers.details(death(last_lines=last_lines, stacks=stacks))
    facts = json.loads(text)
    assert len(text.encode()) <= answers.DETAILS_LENGTH - 400
    assert tuple(facts["last_lines"]) == last_lines[len(last_lines) - len(facts["last_lines"]) :]
    assert tuple(facts["stacks"]) == stacks[: len(facts["stacks"])]
    if len(msgspec.json.encode((last_lines, stacks))) < 30_000:
        assert (len(facts["last_lines"]), len(facts["stacks"])) == (len(last_lines), len(stacks))


def test_lines_are_cut_before_stacks() -> None:
    """The stacks of a crash are worth more than what was printed before it."""
    stacks, last_lines = ("x" * 100,) * 200, tuple(f"{n}" * 50 for n in range(1000))
    text = answers.details(death(stacks=stacks, last_lines=last_lines))
    assert len(text) <= answers.DETAILS_LENGTH - 400
    facts = json.loads(text)
    assert len(facts["stacks"]) == 200
    assert facts["last_lines"][-1] == last_lines[-1]
    assert 0 < len(facts["last_lines"]) < 1000


def test_a_reason_has_256_characters_at_most() -> None:
    """SWF refuses a longer one."""
    assert len(answers.reason(death(killing=ours(Kind.LATE, "so " * 200)))) == 256


# --- causes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "post", "kind"),
    [
        (-9, PostMortem(), Kind.KILLED),
        (-9, None, Kind.KILLED),
        (-9, PostMortem(out_of_memory=True), Kind.OUT_OF_MEMORY),
        (-11, PostMortem(), Kind.CRASHED),
        (-6, PostMortem(), Kind.CRASHED),
        (-15, PostMortem(), Kind.KILLED),
        (0, PostMortem(), Kind.EXITED),
        (70, None, Kind.EXITED),
    ],
)
def test_causes_have_few_kinds(status: int, post: PostMortem | None, kind: Kind) -> None:
    """What a process brings on itself is a crash; what somebody does to it is a kill."""
    assert cause_of(status, post).kind is kind


def test_how_a_process_ended_is_said_without_a_post_mortem() -> None:
    """For those that leave none."""
    assert [how_ended(each) for each in (-9, -11, 3)] == [
        "killed by SIGKILL",
        "killed by SIGSEGV",
        "exited 3",
    ]
