"""A traceback shows the frames of the flow; those of garcon are folded away."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from garcon import runner, task
from garcon.errors import InvalidFlow
from supervisor.config.setting_types import Surge
from supervisor.logs import tracebacks
from tests.supervisor.logs.records import raised

TESTS = Path(__file__).parents[2]


def fail(_context: Any, _activity: Any) -> None:
    """A task of a flow that fails."""
    raise ValueError("no\nsuch\x1b[31m photo")


def fail_while_failing(context: Any, activity: Any) -> None:
    """A task of a flow that fails while it handles an error."""
    try:
        fail(context, activity)
    except ValueError as error:
        raise KeyError("second") from error


def run(work: Any) -> BaseException:
    """The error of a task that garcon calls."""
    return raised(lambda: task.call(work, None, {}))


def test_frames_of_garcon_are_one_line() -> None:
    """The frames of the flow stand alone, with their source lines; the error is one line."""
    head, caller, source, *rest = tracebacks.lines(run(fail))
    assert head == "Traceback (most recent call last):"
    assert "records.py" in caller
    assert source.strip() == "call()"
    assert [line for line in rest if "…" in line] == ["  … 1 frame of garcon"]
    assert not [line for line in rest if "/garcon/" in line]
    assert "in fail" in rest[-3]
    assert rest[-2].strip() == r'raise ValueError("no\nsuch\x1b[31m photo")'
    assert rest[-1] == r"ValueError: no\nsuch\x1b[31m photo"


def test_the_frame_that_raised_is_shown() -> None:
    """An error within garcon shows its line, where the code of a flow has called it."""
    lines = tracebacks.lines(run(lambda _a, _b, _c: None))
    assert not [line for line in lines if "…" in line]
    assert [line for line in lines if "garcon/task.py" in line]
    assert "TypeError" in lines[-1]


def test_a_syntax_error_shows_its_line_and_no_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import machinery that raised it is folded away; the flow's line is in the error."""
    (tmp_path / "misspelt_flow.py").write_text("def (:\n")
    monkeypatch.syspath_prepend(tmp_path)
    lines = tracebacks.lines(raised(lambda: importlib.import_module("misspelt_flow")))
    assert not [line for line in lines if "frozen importlib" in line]
    assert [line for line in lines if line.strip() == "def (:"]
    assert lines[-1] == "SyntaxError: invalid syntax"


def test_nothing_is_folded_on_request() -> None:
    """At level debug the whole traceback is wanted."""
    lines = tracebacks.lines(run(fail), fold=False)
    assert [line for line in lines if "garcon/task.py" in line]
    assert not [line for line in lines if "…" in line]


def test_causes_are_shown_in_order() -> None:
    """The first error stands first, each with its own frames, and the last is the one raised."""
    lines = tracebacks.lines(run(fail_while_failing))
    places = [
        next(i for i, line in enumerate(lines) if line.startswith(start))
        for start in ("ValueError: no", "The above exception was the direct cause", "KeyError:")
    ]
    assert places == sorted(places)
    assert lines[-1] == "KeyError: 'second'"


def test_errors_of_a_group_are_shown() -> None:
    """Each error of an exception group has its lines, indented below the group's."""
    lines = tracebacks.lines(ExceptionGroup("two", [ValueError("a\nb"), KeyError("c")]))
    assert lines[0].startswith("ExceptionGroup: two")
    assert r"    ValueError: a\nb" in lines
    assert "    KeyError: 'c'" in lines


def test_an_error_that_garcon_raises_on_purpose_needs_no_frames() -> None:
    """Its sentence explains it; no frame of the flow took part. Below it there is no traceback."""
    error = InvalidFlow("Two activities are called make.")
    error.__traceback__ = _without_tests(raised(lambda: runner.Sync(1).execute(None, {})))
    lines = tracebacks.lines(error)
    assert len(lines) == 3
    assert lines[1].startswith("  … ")
    assert lines[2] == "garcon.errors.InvalidFlow: Two activities are called make."
    assert tracebacks.lines(error, sentence=str(error)) == []
    assert len(tracebacks.lines(error, sentence=str(error), fold=False)) > 3


def test_a_fault_of_ours_is_shown_in_full() -> None:
    """Where no other code took part the frames are needed, whatever package they belong to."""
    error = raised(lambda: Surge.of("x%", 3))  # type: ignore[arg-type]
    error.__traceback__ = _without_tests(error)
    lines = tracebacks.lines(error)
    assert "setting_types.py" in lines[1]
    assert not [line for line in lines if "…" in line]


def _without_tests(error: BaseException) -> Any:
    """The traceback behind the frames of the tests."""
    trace = error.__traceback__
    while trace and Path(trace.tb_frame.f_code.co_filename).is_relative_to(TESTS):
        trace = trace.tb_next
    assert trace
    return trace


@pytest.mark.parametrize("note", ["a note", "two\nlines"])
def test_notes_are_shown(note: str) -> None:
    """Notes of ``add_note`` follow the error; each of their lines is a line of the report."""
    error = ValueError("x")
    error.add_note(note)
    assert tracebacks.lines(error) == ["ValueError: x", *note.split("\n")]
