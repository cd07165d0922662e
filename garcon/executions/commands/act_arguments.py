"""The arguments of the commands that act on one execution or many."""

import argparse

from garcon.executions.commands import answer, mutate
from garcon.executions.commands.command_parser import (
    Commands,
    add_child_policy,
    add_command,
    add_quiet,
    add_run_id,
)
from garcon.executions.criteria import KEYS

_ONE_OR_MANY = "WORKFLOW_ID|--where KEY=VALUE"


def add_where(one: argparse._ActionsContainer) -> None:
    """Add ``--where``."""
    one.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"only executions that meet it; repeat for more. Keys: {', '.join(KEYS)}",
    )


def add_signal(commands: Commands) -> None:
    """Add ``signal``."""
    one = add_command(
        commands,
        "signal",
        mutate.signal,
        "send a signal to an open execution, or to many",
        "ID|--where KEY=VALUE SIGNAL [INPUT]",
    )
    _add_executions(one)
    one.add_argument("signal", nargs="?", metavar="SIGNAL", help="name of the signal")
    one.add_argument(
        "input", nargs="?", metavar="INPUT", help="JSON, @FILE, or - for standard input"
    )
    one.add_argument(
        "--or-start", metavar="INPUT", help="start it with this input first, if it is not open"
    )


def add_cancel(commands: Commands) -> None:
    """Add ``cancel``."""
    help_ = "ask open executions to cancel; their deciders decide"
    _add_executions(add_command(commands, "cancel", mutate.cancel, help_, _ONE_OR_MANY))


def add_terminate(commands: Commands) -> None:
    """Add ``terminate``."""
    help_ = "end open executions at once"
    one = add_command(commands, "terminate", mutate.terminate, help_, _ONE_OR_MANY)
    _add_executions(one)
    one.add_argument("--reason", metavar="TEXT", help="reason, for the history; 255 characters")
    one.add_argument("--details", metavar="TEXT", help="details, for the history")
    add_child_policy(one)


def add_redrive(commands: Commands) -> None:
    """Add ``redrive``."""
    help_ = "let closed executions go on in new runs, with every completed result kept"
    one = add_command(commands, "redrive", mutate.redrive, help_, _ONE_OR_MANY)
    _add_executions(one)
    one.add_argument(
        "--from",
        dest="from_activity",
        metavar="ACTIVITY",
        help="run this activity again, and what follows it; a name, or the beginning of an id",
    )
    one.add_argument(
        "--input", metavar="INPUT", help="another input: JSON, @FILE, or - for standard input"
    )
    one.add_argument(
        "--build", metavar="ID", help="the build that decides first, where deciders have builds"
    )


def _add_executions(one: argparse.ArgumentParser) -> None:
    """Add the arguments for one execution, or many."""
    one.add_argument("execution", nargs="?", metavar="WORKFLOW_ID", help="one execution")
    add_run_id(one)
    many = one.add_argument_group("many executions")
    add_where(many)
    many.add_argument("--yes", action="store_true", help="do it; without, they are only counted")
    many.add_argument(
        "--report",
        metavar="FILE",
        help="file of the outcome of each execution, from which an interrupted batch continues "
        "(default: one in $XDG_STATE_HOME/garcon)",
    )
    add_quiet(many)
    one.set_defaults(status=None, tag=None, days=None)


def add_complete(commands: Commands) -> None:
    """Add ``complete``."""
    help_ = "complete an external activity's task"
    one = add_command(commands, "complete", answer.complete, help_, "--token TOKEN [RESULT]")
    one.add_argument(
        "result", nargs="?", metavar="RESULT", help="JSON, @FILE, or - for standard input"
    )
    _add_task(one)


def add_fail(commands: Commands) -> None:
    """Add ``fail``."""
    help_ = "fail an external activity's task"
    one = add_command(commands, "fail", answer.fail, help_, "--token TOKEN --reason TEXT")
    _add_task(one)
    one.add_argument("--reason", required=True, metavar="TEXT", help="reason; 255 characters")
    one.add_argument("--details", metavar="TEXT", help="details")


def add_heartbeat(commands: Commands) -> None:
    """Add ``heartbeat``."""
    help_ = "send the heartbeat of an external activity's task"
    one = add_command(commands, "heartbeat", answer.heartbeat, help_, "--token TOKEN")
    _add_task(one)
    one.add_argument("--details", metavar="TEXT", help="progress; 2,048 characters")


def _add_task(one: argparse.ArgumentParser) -> None:
    one.add_argument("--token", metavar="TOKEN", help="the task's token; @FILE, or - for stdin")
    one.add_argument(
        "--workflow",
        metavar="ID",
        help="instead of --token: the execution of an activity that no worker has taken",
    )
    one.add_argument("--activity", metavar="ID", help="and the activity's id, or its beginning")
