"""The last note of a drain: the outcome of every task that was in progress.

One line a task, the worst outcome first: those tasks may need people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.core.log_names import task_name
from supervisor.core.rules.ledger import TaskOutcome
from supervisor.ipc.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.rules.ledger import Entry, Ledger
    from supervisor.core.state import Drain
    from supervisor.core.turn import Turn

SHOWN = 100
"""Tasks that have a line: a screen or two; the facts count them all."""

_BAD = {TaskOutcome.LOST.value, TaskOutcome.ABANDONED.value}


def note_report(turn: Turn, drain: Drain) -> None:
    """Note the report, unless an error ended the program and no task was in progress."""
    ledger = drain.ledger
    counts = ledger.count_outcomes()
    handed_out = len(turn.state.handed_out.tasks)
    if drain.code > exit_codes.ABANDONED and not counts:
        return
    turn.note(
        Level.WARNING if _BAD & counts.keys() or ledger.polls_cut else Level.INFO,
        "drain_report",
        "\n".join([_headline(drain, turn.now), *_lines(ledger), *_handed_out(turn)]),
        seconds=round(turn.now - ledger.began, 3),
        tasks=len(ledger.entries),
        **({"left_handed_out": handed_out} if handed_out else {}),
        **{name.replace(" ", "_"): number for name, number in counts.items()},
        polls_cut=ledger.polls_cut,
        code=drain.code,
    )


def _headline(drain: Drain, now: float) -> str:
    ledger = drain.ledger
    how = "Stopped" if drain.stopping else "Drained"
    counts = [f"{number} {name}" for name, number in ledger.count_outcomes().items()]
    tasks = ", ".join(counts) or "none"
    # The end that was set is a reason only for what it cut short.
    why = drain.cut_why if _BAD & ledger.count_outcomes().keys() else drain.why
    return f"{how} in {now - ledger.began:.1f} s ({why}). Tasks in progress: {tasks}."


def _lines(ledger: Ledger) -> Iterator[str]:
    if cut := ledger.polls_cut:
        yield f"  open polls cut: {cut}; a task that SWF hands to one is lost until it times out"
    order = list(TaskOutcome)
    entries = sorted(
        ledger.entries.values(), key=lambda each: order.index(each.outcome or TaskOutcome.LOST)
    )
    yield from (_line(each) for each in entries[:SHOWN])
    if len(entries) > SHOWN:
        yield f"  and {len(entries) - SHOWN} more"


def _handed_out(turn: Turn) -> Iterator[str]:
    if number := len(turn.state.handed_out.tasks):
        then = (
            "the next supervisor finds them in the spool"
            if turn.state.settings.spool
            else "each times out unless its program answers or sends heartbeats"
        )
        yield f"  with other programs (handed out): {number}; their heartbeats end here: {then}"


def _line(entry: Entry) -> str:
    outcome = entry.outcome or TaskOutcome.LOST
    return f"  {outcome.value:<14}  {task_name(entry.task)}, after {entry.at - entry.since:.1f} s"
