"""Executions that another build of the code decided: adopted if this code fits, else returned.

A *build* is the flow's code at one time, by its id. Each answer notes the build in the history
(``build_notes``). The *list of a build* is a task list that only deciders of this build poll.

Rules:

1. Code fits an execution if it repeats every decision of its history (``history_replay``). An
   execution without a note fits every build: it was not decided yet, or by a release that had no
   builds and may have decided a little otherwise; it is not compared, and must go on. The answers
   of a flow that is not deterministic are not compared either.
2. Code that fits adopts the execution: it decides, and its answer notes its build. No event more.
3. Other code decides nothing. It returns the execution to the list of its build: a timer of no
   seconds, and that list for the next decision task, with a schedule-to-start timeout. Five events,
   if a decider of that build takes it.
4. An execution that no one took there is *stuck*. It waits by a timer, a longer one each time, and
   is offered to its build after each. Seven events a wait, 60 waits in the first hour, later one an
   hour. It never fails for it: code that fits goes on with it. A decider that took it and died, or
   was too slow, shows that its build is there: it is returned again.
5. An execution whose own build differs from its history (``nondeterminism``) is stuck, too.
6. Builds that were found not to fit are noted, too: the past does not change, so no decider of such
   a build replays the execution again. A build replays an execution once, not once a host.
7. An execution that was redriven for a build is decided first by that build: others return it.
8. A signal brings the next decision task of a stuck execution before its timer (``WAKE_SIGNAL``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from garcon.decider import history_replay
from garcon.decider.decisions import Decision, return_task
from garcon.decider.execution_decider import ExecutionDecider
from garcon.decider.execution_state import ExecutionState
from garcon.decider.pages import HistoryGap
from garcon.decider.task_exchange import AnswerNote, TaskExchange
from garcon.event import History
from garcon.history.build_notes import MOST_MISFITS, BuildNote
from garcon.history.event_types import TIMER
from garcon.history.reserved_timers import RETURN_TIMER
from garcon.retry import fraction

FIRST_WAIT = 15.0  # seconds
SHORT_WAIT = 60.0  # seconds; a roll-back within the hour finds the execution within a minute
SHORT_WAITS = 60
LONGEST_WAIT = 3600.0  # seconds; 170 events a day, so that a year does not end the execution
JITTER = 0.5  # share of a wait
MOST_REPLAYED = 200
"""Decision tasks that are replayed of one history: a decider of one's own runs from its start at
each, so the cost would grow with the square of their number."""


@dataclass(frozen=True)
class Returned:
    """The answer that returns an execution.

    Attributes:
        decisions: The timer that brings its next decision task; none if it runs already.
        note: The note to leave.
    """

    decisions: list[Decision]
    note: BuildNote


def give_back(note: BuildNote, own: str, why: str, history: History) -> Returned:
    """Return an execution to its build; if that was in vain before, let it wait.

    Args:
        note: The latest note.
        own: The build that does not fit.
        why: Why it does not fit.
        history: The history so far.
    """
    others = [each for each in note.misfits if each != own]
    # A build that was not asked, because another was named, may fit later.
    misfits = note.misfits if note.pinned else (*others, own)[-MOST_MISFITS:]
    was_in_vain = note.returned and history.was_left and not history.was_taken
    if not note.is_stuck and not was_in_vain:
        first = replace(note, returned=True, waits=0, misfits=misfits, why=why)
        return Returned(_timer(history, 0), first)
    return _wait(replace(note, misfits=misfits, why=why), history)


def wait_for_code(note: BuildNote | None, own: str, why: str, history: History) -> Returned:
    """Let an execution wait whose own build differs from its history.

    Args:
        note: The latest note, if there is one.
        own: This build.
        why: The difference.
        history: The history so far.
    """
    waits = note.waits if note and note.build == own else 0
    misfits = note.misfits if note else ()
    return _wait(BuildNote(own, waits=waits, misfits=misfits, why=why), history)


def wait_seconds(number: int, seed: str) -> float:
    """The length of a stuck execution's wait.

    Args:
        number: Its number, from 1.
        seed: The source of its jitter.
    """
    short = min(FIRST_WAIT * 2 ** min(number - 1, 8), SHORT_WAIT)
    long = SHORT_WAIT * 2.0 ** min(max(0, number - SHORT_WAITS), 8)
    longest = min(long, LONGEST_WAIT) if number > SHORT_WAITS else short
    return longest * (1 - JITTER * fraction(seed))


def _wait(note: BuildNote, history: History) -> Returned:
    if _waits(history):
        return Returned([], note)
    waits = note.waits + 1
    longer = replace(note, waits=waits)
    return Returned(_timer(history, wait_seconds(waits, history.seed)), longer)


def _timer(history: History, seconds: float) -> list[Decision]:
    return [] if _waits(history) else return_task(seconds)


def _waits(history: History) -> bool:
    timer = history.states_by_kind[TIMER.kind].get(RETURN_TIMER)
    return timer is not None and timer.open


class BuildDecider:
    """Decides for executions of any build, as one of them.

    Args:
        decider: Decides for executions that this build's code fits.
        tasks: The tasks in progress.
        build: Id of this build.

    Attributes:
        on_returned: Called with the note of each execution that is returned, or waits.
    """

    def __init__(self, decider: ExecutionDecider, tasks: TaskExchange, build: str) -> None:
        self.on_returned: Callable[[BuildNote], object] | None = None
        self._decider = decider
        self._tasks = tasks
        self._build = build
        self._own_text = str(BuildNote(build))
        self._own_note = AnswerNote(self._own_text)

    def decide(self, poll: Mapping[str, Any], execution: ExecutionState) -> list[Decision]:
        """The decisions for a task, or the timer that returns it.

        Raises:
            HistoryGap: The history is needed, and SWF does not return it.
        """
        history = execution.history
        # Nearly always the note is this build's: compared as a text, it costs no parsing.
        is_own = history.note_text == self._own_text
        note = BuildNote(self._build) if is_own else history.build_note
        if note and (why := self._misfit(poll, execution, note)):
            return self._return(poll, note, give_back(note, self._build, why, history))
        decisions = self._decider.decisions_for(poll, execution)
        if why := execution.nondeterminism:
            answer = wait_for_code(note, self._build, why, history)
            return self._return(poll, note or BuildNote(self._build), answer)
        self._tasks.annotate(poll, self._note_of_answer(note))
        return decisions

    def note_answer(self, poll: Mapping[str, Any], execution: ExecutionState) -> None:
        """Let the answer to a task carry this build, without a look at other builds."""
        self._tasks.annotate(poll, self._note_of_answer(execution.history.build_note))

    def _note_of_answer(self, before: BuildNote | None) -> AnswerNote:
        if before and before.misfits:
            return AnswerNote(str(BuildNote(self._build, misfits=before.misfits)))
        return self._own_note

    def _misfit(self, poll: Mapping[str, Any], execution: ExecutionState, note: BuildNote) -> str:
        """The reason why this code does not fit the execution; empty if it does."""
        if note.pinned and note.build != self._build:
            return f"It was redriven for build {note.build}."
        if note.build == self._build:
            return ""
        if self._build in note.misfits:
            # Why stands in the note only until another build has decided again.
            return note.why or f"Build {self._build} has been compared with it, and differs."
        why = self._difference(poll, execution)
        if not why:
            self._decider.logger.info("Build %s takes over from build %s.", self._build, note.build)
        return why

    def _difference(self, poll: Mapping[str, Any], execution: ExecutionState) -> str:
        events = execution.events or self._tasks.histories.recorded_events(poll)
        if events is None:
            raise HistoryGap("Its history is needed to compare it with this build's decisions.")
        ids = poll["workflowExecution"]
        found = history_replay.misfit(self._decider.flow, events, MOST_REPLAYED, ids)
        return str(found or "")

    def _return(
        self, poll: Mapping[str, Any], before: BuildNote, answer: Returned
    ) -> list[Decision]:
        note = answer.note
        build = note.build if note.build != self._build else ""
        self._tasks.annotate(poll, AnswerNote(str(note), build=build, is_decided=False))
        self._log(before, note)
        if self.on_returned:
            self.on_returned(note)
        return answer.decisions

    def _log(self, before: BuildNote, note: BuildNote) -> None:
        build = f"build {note.build}"
        if note.is_stuck and not before.is_stuck:
            self._decider.logger.error(
                "Stuck: %s No decider that was asked fits it. It waits for %s, or for code that"
                " fits: deploy either, or guard the change with schedule.version.",
                note.why,
                build,
            )
        elif not note.is_stuck:
            self._decider.logger.info("Returned to %s: %s", build, note.why)
