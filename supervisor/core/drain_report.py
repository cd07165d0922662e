"""The last note: what became of every task that was in hand when the program began to leave.

One line a task, the worst first, so that whoever reads it sees at once what to look after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor import exits
from supervisor.core.leaving import task_name
from supervisor.core.ledger import Fate
from supervisor.messages import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.ledger import Entry, Ledger
    from supervisor.core.state import Leaving
    from supervisor.core.turn import Turn

SHOWN = 100
"""Tasks that are named: a screen or two; the facts count them all."""

_BAD = {Fate.LOST.value, Fate.ABANDONED.value}


def tell(turn: Turn, leaving: Leaving) -> None:
    """Note the report; nothing is told where nothing was in hand and an error says why we leave."""
    ledger = leaving.ledger
    counts = ledger.counts()
    if leaving.code > exits.ABANDONED and not counts:
        return
    turn.note(
        Level.WARNING if _BAD & counts.keys() or ledger.polls_cut else Level.INFO,
        "drain_report",
        "\n".join([_first_line(leaving, turn.now), *_lines(ledger)]),
        seconds=round(turn.now - ledger.began, 3),
        tasks=len(ledger.entries),
        **{name.replace(" ", "_"): number for name, number in counts.items()},
        polls_cut=ledger.polls_cut,
        code=leaving.code,
    )


def _first_line(leaving: Leaving, now: float) -> str:
    ledger = leaving.ledger
    how = "Stopped" if leaving.stopping else "Drained"
    counts = [f"{number} {name}" for name, number in ledger.counts().items()]
    tasks = f"of {len(ledger.entries)} tasks in hand {', '.join(counts)}"
    what = tasks if counts else "no task was in hand"
    return f"{how} in {now - ledger.began:.1f} s ({leaving.why}): {what}."


def _lines(ledger: Ledger) -> Iterator[str]:
    if cut := ledger.polls_cut:
        yield f"  open polls cut: {cut}; what SWF hands them now is lost until it times out"
    order = list(Fate)
    entries = sorted(ledger.entries.values(), key=lambda each: order.index(each.fate or Fate.LOST))
    yield from (_line(each) for each in entries[:SHOWN])
    if len(entries) > SHOWN:
        yield f"  and {len(entries) - SHOWN} more"


def _line(entry: Entry) -> str:
    fate = entry.fate or Fate.LOST
    return f"  {fate.value:<11}  {task_name(entry.task)}, after {entry.at - entry.since:.1f} s"
