"""The commands of ``python -m garcon``, with their arguments; see ``command_parser`` for rules."""

import argparse

from garcon.command_line import completion
from garcon.executions.client import IF_OPEN
from garcon.executions.commands import (
    act_arguments,
    columns,
    complete,
    doctor,
    init,
    inspect,
    mutate,
    open_builds,
    option_types,
    replay_rerun,
    target,
    ui,
)
from garcon.executions.commands.command_parser import (
    ENVIRONMENT,
    CommandParser,
    Commands,
    HelpFormatter,
    add_child_policy,
    add_command,
    add_execution,
    add_history_of,
    add_quiet,
)
from garcon.executions.values import Status
from garcon.version import VERSION

PROGRAM = "python -m garcon"

EXIT_CODES = """\
exit codes:
  0    done; the execution completed; the decider repeats the history
  1    not done: the execution did not complete or does not exist, SWF refused
       the call or could not be reached, the decider differs from the history,
       the activity failed
  2    invalid usage: the message names the option, flow or file
  3    the execution is still open after --timeout or --wait SECONDS
  130  interrupted

A workflow id means its open run, else the run that started last. Every command
explains its options: python -m garcon COMMAND --help.
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = CommandParser(
        prog=PROGRAM,
        usage="%(prog)s COMMAND [option ...]",
        description="Start executions of a flow, wait for them, inspect them, repeat them.",
        epilog=f"{EXIT_CODES}\n{ENVIRONMENT}",
        formatter_class=HelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"garcon {VERSION}")
    commands = whole.add_subparsers(
        prog=PROGRAM, required=True, metavar="COMMAND", title="commands"
    )
    commands.type = str  # the words after it are checked by the parser of the command
    for add in (
        _add_start,
        _add_result,
        act_arguments.add_signal,
        act_arguments.add_cancel,
        act_arguments.add_terminate,
        act_arguments.add_redrive,
        act_arguments.add_complete,
        act_arguments.add_fail,
        act_arguments.add_heartbeat,
        _add_list,
        _add_count,
        _add_builds,
        _add_show,
        _add_state,
        _add_history,
        _add_ui,
        _add_replay,
        _add_rerun,
        _add_doctor,
        _add_init,
        _add_completion,
    ):
        add(commands)
    return whole


def _add_start(commands: Commands) -> None:
    one = add_command(commands, "start", mutate.start, "start an execution", "[INPUT]")
    one.add_argument(
        "input",
        nargs="?",
        metavar="INPUT",
        help='a JSON object, as in {"key": "value"}; @FILE that holds one; or - for standard input',
    )
    one.add_argument("--id", metavar="ID", help="workflow id (default: generated)")
    one.add_argument(
        "--tag", action="append", default=[], metavar="TAG", help="a tag; repeat for up to five"
    )
    one.add_argument(
        "--timeout",
        type=option_types.seconds,
        metavar="SECONDS",
        help="how long the execution may be open (default: as its type is registered)",
    )
    one.add_argument(
        "--decision-timeout",
        type=option_types.seconds,
        metavar="SECONDS",
        help="how long a decision may take (default: as its type is registered)",
    )
    add_child_policy(one)
    one.add_argument(
        "--priority",
        type=option_types.priority,
        metavar="N",
        help="priority of its decision tasks; higher comes first",
    )
    one.add_argument(
        "--if-open",
        choices=IF_OPEN,
        default=IF_OPEN[0],
        metavar="ACT",
        help=f"if an execution with the id is open: {', '.join(IF_OPEN)} (default: fail)",
    )
    _add_wait(one)
    add_quiet(one)


def _add_wait(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--wait",
        nargs="?",
        const=float("inf"),
        type=option_types.seconds,
        metavar="SECONDS",
        help="wait for its result, without end or at most SECONDS",
    )


def _add_result(commands: Commands) -> None:
    one = add_command(
        commands,
        "result",
        mutate.result,
        "wait until an execution has closed, and print its result",
        "WORKFLOW_ID",
    )
    add_execution(one)
    one.add_argument(
        "--timeout",
        type=option_types.seconds,
        metavar="SECONDS",
        help="how long to wait (default: no limit)",
    )
    add_quiet(one)


def _add_list(commands: Commands) -> None:
    help_ = "list executions, latest first"
    one = add_command(commands, "list", inspect.list_executions, help_, "")
    _add_criteria(one)
    one.add_argument(
        "--stuck",
        action="store_true",
        help="only open executions that do not go on, and why; a call for each open one",
    )
    for option, text in (
        ("--waiting", "those with a task that no worker has taken for SPAN"),
        ("--quiet", "those in which nothing has happened for SPAN"),
    ):
        one.add_argument(
            option,
            type=option_types.span,
            metavar="SPAN",
            help=f"as --stuck: {text} (90s, 2h)",
        )
    many = one.add_mutually_exclusive_group()
    many.add_argument(
        "--limit",
        type=option_types.count,
        default=50,
        metavar="N",
        help="most executions to list (default: %(default)s)",
    )
    many.add_argument(
        "--all", action="store_const", const=None, dest="limit", help="list all of them"
    )
    one.add_argument(
        "--columns",
        type=columns.chosen,
        default=columns.DEFAULT,
        metavar="A,B",
        help=f"columns of the table: {', '.join(columns.COLUMNS)}",
    )
    one.add_argument(
        "--json-lines", action="store_true", help="answer with one JSON object an execution"
    )


def _add_count(commands: Commands) -> None:
    help_ = "count executions"
    _add_criteria(add_command(commands, "count", inspect.count, help_, ""))


def _add_builds(commands: Commands) -> None:
    help_ = "list the builds that have open executions"
    one = add_command(commands, "builds", open_builds.builds, help_, "")
    one.add_argument(
        "--calls",
        type=option_types.count,
        default=200,
        metavar="N",
        help="most executions to read, a call each; more are read by the next command (default:"
        " %(default)s)",
    )


def _add_criteria(one: argparse.ArgumentParser) -> None:
    """Add the criteria of executions; they hold together."""
    act_arguments.add_where(one)
    statuses = ", ".join(status.value for status in Status)
    one.add_argument(
        "--status", metavar="STATUS", help=f"as --where status=STATUS: {statuses}, CLOSED"
    )
    one.add_argument("--tag", metavar="TAG", help="as --where tag=TAG")
    one.add_argument(
        "--days",
        type=option_types.days,
        metavar="N",
        help="only executions that started in the last N days",
    )


def _add_show(commands: Commands) -> None:
    help_ = "draw the timeline of an execution"
    one = add_command(commands, "show", inspect.show, help_, "WORKFLOW_ID|FILE")
    add_history_of(one)
    one.add_argument("--svg", metavar="FILE", help="write it as a picture, too")
    one.add_argument(
        "--rows",
        type=option_types.count,
        default=100,
        metavar="N",
        help="largest number of rows in the terminal (default: %(default)s)",
    )


def _add_state(commands: Commands) -> None:
    help_ = "what the decider exposes of an execution, and what is open in it"
    add_execution(add_command(commands, "state", inspect.state, help_, "WORKFLOW_ID"))


def _add_history(commands: Commands) -> None:
    help_ = "print all events of an execution as JSON"
    add_execution(add_command(commands, "history", inspect.history, help_, "WORKFLOW_ID"))


def _add_ui(commands: Commands) -> None:
    help_ = "serve a page of the executions on 127.0.0.1"
    one = add_command(commands, "ui", ui.ui, help_, "")
    one.add_argument(
        "--port",
        type=option_types.port,
        default=8043,
        metavar="N",
        help="port of the page (default: %(default)s); 0 takes a free one",
    )
    one.add_argument(
        "--allow-actions",
        action="store_true",
        help="let the page start, signal, cancel and terminate executions",
    )
    one.add_argument(
        "--cache",
        metavar="FILE",
        help="file for histories of closed executions (default: ~/.cache/garcon/histories.sqlite)",
    )


def _add_replay(commands: Commands) -> None:
    help_ = "decide a history again with the present code, and compare"
    one = add_command(commands, "replay", replay_rerun.replay, help_, "WORKFLOW_ID|FILE")
    add_history_of(one)


def _add_rerun(commands: Commands) -> None:
    help_ = "run one activity again in this process; nothing is sent to SWF"
    usage = "WORKFLOW_ID|FILE --activity ID"
    one = add_command(commands, "rerun", replay_rerun.rerun, help_, usage)
    add_history_of(one)
    one.add_argument(
        "--activity", required=True, metavar="ID", help="activity id, or the beginning of one"
    )
    one.add_argument(
        "--attempt",
        type=option_types.count,
        metavar="N",
        help="number of the attempt, from 1 (default: the last)",
    )


def _add_doctor(commands: Commands) -> None:
    help_ = "list what a flow of garcon 1.x will do differently"
    one = add_command(commands, "doctor", doctor.doctor, help_, "FLOW")
    one.add_argument("named", nargs="?", metavar="FLOW", help="the flow, instead of --flow")


def _add_init(commands: Commands) -> None:
    one = commands.add_parser(
        "init",
        usage="%(prog)s NAME [--example coffee]",
        help="write a new project: a flow, its test, a Makefile and a CI file",
        description="Write a new project into the folder NAME: a flow, its test and more.",
        formatter_class=HelpFormatter,
    )
    one.add_argument("project", metavar="NAME", help="the flow's name, also that of its module")
    one.add_argument("--example", choices=("coffee",), help="add a bigger example to read")
    one.add_argument("--json", action="store_true", help="answer with one JSON object")
    one.set_defaults(command=init.init, command_name="init", **dict.fromkeys(target.OPTIONS))


def _add_completion(commands: Commands) -> None:
    one = commands.add_parser(
        "completion",
        usage="%(prog)s bash|zsh",
        help="print a script that completes commands and options in your shell",
        description='Print a script for your shell: eval "$(garcon completion bash)".',
        formatter_class=HelpFormatter,
    )
    one.add_argument("shell", choices=completion.SHELLS, metavar="SHELL", help="bash or zsh")
    made = {"command": complete.complete, "command_name": "completion", "parser": parser}
    one.set_defaults(json=False, **made, **dict.fromkeys(target.OPTIONS))
