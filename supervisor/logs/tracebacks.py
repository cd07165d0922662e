"""Tracebacks as the log shows them: the frames of the flow, those of garcon folded away.

Rules of this file:

1. Frames of garcon, of the supervisor and of the import machinery become one line, as in
   ``… 4 frames of garcon``. The author of a flow looks for a line of the flow.
2. The frame that raised is always shown, and all frames if no code of a flow took part: they are
   needed to mend the fault. An error that garcon raises on purpose needs none: beside its own
   sentence it has no traceback at all. A syntax error shows its line itself, in no frame.
3. Each line is free of control characters. A line break in the text of an error is escaped.
"""

from __future__ import annotations

import importlib
import itertools
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.logs.control_characters import escape
from supervisor.logs.safe_text import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parent.parent.parent

_FOLDED = {
    f"{_ROOT / 'garcon'}/": "garcon",
    f"{_ROOT / 'supervisor'}/": "supervisor",
    "<frozen importlib": "importlib",
    importlib.__file__ or "": "importlib",
}
"""The beginnings of folded frames' file names, and the package that the line names."""

_OWN_ERRORS = ("garcon.", "supervisor.")


def lines(error: BaseException, *, sentence: str = "", fold: bool = True) -> list[str]:
    """The traceback of an error and of its causes, line by line, most recent call last.

    It is empty for an error that ``sentence``, which stands above it, explains (rule 2).
    """
    try:
        summary = traceback.TracebackException.from_exception(error, compact=True)
    except BaseException:  # noqa: BLE001 - notes, causes and attributes may be the user's code
        return _without_causes(error)
    has_flow = _is_syntax_error(summary) or any(
        _package(frame) is None for frame in _frames(summary)
    )
    is_explained = not has_flow and _is_on_purpose(summary)
    if fold and is_explained and text_of(error) in sentence:
        return []
    return list(_chain(summary, fold=fold and (has_flow or is_explained)))


def _without_causes(error: BaseException) -> list[str]:
    frames = traceback.format_tb(error.__traceback__)
    rows = [line for text in frames for line in text.splitlines()]
    last = f"{type(error).__name__}: {text_of(error)}"
    return [escape(line) for line in ("Traceback (most recent call last):", *rows, last)]


def _is_on_purpose(summary: traceback.TracebackException) -> bool:
    """Whether the error is one of garcon's or the supervisor's own classes."""
    return any(text.startswith(_OWN_ERRORS) for text in summary.format_exception_only())


def _is_syntax_error(summary: traceback.TracebackException) -> bool:
    return hasattr(summary, "filename")  # set for syntax errors alone: the file with the error


def _frames(summary: traceback.TracebackException) -> Iterator[traceback.FrameSummary]:
    yield from summary.stack
    for inner in (summary.__cause__, summary.__context__, *(summary.exceptions or ())):
        if inner is not None:
            yield from _frames(inner)


def _package(frame: traceback.FrameSummary) -> str | None:
    starts = (name for start, name in _FOLDED.items() if frame.filename.startswith(start))
    return next(starts, None)


def _chain(summary: traceback.TracebackException, *, fold: bool) -> Iterator[str]:
    if summary.__cause__ is not None:
        yield from _chain(summary.__cause__, fold=fold)
        yield "The above exception was the direct cause of the following exception:"
    elif summary.__context__ is not None and not summary.__suppress_context__:
        yield from _chain(summary.__context__, fold=fold)
        yield "During handling of the above exception, another exception occurred:"
    if summary.stack:
        yield "Traceback (most recent call last):"
        yield from _stack(summary, fold=fold)
    for text in summary.format_exception_only():
        yield escape(text.removesuffix("\n"))
    for number, inner in enumerate(summary.exceptions or (), 1):
        yield f"  of the group, number {number}:"
        yield from (f"    {line}" for line in _chain(inner, fold=fold))


def _stack(summary: traceback.TracebackException, *, fold: bool) -> Iterator[str]:
    needs_no_frame = _is_on_purpose(summary) or _is_syntax_error(summary)
    kept = None if needs_no_frame else summary.stack[-1]

    def is_folded(frame: traceback.FrameSummary) -> bool:
        return fold and frame is not kept and _package(frame) is not None

    for folds, run in itertools.groupby(summary.stack, is_folded):
        frames = list(run)
        if folds:
            yield _fold(frames)
            continue
        for text in traceback.StackSummary.from_list(frames).format():
            yield from map(escape, text.splitlines())


def _fold(frames: list[traceback.FrameSummary]) -> str:
    packages = dict.fromkeys(filter(None, map(_package, frames)))
    what = "frame" if len(frames) == 1 else "frames"
    return f"  … {len(frames)} {what} of {' and '.join(packages)}"
