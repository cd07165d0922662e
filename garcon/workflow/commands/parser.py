"""The commands' options. What is said once for all commands can come from the environment, too."""

import argparse
import os
from pathlib import Path
from typing import TypeAlias

from garcon import __version__
from garcon.workflow.commands import acting, again, viewing
from garcon.workflow.request import CHILD_POLICIES
from garcon.workflow.values import Status

EXIT_CODES = """\
exit codes:
  0    done; the execution completed; the history fits the decider
  1    not done: the execution did not complete or is not there, SWF refused or
       was not reached, the decider differs, the activity failed
  2    usage: the sentence says which option, flow or file is wrong
  3    the execution is still open after --timeout or --wait SECONDS
  130  interrupted

An execution is named by its workflow id: the open run, else the latest.
--flow, --domain, --name, --region, --profile and --endpoint-url can be given
as GARCON_FLOW, GARCON_DOMAIN and so on in the environment.
"""

_STATUS = "only those: " + ", ".join(Status)
_POLICY = "what becomes of its child workflows: " + ", ".join(CHILD_POLICIES)

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its type has no public name


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    made = argparse.ArgumentParser(
        prog="python -m garcon",
        description="Start executions of a flow, wait for them, look at them, try them again.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--version", action="version", version=f"garcon {__version__}")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    _start(commands)
    _result(commands)
    _signal(commands)
    _cancel(commands)
    _terminate(commands)
    _list(commands)
    _show(commands)
    _history(commands)
    _replay(commands)
    _rerun(commands)
    return made


def _start(commands: _Commands) -> None:
    one = _command(commands, "start", acting.start, "start an execution")
    one.add_argument(
        "input",
        nargs="?",
        metavar="INPUT",
        help="a JSON object, @FILE that holds one, or - for standard input",
    )
    one.add_argument("--id", help="workflow id; made up if not given")
    one.add_argument("--tag", action="append", default=[], help="a tag; may be given five times")
    one.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="how long it may be open")
    one.add_argument(
        "--decision-timeout", type=_seconds, metavar="SECONDS", help="how long a decision may take"
    )
    one.add_argument("--child-policy", choices=CHILD_POLICIES, metavar="POLICY", help=_POLICY)
    one.add_argument("--priority", type=int, help="of its decision tasks; higher comes first")
    one.add_argument(
        "--wait",
        nargs="?",
        const=float("inf"),
        type=_seconds,
        metavar="SECONDS",
        help="wait for its result, so long at most",
    )
    _quiet(one)


def _result(commands: _Commands) -> None:
    one = _command(commands, "result", acting.result, "wait for an execution, print its result")
    _execution(one)
    one.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="how long to wait; for ever by default"
    )
    _quiet(one)


def _signal(commands: _Commands) -> None:
    one = _command(commands, "signal", acting.signal, "send a signal to an open execution")
    _execution(one)
    one.add_argument("signal", metavar="SIGNAL", help="its name")
    one.add_argument(
        "input", nargs="?", metavar="INPUT", help="JSON, @FILE, or - for standard input"
    )


def _cancel(commands: _Commands) -> None:
    _execution(_command(commands, "cancel", acting.cancel, "ask an open execution to stop"))


def _terminate(commands: _Commands) -> None:
    one = _command(commands, "terminate", acting.terminate, "end an open execution at once")
    _execution(one)
    one.add_argument("--reason", help="why, for the history; up to 255 characters")
    one.add_argument("--details", help="more, for the history")
    one.add_argument("--child-policy", choices=CHILD_POLICIES, metavar="POLICY", help=_POLICY)


def _list(commands: _Commands) -> None:
    one = _command(commands, "list", viewing.list_them, "list executions, latest first")
    one.add_argument(
        "--status", type=str.upper, choices=list(Status), metavar="STATUS", help=_STATUS
    )
    one.add_argument("--tag", help="only those with this tag")
    one.add_argument(
        "--days", type=float, metavar="DAYS", help="only those started in the last DAYS days"
    )
    one.add_argument("--limit", type=int, default=50, help="how many (default: %(default)s)")


def _show(commands: _Commands) -> None:
    one = _command(commands, "show", viewing.show, "draw an execution as a timeline")
    _history_of(one)
    one.add_argument("--svg", type=Path, metavar="FILE", help="draw it as a picture, too")
    one.add_argument(
        "--rows", type=int, default=100, help="rows at most in the terminal (default: %(default)s)"
    )


def _history(commands: _Commands) -> None:
    one = _command(commands, "history", viewing.history, "print all events, as JSON")
    _execution(one)


def _replay(commands: _Commands) -> None:
    one = _command(commands, "replay", again.replay, "decide a history again, with today's code")
    _history_of(one)


def _rerun(commands: _Commands) -> None:
    one = _command(commands, "rerun", again.rerun, "do one activity again, here; SWF is not told")
    _history_of(one)
    one.add_argument(
        "--activity", required=True, metavar="ID", help="activity id, or its beginning"
    )
    one.add_argument("--attempt", type=int, metavar="N", help="which try, from 1; the last if not")


def _command(commands: _Commands, name: str, does: object, help_: str) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(
        name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.", allow_abbrev=False
    )
    one.set_defaults(command=does, run_id=None, name_of_command=name)
    place = one.add_argument_group("where")
    for option, text in (
        ("--flow", "MODULE[:NAME] of the flow"),
        ("--domain", "SWF domain, instead of the flow's"),
        ("--name", "flow's name, instead of its own"),
        ("--region", "AWS region"),
        ("--profile", "profile of the AWS configuration files"),
        ("--endpoint-url", "address of another SWF, such as a local one"),
    ):
        variable = f"GARCON_{option[2:].replace('-', '_').upper()}"
        place.add_argument(option, default=os.environ.get(variable) or None, help=text)
    one.add_argument("--json", action="store_true", help="answer with one JSON object")
    return one


def _execution(one: argparse.ArgumentParser) -> None:
    one.add_argument("execution", metavar="WORKFLOW_ID")
    one.add_argument("--run-id", help="another run than the open or latest one")


def _history_of(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "execution", metavar="WORKFLOW_ID|FILE", help="an execution, or a file with its history"
    )
    one.add_argument("--run-id", help="another run than the open or latest one")


def _quiet(one: argparse.ArgumentParser) -> None:
    one.add_argument("--quiet", action="store_true", help="no lines about what happens meanwhile")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text} is no time to wait: more than 0 seconds.")
    return seconds
