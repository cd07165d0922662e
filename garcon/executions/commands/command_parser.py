"""The parser of one command of ``python -m garcon``, and the options that several commands share.

Rules:

1. A mistake is one sentence and exit code 2, without the page of usage that hides it.
2. The second of an option that is not a list is refused, because only one can count.
3. Values are checked by ``option_types``; no text may be empty.
"""

import argparse
import difflib
import re
from typing import Any, NoReturn, TypeAlias

from garcon.executions.commands import option_types, target
from garcon.executions.request import CHILD_POLICIES

ENVIRONMENT = """\
The options under "target" can also be set in the environment: GARCON_FLOW,
GARCON_DOMAIN, GARCON_NAME, GARCON_REGION, GARCON_PROFILE, GARCON_ENDPOINT_URL.
"""

Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"  # noqa: SLF001 - its type has no public name


class CommandParser(argparse.ArgumentParser):
    """A parser that keeps the rules of this file."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)
        self.register("type", None, option_types.text)
        self.register("action", None, _StoreOnce)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what the command does not know here, where its options are known."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            near = difflib.get_close_matches(unknown[0].partition("=")[0], self._flags(), n=1)
            hint = f"; did you mean {near[0]}" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return found, unknown

    def _flags(self) -> list[str]:
        return re.findall(r"(?<![\w-])--[a-z][a-z-]*", self.format_help())

    def error(self, message: str) -> NoReturn:
        """Print the mistake as one sentence, and exit with code 2."""
        sentence = message.removeprefix("argument ").rstrip(".") + _meant(message)
        self.exit(2, f"garcon: {sentence}. Options: {self.prog} --help\n")


def _meant(message: str) -> str:
    """The end of the sentence about a mistyped command or choice, if one resembles it."""
    found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    near = difflib.get_close_matches(found[1], re.findall(r"[\w-]+", found[2])) if found else []
    if not found or not near:
        return ""
    # Of words that are as near, the one with the same letters: two were typed in the wrong order.
    meant = max(near, key=lambda each: sorted(each) == sorted(found[1]))
    return f"; did you mean {meant}"


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps texts as they are, and leaves room for the longest command beside its help."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 13  # argparse forgets the indentation of commands


class _StoreOnce(argparse.Action):
    """Stores the value of an argument, and refuses a second one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store it."""
        given: set[str] = vars(namespace).setdefault("given", set())
        if option_string and self.dest in given:
            parser.error(f"{option_string} is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def add_command(
    commands: Commands, name: str, function: object, help_: str, arguments: str
) -> CommandParser:
    """Add a command with the options that all have.

    Args:
        commands: The commands so far.
        name: Its name.
        function: What it does, see ``commands.main``.
        help_: A line about it.
        arguments: Its arguments, for the line of usage.
    """
    one: CommandParser = commands.add_parser(
        name,
        usage=" ".join(filter(None, ("%(prog)s", arguments, "[option ...]"))),
        help=help_,
        description=f"{help_[0].upper()}{help_[1:]}.",
        epilog=ENVIRONMENT,
        formatter_class=HelpFormatter,
    )
    one.set_defaults(command=function, command_name=name, run_id=None)
    one.add_argument("--json", action="store_true", help="answer with one JSON object")
    group = one.add_argument_group("target")
    for option, metavar, text in (
        ("--flow", "MODULE[:NAME]", "the flow"),
        ("--domain", "DOMAIN", "SWF domain, instead of the flow's"),
        ("--name", "NAME", "name of the flow, instead of its own"),
        ("--region", "REGION", "AWS region"),
        ("--profile", "PROFILE", "profile of the AWS configuration files"),
        ("--endpoint-url", "URL", "address of another SWF, such as a local one"),
    ):
        check = target.OPTIONS[option[2:].replace("-", "_")]
        group.add_argument(option, type=check, metavar=metavar, help=text)
    return one


def add_execution(one: argparse.ArgumentParser) -> None:
    """Add the argument for an execution."""
    one.add_argument("execution", metavar="WORKFLOW_ID", help="the execution")
    add_run_id(one)


def add_history_of(one: argparse.ArgumentParser) -> None:
    """Add the argument for an execution or a file with its history."""
    one.add_argument(
        "execution", metavar="WORKFLOW_ID|FILE", help="an execution, or a file with its history"
    )
    add_run_id(one)


def add_run_id(one: argparse.ArgumentParser) -> None:
    """Add ``--run-id``."""
    one.add_argument(
        "--run-id", metavar="ID", help="a run (default: the open one, else the latest)"
    )


def add_child_policy(one: argparse.ArgumentParser) -> None:
    """Add ``--child-policy``."""
    help_ = "what SWF does to its child workflows: " + ", ".join(CHILD_POLICIES)
    one.add_argument("--child-policy", choices=CHILD_POLICIES, metavar="POLICY", help=help_)


def add_quiet(one: argparse._ActionsContainer) -> None:
    """Add ``--quiet``."""
    one.add_argument("--quiet", action="store_true", help="print no progress")
