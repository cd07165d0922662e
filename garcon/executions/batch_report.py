"""The report of a batch: a file that says of each execution whether it is done, line by line.

It is also what an interrupted batch goes on from.

Rules:

1. The first line names the batch and all its executions, so that a second attempt acts on the same
   ones. Each further line is an attempt that begins, or its outcome. A line is JSON.
2. A line is written before the call to SWF and one after it. So of at most one execution it is
   unknown whether SWF received the call; its history shows it.
3. A batch is over when its outcomes were printed; only then the same command begins another.
4. The last line may be cut off: the process was killed while it wrote it.
5. One process at a time has the file.
"""

import enum
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from garcon.executions.errors import WorkflowError
from garcon.executions.values import Execution


class BatchOutcome(enum.StrEnum):
    """The outcome of an execution in a batch."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class ReportRefused(WorkflowError):
    """The file of a report cannot be used: it is another's, in use, or not writable."""


@dataclass(slots=True)
class Line:
    """An execution of a batch.

    Attributes:
        execution: The execution.
        began: When the last attempt began, in seconds since the epoch; ``None`` before.
        outcome: What became of it; ``None`` as long as that is unknown.
        text: A sentence about the outcome.
    """

    execution: Execution
    began: float | None = None
    outcome: BatchOutcome | None = None
    text: str = ""


class BatchReport:
    """The report of one batch.

    Args:
        path: Its file.

    Attributes:
        lines: The executions, in the order in which they are acted on.

    Raises:
        ReportRefused: Another process has the file, or it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        self._batch: Mapping[str, Any] = {}
        self._is_finished = False
        self._file = self._open()
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    @property
    def is_unfinished(self) -> bool:
        """Whether it has a batch that was not brought to its end."""
        return bool(self.lines) and not self._is_finished

    def ensure_of(self, batch: Mapping[str, Any]) -> None:
        """Go on only if the unfinished batch is this one.

        Raises:
            ReportRefused: It is another.
        """
        if self._batch != batch:
            raise ReportRefused(
                f"{self.path} is the report of another batch that is unfinished: "
                f"{json.dumps(self._batch)}. Name another file."
            )

    def begin(self, batch: Mapping[str, Any], executions: Sequence[Execution]) -> None:
        """Begin a new batch; what the file held is dropped.

        Args:
            batch: Its name: verb, criteria and options.
            executions: Its executions.
        """
        self._batch, self._is_finished = batch, False
        self.lines = [Line(each) for each in executions]
        named = [(each.workflow_id, each.run_id) for each in executions]
        self._file.seek(0)
        self._file.truncate()
        self._write({"batch": batch, "executions": named})

    def left(self) -> Iterator[tuple[int, Line]]:
        """The executions that are not done, with their numbers."""
        for number, line in enumerate(self.lines):
            if line.outcome in (None, BatchOutcome.FAILED):
                yield number, line

    def note_attempt(self, number: int, now: float) -> None:
        """Note that an attempt begins, before the call to SWF."""
        self.lines[number].began = now
        self._write({"number": number, "began": now})

    def note_outcome(self, number: int, outcome: BatchOutcome, text: str) -> None:
        """Note what became of an execution."""
        self.lines[number].outcome, self.lines[number].text = outcome, text
        self._write({"number": number, "outcome": outcome, "text": text})

    def finish(self) -> None:
        """Note that the batch is over and was reported, unless executions failed."""
        if not any(self.left()):
            self._is_finished = True
            self._write({"finished": True})

    def close(self) -> None:
        """Give the file back; one that holds no batch is removed."""
        if not self.lines:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _open(self) -> TextIO:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ReportRefused(f"{self.path} cannot be used: {error.strerror}.") from error
        file = os.fdopen(descriptor, "r+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise ReportRefused(
                f"{self.path} is in use: another process carries this batch out. Wait for it."
            ) from error
        return file

    def _read(self) -> None:
        *whole, _cut_off = self._file.read().split("\n")
        try:
            for text in whole:
                self._take(json.loads(text))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ReportRefused(f"{self.path} is not a report of a batch.") from error
        self._file.seek(sum(len(text.encode()) + 1 for text in whole))
        self._file.truncate()

    def _take(self, values: Mapping[str, Any]) -> None:
        if "finished" in values:
            self._is_finished = True
        elif "batch" in values:
            self._batch = values["batch"]
            self.lines = [Line(Execution(*each)) for each in values["executions"]]
        elif "began" in values:
            self.lines[values["number"]].began = values["began"]
        else:
            line = self.lines[values["number"]]
            line.outcome, line.text = BatchOutcome(values["outcome"]), values["text"]

    def _write(self, values: Mapping[str, Any]) -> None:
        try:
            self._file.write(json.dumps(values) + "\n")
            self._file.flush()
        except OSError as error:
            raise ReportRefused(f"{self.path} cannot be written: {error.strerror}.") from error
