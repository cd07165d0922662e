"""The command line of ``python -m supervisor``: flags from the options, and ``--help``."""

from __future__ import annotations

import argparse
import contextlib
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from supervisor import __version__
from supervisor.cli import help_text
from supervisor.cli.options import OPTIONS, REPEATABLE
from supervisor.cli.store_once import StoreOnce

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from supervisor.cli.options import Option

HELP_COLUMN = 28
"""Column where the help texts begin: behind ``--scale-interval SECONDS``."""


def parse(argv: Sequence[str]) -> dict[str, Any]:
    """The flags that were given, with their values as text. Exits for ``--help`` and bad usage."""
    given_parser = parser()
    given, unknown = given_parser.parse_known_args(argv)
    if unknown:
        known = (*(option.flag for option in OPTIONS), *help_text.COMMANDS, "--check", "--config")
        near = nearest(unknown[0].partition("=")[0], known)
        hint = f"; did you mean {near}?" if near else ""
        given_parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return {name: value for name, value in vars(given).items() if value is not None}


def parser() -> argparse.ArgumentParser:
    """The parser of the options, without the commands."""
    made = argparse.ArgumentParser(
        prog="python -m supervisor",
        usage=help_text.USAGE,
        description=help_text.DESCRIPTION,
        epilog=help_text.EPILOG,
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    group = made.add_argument_group()
    for option in OPTIONS:
        if option.name in help_text.HEADINGS:
            group = made.add_argument_group(help_text.HEADINGS[option.name])
        if not option.is_advanced:
            _add(group, option)
    _add_others(made.add_argument_group("other options"))
    return made


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    how: dict[str, Any] = {"dest": option.name, "default": None, "help": _help(option)}
    if option.default is True:
        how["action"] = argparse.BooleanOptionalAction
    elif option.default is False:
        how["action"] = "store_true"
    else:
        how["metavar"] = option.placeholder
        how["choices"] = option.choices or None
        how["action"] = "append" if option.name in REPEATABLE else StoreOnce
    group.add_argument(option.flag, **how)


def _help(option: Option) -> str:
    default = option.shown_default
    text = f"{option.help} (default: {default})" if default else option.help
    return text.replace("%", "%%")


def _add_others(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--config", action=StoreOnce, metavar="FILE.toml", help="read settings from this file"
    )
    for flag, text in (
        ("--check", "load the flow, show what would run, and exit"),
        ("--verbose", "with --check: show all settings, also those with their defaults"),
    ):
        group.add_argument(flag, action="store_true", default=None, help=text)
    group.add_argument(
        "--help-settings", action=_Reference, help="print the reference of all settings, and exit"
    )
    group.add_argument("-h", "--help", action="help", help="print this help, and exit")
    group.add_argument(
        "--version",
        action="version",
        version=f"garcon supervisor {__version__}",
        help="print the version, and exit",
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that a mistyped one resembles; empty if it resembles none."""
    import difflib  # noqa: PLC0415 - only a typing error needs it, and every start would load it

    return next(iter(difflib.get_close_matches(name, list(known), n=1)), "")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Aligns the help texts, and breaks no name at its hyphens."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=HELP_COLUMN)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(text, width, break_on_hyphens=False)


class _Reference(argparse.Action):
    """``--help-settings``: print the configuration reference."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002 - argparse's
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from supervisor.cli import settings_reference  # noqa: PLC0415 - only this flag needs it

        with contextlib.suppress(BrokenPipeError):  # as in ``| head``
            sys.stdout.write(settings_reference.reference())
            sys.stdout.flush()
        parser.exit()
