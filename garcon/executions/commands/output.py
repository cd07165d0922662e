"""Output of the commands: answers on standard output, everything else on standard error.

Texts of workflows come from anyone: control characters in them never reach the terminal. In JSON
they are escaped, elsewhere a sign stands for them.
"""

import dataclasses
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

from garcon.errors import GarconError
from garcon.executions import terminal
from garcon.executions.errors import NotCompleted, WorkflowError
from garcon.executions.presentation import Tone
from garcon.executions.terminal import Line, Style, TextStyle

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and end of line, and those that reverse the direction of writing."""

WIDEST = 140  # columns; longer lines are hard to follow with the eye

_RICH_STYLES: Mapping[Style, str] = {
    TextStyle.PLAIN: "",
    TextStyle.HEAD: "bold",
    TextStyle.FAINT: "dim",
    Tone.DECISION: "magenta",
    Tone.WAITING: "dim",
    Tone.RUNNING: "cyan",
    Tone.COMPLETED: "green",
    Tone.FAILED: "red",
    Tone.TIMED_OUT: "yellow",
    Tone.CANCELED: "dim",
}


class OutputFailed(GarconError):
    """The answer cannot be written, as to a full disk."""


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """Standard output and standard error of a command.

    Attributes:
        as_json: Whether the answer is one JSON object.
    """

    as_json: bool

    def answer(self, values: Any, text: str) -> None:
        """Print the answer: the values as JSON, or the text.

        Raises:
            OutputFailed: It cannot be written.
        """
        _print(as_json(values) if self.as_json else text)

    def line(self, values: Any) -> None:
        """Print one of many answers: the values as JSON in one line.

        Raises:
            OutputFailed: It cannot be written.
        """
        _print(as_json(values, indent=None))

    def note(self, line: str) -> None:
        """Print a line beside the answer."""
        try:
            print(_printable(line), file=sys.stderr, flush=True)  # noqa: T201 - for people
        except OSError:
            _discard(sys.stderr)

    def fail(self, error: WorkflowError) -> None:
        """Print why there is no answer; in JSON, the way in which an execution closed is one."""
        self.note(f"garcon: {' '.join(str(error).split())}")
        if isinstance(error, NotCompleted) and error.details and not self.as_json:
            self.note(error.details.rstrip())
        if self.as_json:
            self.answer(_values_of(error), "")

    def draw(self, lines: Sequence[Line]) -> None:
        """Print lines, with their styles if standard output is a terminal that shows them.

        Raises:
            OutputFailed: They cannot be written.
        """
        if not (sys.stdout.isatty() and _draw_rich(lines)):
            _print(terminal.plain(lines).removesuffix("\n"))


def width() -> int:
    """Columns to draw in: those of the terminal, 80 without one."""
    if not sys.stdout.isatty():
        return terminal.WIDTH
    return min(shutil.get_terminal_size().columns, WIDEST)


def glyphs() -> terminal.Glyphs:
    """Characters that standard output can show."""
    try:
        "".join(dataclasses.astuple(terminal.UNICODE)).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return terminal.ASCII
    return terminal.UNICODE


def as_json(values: Any, indent: int | None = 2) -> str:
    """The text of an answer's JSON object; times as ISO 8601."""
    text = json.dumps(values, indent=indent, default=_plain, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _print(text: str) -> None:
    try:
        print(_printable(text), flush=True)  # noqa: T201 - what the program is for
    except BrokenPipeError:  # the reader has enough, as `head` after ten lines
        _discard(sys.stdout)
    except OSError as error:
        _discard(sys.stdout)
        raise OutputFailed(f"The answer cannot be written: {error.strerror}.") from error


def _printable(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _discard(stream: TextIO) -> None:
    """Send what is written from now on nowhere, also what Python flushes at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return str(value)


def _values_of(error: WorkflowError) -> Mapping[str, Any]:
    if not isinstance(error, NotCompleted):
        return {"error": type(error).__name__, "message": str(error)}
    return {
        "workflow_id": error.execution.workflow_id,
        "run_id": error.execution.run_id,
        "status": error.status,
        "reason": error.reason,
        "details": error.details,
    }


def _draw_rich(lines: Sequence[Line]) -> bool:
    try:
        from rich.console import Console  # noqa: PLC0415 - of the extra 'local'
        from rich.text import Text  # noqa: PLC0415 - same
    except ModuleNotFoundError:
        return False
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((piece.text, _RICH_STYLES[piece.style]) for piece in line)))
    return True
