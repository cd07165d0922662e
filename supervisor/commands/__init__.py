"""``python -m supervisor status`` and its kin: commands that speak to a supervisor that runs.

Rules of this folder:

1. A command is a client of the control socket like any other (``messages.asks``). It knows nothing
   that the socket does not tell, but how much memory a process holds.
2. What was asked for goes to standard output, why it was not done to standard error. With
   ``--json`` standard output gets one JSON object (``logs``: one a line), and nothing else.
3. The exit code says whether it was done: 0 done, 1 not done, 2 usage, or nobody answers.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from supervisor.commands import changes, logs, stacks, status, tasks
from supervisor.commands.asking import Failed
from supervisor.usage import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERRUPTED = 130
"""Exit code: as a shell tells of SIGINT."""

COMMAND_EXIT_CODES = """\
exit codes:
  0  done
  1  not done: the sentence says why
  2  usage, or no supervisor answers
"""


def run(words: Sequence[str]) -> int:
    """Do what the words say; returns the exit code."""
    given = _parser().parse_args(words)
    try:
        return int(given.run(given))
    except Failed as error:
        print(f"supervisor: {error}", file=sys.stderr)  # noqa: T201 - the command's answer
        return error.code
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m supervisor",
        description="Speak to a supervisor that runs.",
        epilog=COMMAND_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _looking(commands)
    _changing(commands)
    return parser


def _looking(commands: _Commands) -> None:
    _add(commands, "status", status.run)
    _add(commands, "tasks", tasks.run)
    each = _add(commands, "stacks", stacks.run)
    each.add_argument("pid", type=int, metavar="PID", help="its process, as 'status' shows it")
    each = _add(commands, "logs", logs.run)
    each.add_argument("-f", "--follow", action="store_true", help="and what happens from now on")


def _changing(commands: _Commands) -> None:
    each = _add(commands, "scale", changes.scale)
    each.add_argument("sizes", nargs="+", metavar="LIST=N", help="N workers, or +N or -N")
    each = _add(commands, "restart", changes.restart)
    each.add_argument("--wait", action="store_true", help="until they serve, or were given up")
    each = _add(commands, "drain", changes.drain)
    each.add_argument("list", nargs="?", metavar="LIST", help="stay up, but for this list")
    each.add_argument("--wait", action="store_true", help="until nothing is in hand any more")
    each = _add(commands, "quiet", changes.quiet)
    each.add_argument("list", nargs="?", metavar="LIST", help="this list alone")
    each.add_argument("--wait", action="store_true", help="until nothing is in hand any more")
    each = _add(commands, "resume", changes.resume)
    each.add_argument("list", nargs="?", metavar="LIST", help="this list alone")
    each = _add(commands, "stop", changes.stop)
    each.add_argument("--wait", action="store_true", help="until it has left")


def _add(
    commands: _Commands, name: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    what = COMMANDS[name]
    parser = commands.add_parser(name, help=what, description=f"{what.capitalize()}.")
    parser.set_defaults(run=run)
    parser.add_argument("--flow", metavar="MODULE[:NAME]", help="whose supervisor")
    parser.add_argument("--control", metavar="PATH", help="its control socket")
    parser.add_argument("--json", action="store_true", help="the answer as one JSON object")
    return parser


if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - has no other name
