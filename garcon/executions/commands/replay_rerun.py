"""The commands that repeat a past execution: replay its decisions, rerun one of its activities.

Neither sends anything to SWF, and neither calls the flow's ``on_exception``: a rehearsal must not
wake the people on call.
"""

import argparse
import contextlib
import json
import logging
import logging.handlers
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from garcon.activity import AttemptCanceled, AttemptCompleted, AttemptFailed
from garcon.executions import presentation, terminal
from garcon.executions import rerun as reruns
from garcon.executions.commands import target
from garcon.executions.commands.output import Output, as_json

if TYPE_CHECKING:
    from garcon.local.replay import Difference

KEPT = 1_000  # log records of a replay, until it is known whether they matter
SHOWN = 400  # characters of a decision; its input may have 32,768


def replay(args: argparse.Namespace, out: Output) -> int:
    """``replay``: the first decision that differs, and how many more do."""
    from garcon.local import replay as replays  # noqa: PLC0415 - it imports all of boto3

    flow = target.flow(args)
    source = target.history(args)
    events = source.events
    with contextlib.suppress(
        AttributeError
    ):  # an object with a read-only ``on_exception`` keeps it
        flow.on_exception = None
    # What the decider prints is not the answer.
    with _logs_held_back() as logs, contextlib.redirect_stdout(sys.stderr):
        # A file does not hold the ids of an execution without activities.
        execution = None if source.from_file else source.execution.wire()
        differences = replays.replay(flow, events, execution)
        if differences:
            logs.flush()
    decisions = sum(1 for _ in replays.turns(events))
    values = {"decisions": decisions, "differences": differences}
    out.answer(values, _verdict(decisions, differences))
    return 1 if differences else 0


@contextlib.contextmanager
def _logs_held_back() -> Iterator[logging.handlers.MemoryHandler]:
    """Within, garcon's log records are kept: a failed execution would log its failure once more."""
    logger = logging.getLogger("garcon")
    kept = logging.handlers.MemoryHandler(
        KEPT, logging.CRITICAL, logging.StreamHandler(), flushOnClose=False
    )
    logger.addHandler(kept)
    logger.propagate = False
    try:
        yield kept
    finally:
        logger.propagate = True
        logger.removeHandler(kept)


def _verdict(decisions: int, differences: "list[Difference]") -> str:
    if not differences:
        return f"No difference: the decider repeats all {decisions} decision tasks of the history."
    first, more = differences[0], len(differences) - 1
    others = f"; {more} more decision task{'s differ' if more > 1 else ' differs'}" if more else ""
    place = f"event {first.completed_id} (DecisionTaskCompleted)"
    lines = [
        f"The decider differs from the history at {place}{others}.",
        "Only in the history:",
        *_paragraphs(first.recorded),
        "Only decided now:",
        *_paragraphs(first.decided),
    ]
    return "\n".join(lines)


def _paragraphs(decisions: tuple[str, ...]) -> list[str]:
    return [_paragraph(decision) for decision in decisions] or ["  nothing"]


def _paragraph(decision: str) -> str:
    return textwrap.fill(
        textwrap.shorten(presentation.printable(decision), SHOWN, placeholder=" ..."),
        terminal.WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
        break_on_hyphens=False,
    )


def rerun(args: argparse.Namespace, out: Output) -> int:
    """``rerun``: the result of an activity that runs here, or its traceback."""
    flow = target.flow(args)
    history = target.history(args)
    attempt = reruns.choose(reruns.attempts(history.events), args.activity, flow.name, args.attempt)
    _show_logs()
    out.note(
        f"Running {attempt.activity_id}, attempt {attempt.number}, in this process; nothing is "
        "sent to SWF."
    )
    with contextlib.redirect_stdout(sys.stderr):  # what tasks print is not the answer
        outcome = reruns.rerun(
            flow, attempt, history.execution, lambda details: out.note(f"heartbeat: {details}")
        )
    return _answer_outcome(attempt, outcome, out)


def _answer_outcome(
    attempt: reruns.Attempt,
    outcome: AttemptCompleted | AttemptFailed | AttemptCanceled,
    out: Output,
) -> int:
    values: dict[str, Any] = {"activity_id": attempt.activity_id, "attempt": attempt.number}
    match outcome:
        case AttemptCompleted(encoded):
            result = json.loads(encoded.json) if encoded else None
            out.answer({**values, "outcome": "completed", "result": result}, as_json(result))
            return 0
        case AttemptCanceled(details):
            out.answer({**values, "outcome": "cancelled", "details": details}, "Cancelled.")
        case AttemptFailed(reason, details):
            out.note(str(details).rstrip())
            failure = {"outcome": "failed", "reason": reason, "details": details}
            out.answer({**values, **failure}, f"Failed: {reason}")
    return 1


def _show_logs() -> None:
    """Print what tasks log, unless the flow configures logging itself."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("garcon").setLevel(logging.INFO)
