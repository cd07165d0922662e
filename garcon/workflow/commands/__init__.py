"""``python -m garcon``: from the command line to an exit code.

Every mistake is one sentence on the standard error; standard output has the answer and nothing
else, so that it can be piped.
"""

import io
import os
import sys
from collections.abc import Sequence

from garcon.workflow.commands.output import Output
from garcon.workflow.commands.parser import parser
from garcon.workflow.errors import (
    NotAFlow,
    NotAHistory,
    NotCompleted,
    NotSendable,
    StillOpen,
    WorkflowError,
)

DONE, NOT_DONE, USAGE, NOT_YET = 0, 1, 2, 3
INTERRUPTED = 130  # as shells tell of SIGINT

_WRONG_USE = (NotAFlow, NotAHistory, NotSendable)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry one command out; the exit code, see ``parser.EXIT_CODES``."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name in letters that the terminal lacks
    said = parser().parse_args(argv)
    out = Output(as_json=said.json)
    try:
        code: int = said.command(said, out)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our answer has enough: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except WorkflowError as error:
        out.fail(error)
        return _code(error)
    return code


def _code(error: WorkflowError) -> int:
    if isinstance(error, NotCompleted):
        return NOT_DONE
    if isinstance(error, StillOpen):
        return NOT_YET
    return USAGE if isinstance(error, _WRONG_USE) else NOT_DONE
