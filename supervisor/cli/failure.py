"""Errors of the command line: ``supervisor: `` and a sentence, on standard error."""

from __future__ import annotations

import sys

from supervisor.logs.control_characters import report_lines


def fail(why: object, code: int) -> int:
    """Print the error; returns the exit code."""
    for line in report_lines(f"supervisor: {why}"):
        print(line, file=sys.stderr)  # noqa: T201 - the command's answer
    return code
