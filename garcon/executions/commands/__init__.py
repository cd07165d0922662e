"""``python -m garcon``: from the command line to an exit code.

Rules:

1. Standard output has the answer and nothing else, so that it can be piped; progress and errors go
   to standard error, an error as one sentence.
2. A reader that leaves early (``| head``) changes neither what a command does nor its exit code.
"""

import io
import sys
from argparse import Namespace
from collections.abc import Sequence

from garcon.executions.commands import target
from garcon.executions.commands.output import Output, OutputFailed
from garcon.executions.commands.parser import parser
from garcon.executions.errors import (
    InputNotSendable,
    NotAFlow,
    NotAHistory,
    NotCompleted,
    StillOpen,
    WorkflowError,
)

DONE, NOT_DONE, USAGE, STILL_OPEN = 0, 1, 2, 3
INTERRUPTED = 130  # as shells report SIGINT

_USAGE_ERRORS = (NotAFlow, NotAHistory, InputNotSendable, target.UsageError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, see ``parser.EXIT_CODES``."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name may have letters that the terminal lacks
    args = parser().parse_args(argv)
    out = Output(as_json=args.json)
    for sentence in target.mistyped_variables():
        out.note(f"garcon: {sentence}")
    try:
        return _run(args, out)
    except OutputFailed as error:
        out.note(f"garcon: {error}")
        return NOT_DONE
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(args: Namespace, out: Output) -> int:
    try:
        target.add_environment(args)
        code: int = args.command(args, out)
    except OutputFailed:
        raise
    except WorkflowError as error:
        out.fail(error)
        return _exit_code(error)
    return code


def _exit_code(error: WorkflowError) -> int:
    if isinstance(error, NotCompleted):
        return NOT_DONE
    if isinstance(error, StillOpen):
        return STILL_OPEN
    return USAGE if isinstance(error, _USAGE_ERRORS) else NOT_DONE
