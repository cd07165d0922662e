"""Commands that change a supervisor: the end of a restart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.cli.commands import changes
from supervisor.ipc.control_client import CommandFailed
from supervisor.ipc.messages.control_protocol import NoteReply


def end_of(*notes: NoteReply) -> tuple[str, str]:
    """The sentence that ends a restart with generation 2, and what the replay gate let pass."""
    connection: Any = SimpleNamespace(notes=lambda: iter(notes))
    note, report = changes._end_of_restart(connection, 2)
    return note.text, report


def note(event: str, text: str, **facts: Any) -> NoteReply:
    """A note of the supervisor."""
    members = {"generation": 2, **facts}
    return NoteReply(time=0.0, level="info", event=event, text=text, facts=members)


def test_the_report_of_the_replay_gate_comes_with_the_answer() -> None:
    """Of this generation, and not of another one."""
    notes = (
        note("histories_replayed", "...", report="1 were stuck before (order-1)."),
        note("full_strength", "All of 1.", generation=1),
        note("full_strength", "All 2 workers of generation 2 are ready."),
    )
    assert end_of(*notes) == (
        "All 2 workers of generation 2 are ready.",
        "1 were stuck before (order-1).",
    )


def test_without_a_report_there_is_none() -> None:
    """Most gates pass in silence."""
    passed = note("histories_replayed", "...")
    assert end_of(passed, note("full_strength", "Ready.")) == ("Ready.", "")


def test_a_supervisor_that_exits_meanwhile_fails_the_command() -> None:
    """There is no note that ends the restart."""
    with pytest.raises(CommandFailed, match="exited before generation 2 was ready"):
        end_of(note("histories_replayed", "..."))
