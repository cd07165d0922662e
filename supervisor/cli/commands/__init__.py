"""Commands to a running supervisor: ``python -m supervisor status`` and its kin.

Rules of this folder:

1. A command is a client of the control socket like any other (``ipc/messages/control_protocol``).
   It knows only what the socket sends, and the memory of processes.
2. The answer goes to standard output, an error to standard error. With ``--json`` standard output
   gets one JSON object (``logs``: one per line), and nothing else.
3. The exit code is 0 for done, 1 for not done, 2 for usage or no supervisor.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from supervisor.cli.argument_parser import nearest
from supervisor.cli.commands import changes, logs, stacks, status, tasks, top
from supervisor.cli.failure import fail
from supervisor.cli.help_text import COMMANDS
from supervisor.cli.store_once import StoreOnce
from supervisor.ipc.control_client import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    _Commands = argparse._SubParsersAction["_CommandParser"]  # noqa: SLF001 - has no other name

SHORTEST, LONGEST = 0.1, 3600.0
"""Seconds between two updates: the supervisor serves tasks, and a person reads."""

COMMAND_EXIT_CODES = """\
exit codes:
  0  done
  1  not done; the error says why
  2  invalid usage, or no supervisor answers
"""


class _CommandParser(argparse.ArgumentParser):
    """The parser of one command, which refuses unknown options where the known ones are known."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, without leaving anything unknown."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            near = nearest(unknown[0].partition("=")[0], self._option_string_actions)
            hint = f"; did you mean {near}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return found, unknown


def run(words: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    given = _parser().parse_args(words)
    try:
        return int(given.run(given))
    except CommandFailed as error:
        return fail(error, error.code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m supervisor",
        description="Commands to a running supervisor.",
        epilog=COMMAND_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_to(parser)
    return parser


def add_to(parser: argparse.ArgumentParser) -> None:
    """Give a parser the commands."""
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=_CommandParser)
    _add_views(commands)
    _add_changes(commands)


def _add_views(commands: _Commands) -> None:
    one = _add(commands, "status", _status)
    one.add_argument("--watch", action="store_true", help="show it live, as top does")
    _add_interval(one)
    health = "print what is wrong only; exit code 0 if nothing is, else 1"
    one.add_argument("--healthy", action="store_true", help=health)
    _add_interval(_add(commands, "top", top.run))
    _add(commands, "tasks", tasks.run)
    one = _add(commands, "stacks", stacks.run)
    one.add_argument("pid", type=int, metavar="PID", help="pid of the worker, as in status")
    one = _add(commands, "logs", logs.run)
    one.add_argument("-f", "--follow", action="store_true", help="keep printing new lines")


def _status(given: argparse.Namespace) -> int:
    return top.run(given) if given.watch else status.run(given)


def _add_interval(one: argparse.ArgumentParser) -> None:
    seconds = "seconds between two updates of the live view (default: 1)"
    one.add_argument("--interval", type=_seconds, default=1.0, metavar="SECONDS", help=seconds)


def _seconds(text: str) -> float:
    value = float(text)
    if not SHORTEST <= value <= LONGEST:
        raise argparse.ArgumentTypeError(f"expected {SHORTEST:g} to {LONGEST:g} seconds")
    return value


def _add_changes(commands: _Commands) -> None:
    no_task = "wait until no task is in progress"
    one = _add(commands, "scale", changes.scale)
    one.add_argument("sizes", nargs="+", metavar="LIST=N", help="N workers, or +N or -N")
    one = _add(commands, "restart", changes.restart)
    _add_wait(one, "wait until the new workers are ready, or the restart has failed")
    one = _add(commands, "recycle", changes.recycle)
    one.add_argument("pid", type=int, metavar="PID", help="pid of the worker, as in status")
    one = _add(commands, "drain", changes.drain)
    _add_list(one, "quiet this task list, and keep running")
    _add_wait(one, no_task)
    one = _add(commands, "quiet", changes.quiet)
    _add_list(one, "this task list only")
    _add_wait(one, no_task)
    one = _add(commands, "resume", changes.resume)
    _add_list(one, "this task list only")
    one = _add(commands, "stop", changes.stop)
    _add_wait(one, "wait until the supervisor has exited")


def _add(
    commands: _Commands, name: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    what = COMMANDS[name]
    one = commands.add_parser(name, help=what, description=f"{what.capitalize()}.")
    one.set_defaults(run=run, command=name)
    one.register("action", None, StoreOnce)
    one.add_argument(
        "--flow", metavar="MODULE[:NAME]", help="flow of the supervisor (default: $GARCON_FLOW)"
    )
    one.add_argument("--control", metavar="PATH", help="control socket (default: $GARCON_CONTROL)")
    one.add_argument("--json", action="store_true", help="print JSON")
    return one


def _add_list(one: argparse.ArgumentParser, what: str) -> None:
    one.add_argument("list", nargs="?", metavar="LIST", help=what)


def _add_wait(one: argparse.ArgumentParser, what: str) -> None:
    one.add_argument("--wait", action="store_true", help=what)
