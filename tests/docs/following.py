"""A reader who does what a page says, from top to bottom, in one folder.

Rules:

1. A block of a language with the title ``FILE`` is written into that file; with ``FILE, changed``
   it is a part of a Python file, see ``changing``.
2. ``pycon`` is a session of Python, in a process of its own.
3. ``console`` has commands (``$ …``) with their output. Output is what the page shows, but for
   figures that differ from run to run; ``...`` stands for any text.
4. ``console`` with the title ``terminal N`` is a program that goes on. The page goes on when all
   lines that it shows were seen. ``^C`` interrupts it.
5. Blocks of other kinds, without a title, are read only.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.docs.changing import change
from tests.docs.pages import ROOT, Block
from tests.processes.harness import Lines, environment

if TYPE_CHECKING:
    from types import TracebackType

LIMIT = 240.0
"""Seconds for one command: a slow, busy machine is ten times quicker."""

SEVERAL = "..."

VARIES = (
    (r"\d+(?:\\\.\d+)?\\ s\b", r"[\d.]+ s"),  # durations
    (r"\b\d{4}\\-\d\d\\-\d\d\\ \d\d:\d\d:\d\d(?:\\\.\d+)?", r"[\d:. -]+"),
    (r"\b[0-9a-f]{12}\b", "[0-9a-f]{12}"),  # generated workflow ids
    (r"\b\d{4,6}\b", r"\d{2,7}"),  # process ids
    (r"^\d+(?=\\ other\\ settings)", r"\d+"),
    (r"\d\\\.\d\ds\b", r"[\d.]+s"),  # pytest's own
    ("│[^│]*│", "│[^│]*│"),  # the bars of a timeline
    (r"(?:\\ )+", "[ ]+"),  # a column is as wide as its values
    (r"\\\.\\\.\\\.", ".*"),
)
"""Escaped texts that differ from run to run, and the pattern for each."""

AXIS = re.compile(r"[\d. s]+")


def pattern(line: str) -> re.Pattern[str]:
    """All lines that a line of the page stands for."""
    if AXIS.fullmatch(line):
        return AXIS
    text = re.escape(line.rstrip())
    for shown, meant in VARIES:
        text = re.sub(shown, lambda _, meant=meant: meant, text)  # type: ignore[misc]
    return re.compile(text)


def fits(shown: list[str], actual: list[str]) -> bool:
    """Whether output is what a page shows; a line ``...`` stands for any number of lines."""
    if not shown:
        return not actual
    if shown[0] == SEVERAL:
        return any(fits(shown[1:], actual[skipped:]) for skipped in range(len(actual) + 1))
    return bool(
        actual and pattern(shown[0]).fullmatch(actual[0].rstrip()) and fits(shown[1:], actual[1:])
    )


class Follower:
    """Follows a page in a folder.

    Args:
        folder: The folder, empty.
        replacing: Texts of the page, such as a port, and those that stand for them here.

    Attributes:
        environment: The variables of the programs.
    """

    def __init__(self, folder: Path, replacing: dict[str, str]) -> None:
        self.folder = folder
        self._replacing = replacing
        self._terminals: dict[str, tuple[subprocess.Popen[str], Lines]] = {}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = environment(
            PATH=path,
            PYTHONPATH=str(ROOT),
            PYTHONUNBUFFERED="1",
            GARCON_CONTROL=str(folder / "control"),
            HOME=str(folder),
            COLUMNS="80",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        for program, _ in self._terminals.values():
            program.kill()
            program.wait()

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        text = block.text
        for shown, actual in self._replacing.items():
            text = text.replace(shown, actual)
        if block.title.startswith("terminal"):
            self._use_terminal(block, text)
        elif block.title:
            self._write(block.title, text)
        elif block.language == "console":
            self._run_commands(block, text)
        elif block.language == "pycon":
            self._run_session(block, text)

    def _write(self, title: str, text: str) -> None:
        name, _, changed = title.partition(", ")
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change(path.read_text(), text) if changed else text, encoding="utf-8")

    def _run_session(self, block: Block, text: str) -> None:
        (self.folder / "session.txt").write_text(text, encoding="utf-8")
        options = "-o NORMALIZE_WHITESPACE -o ELLIPSIS"
        done = self._run(f"python -m doctest {options} session.txt 2> session.log")
        assert not done.returncode, f"{block.where}\n{done.stdout}"

    def _run_commands(self, block: Block, text: str) -> None:
        for command, shown in _commands(text):
            if command.startswith("export "):
                self._export(command)
                continue
            actual = self._run(command).stdout.splitlines()
            both = "\n".join(["the page shows:", *shown, "", "the output:", *actual])
            assert fits(shown, actual), f"{block.where}: $ {command}\n{both}"

    def _export(self, command: str) -> None:
        lines = self._run(f"{command}; env -0").stdout.split("\0")
        self.environment |= dict(each.split("=", 1) for each in lines if each)

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def _use_terminal(self, block: Block, text: str) -> None:
        first, *shown = text.splitlines()
        if first == "^C":
            program, lines = self._terminals[block.title]
            program.send_signal(signal.SIGINT)
        else:
            [(command, shown)] = _commands(text)
            program, lines = self._start(block.title, command)
        for line in shown:
            if line != SEVERAL:
                wanted = pattern(line)
                lines.wait_for(lambda seen, wanted=wanted: bool(wanted.fullmatch(seen)), line)  # type: ignore[misc]
        if first == "^C":
            program.wait(LIMIT)

    def _start(self, title: str, command: str) -> tuple[subprocess.Popen[str], Lines]:
        program = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert program.stdout
        self._terminals[title] = program, Lines(program.stdout)
        return self._terminals[title]


def _commands(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a block, each with the lines that it shows."""
    commands: list[tuple[str, list[str]]] = []
    lines = iter(text.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            commands[-1][1].append(line)
            continue
        command = line[2:]
        while command.endswith("\\"):
            command = command[:-1] + next(lines)
        commands.append((command, []))
    return commands
