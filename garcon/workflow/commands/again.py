"""The commands that try a past execution again: replay its decisions, rerun one of its activities.

Neither tells SWF anything, and neither calls the flow's ``on_exception``: nobody is to be woken by
a rehearsal.
"""

import argparse
import contextlib
import logging
import logging.handlers
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from garcon.activity import Canceled, Completed
from garcon.workflow import drawing, words
from garcon.workflow import rerun as reruns
from garcon.workflow.commands import place
from garcon.workflow.commands.output import Output, as_json

if TYPE_CHECKING:
    from garcon.local.replay import Difference

KEPT = 1_000  # log records of a replay, until it is known whether they matter
SHOWN = 400  # characters of a decision; its input may have 32,768


def replay(said: argparse.Namespace, out: Output) -> int:
    """``replay``: the first decision that differs, and how many do."""
    from garcon.local import replay as replaying  # noqa: PLC0415 - it imports boto3, others need not
    from garcon.workflow import checking  # noqa: PLC0415 - it reads SWF's service model, same

    flow = place.flow(said)
    _, events = place.told(said)
    events = checking.checked(events, said.execution)
    with contextlib.suppress(AttributeError):  # an object that cannot be told has its reasons
        flow.on_exception = None
    with _logs_kept() as logs:
        found = replaying.replay(flow, events)
        if found:
            logs.flush()
    decisions = sum(1 for _ in replaying.turns(events))
    values = {"decisions": decisions, "differences": found}
    out.answer(values, _verdict(decisions, found))
    return 1 if found else 0


@contextlib.contextmanager
def _logs_kept() -> Iterator[logging.handlers.MemoryHandler]:
    """Within, what garcon logs is kept: an execution that failed logs its failure once more."""
    logger = logging.getLogger("garcon")
    shown = logging.StreamHandler()
    kept = logging.handlers.MemoryHandler(KEPT, logging.CRITICAL, shown, flushOnClose=False)
    logger.addHandler(kept)
    logger.propagate = False
    try:
        yield kept
    finally:
        logger.propagate = True
        logger.removeHandler(kept)


def _verdict(decisions: int, found: "list[Difference]") -> str:
    if not found:
        return f"Today's decider decides as the history shows, {decisions} decisions."
    first, many = found[0], len(found)
    others = f"; {many - 1} more differ" if many > 1 else ""
    lines = [
        f"Today's decider differs at event {first.completed_id} (DecisionTaskCompleted){others}.",
        "The history shows, and the code does not decide:",
        *_each(first.recorded),
        "The code decides, and the history does not show:",
        *_each(first.decided),
    ]
    return "\n".join(lines)


def _each(decisions: tuple[str, ...]) -> list[str]:
    if not decisions:
        return ["  nothing"]
    return [
        textwrap.fill(
            textwrap.shorten(words.printable(each), SHOWN, placeholder=" ..."),
            drawing.WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
        for each in decisions
    ]


def rerun(said: argparse.Namespace, out: Output) -> int:
    """``rerun``: the result, or the traceback."""
    flow = place.flow(said)
    where, events = place.told(said)
    attempt = reruns.choose(reruns.attempts(events), said.activity, flow.name, said.attempt)
    _show_logs()
    out.tell(f"{attempt.activity_id}, try {attempt.number}, here; SWF is not told.")
    with contextlib.redirect_stdout(sys.stderr):  # what tasks print is no answer
        outcome = reruns.rerun(flow, attempt, where, lambda said: out.tell(f"heartbeat: {said}"))
    told: dict[str, Any] = {"activity_id": attempt.activity_id, "attempt": attempt.number}
    match outcome:
        case Completed(result):
            out.answer({**told, "outcome": "completed", "result": result}, as_json(result))
            return 0
        case Canceled(details):
            out.answer({**told, "outcome": "cancelled", "details": details}, "Cancelled.")
        case failed:
            out.tell(str(failed.details).rstrip())
            values = {"outcome": "failed", "reason": failed.reason, "details": failed.details}
            out.answer({**told, **values}, f"Failed: {failed.reason}")
    return 1


def _show_logs() -> None:
    """Show what tasks log, unless the flow has its own mind about it."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("garcon").setLevel(logging.INFO)
