"""Answers to SWF for the tasks of dead workers: a pure function of a death."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon.history import failure_reasons
from supervisor.config.settings import Settings
from supervisor.core.causes import Cause, DeathKind, cause_of, how_ended
from supervisor.core.generation import Death, Generation, Killing, Worker
from supervisor.core.rules import answers
from supervisor.ipc.messages import (
    Answer,
    Cancel,
    Complete,
    Fail,
    PostMortem,
    ReturnTask,
    Serve,
    Slot,
    Staleness,
    Task,
)
from tests.supervisor.simulation.world import DECIDER, RESIZE

READY = Complete('{"size": 3}')


def death(
    status: int = -9,
    killing: Killing | None = None,
    *,
    stale: Staleness | None = None,
    decides: bool = False,
    **post: Any,
) -> Death:
    """The death at 112.5 of a worker that received its task at 100."""
    slot = Slot(DECIDER if decides else RESIZE, 0)
    code = Generation(1, Settings(), 0.0)
    worker = Worker(7, code, Serve(slot), task_since=100.0, killing=killing)
    worker.task, worker.stale = Task("t", "w", "r", "a"), stale
    found = PostMortem(pid=4711, host="here", **post)
    return Death(worker, cause_of(status, found), 112.5, status=status, post=found)


def killing_of(kind: DeathKind, why: str) -> Killing:
    """A kill by the supervisor at 112."""
    return Killing(112.0, 122.0, why, kind)


CUT = killing_of(DeathKind.INTERRUPTED, "a second SIGTERM")
LATE = killing_of(DeathKind.LATE, "past its own timeout")
BIG = killing_of(DeathKind.TOO_BIG, "over the memory limit of 2GiB")


def test_the_words_are_those_that_garcon_knows() -> None:
    """The core cannot import garcon, so its words are copies and must be equal."""
    assert answers.WORKER_DIED == failure_reasons.WORKER_DIED
    assert answers.INTERRUPTED == failure_reasons.INTERRUPTED
    assert answers.NOT_STARTED == failure_reasons.NOT_STARTED


# --- which answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [READY, Fail("Oops", "trace"), Cancel("by itself")])
@pytest.mark.parametrize("killing", [None, CUT, LATE, BIG])
@pytest.mark.parametrize("stale", [None, *Staleness])
def test_an_answer_that_was_ready_is_sent_as_it_is(
    answer: Answer, killing: Killing | None, stale: Staleness | None
) -> None:
    """Whatever the worker died of, SWF gets the answer that it left."""
    assert answers.answer_to(death(killing=killing, stale=stale, answer=answer)) == answer


@pytest.mark.parametrize("killing", [None, CUT, LATE])
@pytest.mark.parametrize("post", [{}, {"started": False}, {"answer": READY}])
def test_a_decision_is_returned(killing: Killing | None, post: dict[str, Any]) -> None:
    """No call fails a decision task, and none that completes it with a result."""
    answer = answers.answer_to(death(killing=killing, decides=True, **post))
    assert isinstance(answer, ReturnTask)


@pytest.mark.parametrize(
    ("killing", "post", "cause"),
    [
        (None, {}, "WorkerDied: killed by SIGKILL"),
        (LATE, {}, "WorkerDied: killed after 12 s, past its own timeout"),
        (CUT, {}, ""),
        (None, {"started": False}, ""),
    ],
)
def test_a_returned_decision_has_the_cause_of_a_death_of_its_making(
    killing: Killing | None, post: dict[str, Any], cause: str
) -> None:
    """A drain that cut it short, or a death before it began, is not counted against it."""
    dead = death(killing=killing, decides=True, **post)
    assert answers.answer_to(dead) == ReturnTask(cause)


@pytest.mark.parametrize("killing", [None, CUT, killing_of(DeathKind.STALE, "it went on")])
def test_a_closed_task_needs_no_answer(killing: Killing | None) -> None:
    """SWF has said that it no longer knows the task."""
    assert answers.answer_to(death(killing=killing, stale=Staleness.CLOSED)) is None


@pytest.mark.parametrize("killing", [None, CUT, killing_of(DeathKind.STALE, "it went on")])
def test_a_task_with_a_cancel_request_is_canceled(killing: Killing | None) -> None:
    """The decider requested it; the details say how the worker died."""
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
    (death(-9, started=False), "NotStarted: killed by SIGKILL"),
    (death(-9, CUT, started=False), "NotStarted: a second SIGTERM"),
    (death(-9, LATE, started=False), "NotStarted: killed after 12 s, past its own timeout"),
]


@pytest.mark.parametrize(("dead", "reason"), REASONS, ids=[each for _, each in REASONS])
def test_a_reason_is_a_word_and_a_sentence(dead: Death, reason: str) -> None:
    """The word shows a decider whether the death counts; the rest is for people."""
    answer = answers.answer_to(dead)
    assert isinstance(answer, Fail)
    assert answer.reason == reason
    assert failure_reasons.prefix_of(answer.reason) == reason.partition(":")[0]


def test_a_death_without_a_post_mortem_counts() -> None:
    """The task is taken for started, since running it again may not be harmless."""
    known = death(-9)
    held = Death(known.worker, Cause(DeathKind.LATE, "killed, but the kernel holds it"), 112.5)
    answer = answers.answer_to(held)
    assert isinstance(answer, Fail)
    assert answer.reason.startswith("WorkerDied: killed, but the kernel")
    facts = json.loads(answer.details or "")
    assert (facts["signal"], facts["exit_status"]) == (None, None)


# --- details --------------------------------------------------------------------------------------


def test_details_have_the_facts() -> None:
    """They have plain names and plain units."""
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


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, ...]:
    """Lines of any text; often too many, or too long, for the details."""
    some = draw(st.lists(st.text(max_size=20), min_size=1, max_size=5))
    number, longer = draw(st.integers(0, 100)), draw(st.sampled_from((0, 1, 10, 150)))
    return tuple(f"{n} {some[n % len(some)] * longer}" for n in range(number))


@given(lines(), lines())
def test_details_fit(last_lines: tuple[str, ...], stacks: tuple[str, ...]) -> None:
    """Whatever the worker wrote, they are bounded JSON with room for what the reporter adds.

    They keep the end of the lines and the beginning of the stacks.
    """
    text = answers.details(death(last_lines=last_lines, stacks=stacks))
    facts = json.loads(text)
    assert len(text.encode()) <= answers.DETAILS_LENGTH - 400
    assert tuple(facts["last_lines"]) == last_lines[len(last_lines) - len(facts["last_lines"]) :]
    assert tuple(facts["stacks"]) == stacks[: len(facts["stacks"])]
    if len(msgspec.json.encode((last_lines, stacks))) < 30_000:
        assert (len(facts["last_lines"]), len(facts["stacks"])) == (len(last_lines), len(stacks))


def test_lines_are_cut_before_stacks() -> None:
    """The stacks of a crash are worth more than the output before it."""
    stacks, last_lines = ("x" * 100,) * 200, tuple(f"{n}" * 50 for n in range(1000))
    text = answers.details(death(stacks=stacks, last_lines=last_lines))
    assert len(text) <= answers.DETAILS_LENGTH - 400
    facts = json.loads(text)
    assert len(facts["stacks"]) == 200
    assert facts["last_lines"][-1] == last_lines[-1]
    assert 0 < len(facts["last_lines"]) < 1000


def test_a_reason_has_256_characters_at_most() -> None:
    """SWF refuses a longer one."""
    assert len(answers.reason(death(killing=killing_of(DeathKind.LATE, "so " * 200)))) == 256


# --- causes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "post", "kind"),
    [
        (-9, PostMortem(), DeathKind.KILLED),
        (-9, None, DeathKind.KILLED),
        (-9, PostMortem(out_of_memory=True), DeathKind.OUT_OF_MEMORY),
        (-11, PostMortem(), DeathKind.CRASHED),
        (-6, PostMortem(), DeathKind.CRASHED),
        (-15, PostMortem(), DeathKind.KILLED),
        (0, PostMortem(), DeathKind.EXITED),
        (70, None, DeathKind.EXITED),
    ],
)
def test_causes_have_few_kinds(status: int, post: PostMortem | None, kind: DeathKind) -> None:
    """A signal that a process brings on itself is a crash; one from outside is a kill."""
    assert cause_of(status, post).kind is kind


def test_an_exit_status_has_a_text() -> None:
    """Processes without a post-mortem have their exit status only."""
    assert [how_ended(each) for each in (-9, -11, 3)] == [
        "killed by SIGKILL",
        "killed by SIGSEGV",
        "exited 3",
    ]
