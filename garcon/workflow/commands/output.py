"""What the commands print: answers on standard output, everything else on standard error."""

import dataclasses
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from garcon.workflow import drawing
from garcon.workflow.drawing import Line, Style
from garcon.workflow.errors import NotCompleted, WorkflowError

WIDEST = 140  # columns; longer lines are hard to follow with the eye

_LOOKS = {
    Style.PLAIN: "",
    Style.HEAD: "bold",
    Style.FAINT: "dim",
    Style.DONE: "green",
    Style.BUSY: "cyan",
    Style.BAD: "red",
    Style.LEFT: "yellow",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """Where a command's words go.

    Attributes:
        as_json: Whether the answer is to be one JSON object.
    """

    as_json: bool

    def answer(self, values: Any, text: str) -> None:
        """The answer, as JSON or for people."""
        print(as_json(values) if self.as_json else text)  # noqa: T201 - what the program is for

    def tell(self, line: str) -> None:
        """Something beside the answer."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - for the person at the desk

    def fail(self, error: WorkflowError) -> None:
        """Why there is no answer; as JSON how an execution ended is one."""
        self.tell(f"garcon: {error}")
        if isinstance(error, NotCompleted) and error.details and not self.as_json:
            self.tell(error.details.rstrip())
        if self.as_json:
            self.answer(_of_error(error), "")

    def draw(self, lines: Sequence[Line]) -> None:
        """Lines with styles, if standard output is a terminal that shows them."""
        if not (sys.stdout.isatty() and _draw_rich(lines)):
            print(drawing.plain(lines), end="")  # noqa: T201 - as in answer


def width() -> int:
    """Columns to draw in: those of the terminal, 80 where there is none."""
    if not sys.stdout.isatty():
        return drawing.WIDTH
    return min(shutil.get_terminal_size().columns, WIDEST)


def glyphs() -> drawing.Glyphs:
    """Characters that standard output can show."""
    try:
        "".join(dataclasses.astuple(drawing.UNICODE)).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return drawing.ASCII
    return drawing.UNICODE


def as_json(values: Any) -> str:
    """The text of an answer's JSON object; times as ISO 8601."""
    return json.dumps(values, indent=2, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return str(value)


def _of_error(error: WorkflowError) -> Mapping[str, Any]:
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
        console.print(Text.assemble(*((each.text, _LOOKS[each.style]) for each in line)))
    return True
