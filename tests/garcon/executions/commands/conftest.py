"""The command line within this process, against a local SWF in virtual time."""

from __future__ import annotations

import functools
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from garcon import client as clients
from garcon.executions import Client, commands
from garcon.executions.commands import target
from garcon.executions.commands.parser import parser
from tests.garcon.executions import shop
from tests.garcon.executions.served_flow import ServedFlow, served

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOW = "tests.garcon.executions.shop"

_parser = functools.cache(parser)


class CommandLine:
    """Runs commands on a served flow.

    Attributes:
        served: The flow, its workers and its SWF.
    """

    def __init__(self, served_flow: ServedFlow, capsys: pytest.CaptureFixture[str]) -> None:
        self.served = served_flow
        self._capsys = capsys

    def run(self, *words: str, flow: str = FLOW, code: int = 0) -> tuple[str, str]:
        """Run one command; returns what it wrote to standard output and to standard error."""
        assert commands.main([words[0], *(["--flow", flow] if flow else []), *words[1:]]) == code
        captured = self._capsys.readouterr()
        return captured.out, captured.err

    def json(self, *words: str, code: int = 0) -> Any:
        """Run one command; returns the object that it answers with."""
        return json.loads(self.run(*words, "--json", code=code)[0])

    def refused(self, *words: str, code: int = 2) -> str:
        """Run a command that is refused; returns its one sentence."""
        assert exit_code(words) == code
        captured = self._capsys.readouterr()
        assert (captured.out, captured.err.count("\n")) == ("", 1)
        assert captured.err.startswith("garcon: ")
        return captured.err


def exit_code(words: tuple[str, ...]) -> object:
    """The exit code of a command, whether it is returned or raised by the parser."""
    try:
        return commands.main(words)
    except SystemExit as stopped:
        return stopped.code


@pytest.fixture(autouse=True)
def _one_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of all tests share a parser: a program makes one, and it keeps no state."""
    monkeypatch.setattr(commands, "parser", _parser)


@pytest.fixture
def line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandLine]:
    """A command line on the coffee flow, whose workers work while a command waits."""
    shop.exceptions.clear()
    logger = logging.getLogger("garcon")
    monkeypatch.setattr(logger, "level", logger.level)
    for option in target.OPTIONS:
        monkeypatch.delenv(f"{target.ENVIRONMENT}{option.upper()}", raising=False)
    with served(shop) as made:
        clock = made.client.clock
        monkeypatch.setattr(target, "Client", functools.partial(Client, clock=clock))
        yield CommandLine(made, capsys)


@pytest.fixture
def _own_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's changes of the process's clients end with the test."""
    monkeypatch.setattr(clients, "_state", clients._state)
