"""``status``, ``tasks`` and ``logs``: the words of their output, and their JSON members."""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from supervisor.cli.commands import logs, status, tasks
from supervisor.ipc.messages import ListState, Role, Slot, Status, Task, TaskList, WorkerStatus
from supervisor.ipc.messages.control_protocol import DoneReply, NoteReply
from supervisor.ipc.messages.status import (
    DeployStatus,
    EmptySlot,
    GenerationStatus,
    SidecarStatus,
    Unpolled,
    UnpolledList,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

ALBUM = TaskList("album", Role.DECIDER, "decider")
PUBLISH = TaskList("album_publish", Role.ACTIVITY, "publish")
RESIZE = TaskList("album_resize", Role.ACTIVITY, "resize")

STATUS = Status(
    leaving=None,
    lists=(
        ListState(ALBUM, desired=1, ready=1, working=0),
        ListState(PUBLISH, desired=64, ready=64, working=2, parked=58, polls=4),
        ListState(RESIZE, desired=3, ready=1, working=1, scale="1..4", pending=7, counted=12.0),
    ),
    generations=(GenerationStatus(2, "active", "ready", ("album_resize",), 12485),),
    workers=(
        WorkerStatus(3, 2, Slot(ALBUM, 0), "polling", 0.3, leaving=False, task=None, pid=12520),
        WorkerStatus(
            *(4, 2, Slot(RESIZE, 0), "working", 72.0),
            leaving=True,
            task=Task("", "album-17", "run", "album_resize-1", 600.0),
            done=5,
            deaths=2,
            last_death="exited 3",
            pid=12529,
        ),
    ),
    empty_slots=(EmptySlot(Slot(RESIZE, 1), 4.0, 1, "killed by SIGKILL"),),
    sidecars=(SidecarStatus("backlog", "ready"),),
    pending_reports=1,
    deaths={"killed": 1, "exited": 2},
    unpolled_lists=(
        UnpolledList("album_print", Unpolled.EXTERNAL),
        UnpolledList("album_publish", Unpolled.QUIET, 3),
    ),
    deploy=DeployStatus(3, "failed", "Generation 3 failed at the import gate.\n  why: x"),
    pid=12482,
)

PICTURE = """\
supervisor 12482
generation 2: active, zygote 12485 ready, degraded: album_resize
sidecar backlog: ready

task list      desired  ready  parked  working  leaving
album                1      1       0        0        0
album_publish       64     64      58        2        0  polls 4
album_resize         3      1       0        1        0
       └ scale 1..4, 7 waiting 12 s ago

  pid  gen  slot            stage              for  done  unique mem  deaths
12520    2  album/0         polling          0.3 s     0      42 MiB
12529    2  album_resize/0  working, leaving  72 s     5                   2
       └ album_resize-1 of album-17
last deploy: Generation 3 failed at the import gate.
album_print: not polled here: external, for another program
album_publish: not polled here, 3 waiting: quiet until resume
album_resize/1: empty, filled in 4.0 s; last death: killed by SIGKILL
album_resize/0: 2 deaths; last: exited 3
reports to SWF pending: 1 task of dead workers
deaths since the start: 1 killed, 2 exited
"""


class Replies:
    """A connection whose replies are known."""

    def __init__(self, *replies: Any) -> None:
        self._replies: Iterator[Any] = iter(replies)

    def send(self, _request: object) -> None:
        """Nothing is sent."""

    def receive(self) -> Any:
        """The next reply."""
        return next(self._replies)


def printed(capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    """The output of ``tasks`` with these options."""
    assert tasks.run(Namespace(**options)) == 0
    return capsys.readouterr().out


def test_status_has_the_words_of_the_documentation() -> None:
    """Processes, lists, workers and remarks stand in this order, each on one line."""
    shown = "\n".join(status.status_lines(STATUS, {12520: 42 << 20}))
    assert " ".join(shown.split()) == " ".join(PICTURE.split())


def test_tasks_shows_what_is_in_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A task has its worker, its time and its timeout; JSON has the reports that are pending."""
    monkeypatch.setattr(status, "fetch", lambda _given: STATUS)
    assert printed(capsys, json=False).splitlines() == [
        "  pid   for  timeout  activity        workflow",
        "12529  72 s   10 min  album_resize-1  album-17",
        "reports to SWF pending: 1 task of dead workers",
    ]
    members = json.loads(printed(capsys, json=True))
    assert members["pending_reports"] == 1
    assert members["tasks"][0].keys() >= {"pid", "workflow_id", "seconds", "timeout"}


def test_logs_prints_a_note_as_the_log_has_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In JSON it has the members of the JSON log, its time as in RFC 3339."""
    note = NoteReply(
        time=1.25, level="info", event="scaled", text="3 workers.", facts={"workers": 3}
    )
    monkeypatch.setattr(logs, "connect", lambda _given: nullcontext(Replies(note, DoneReply())))
    assert logs.run(Namespace(json=True, follow=False)) == 0
    assert json.loads(capsys.readouterr().out) == {
        "timestamp": "1970-01-01T00:00:01.250Z",
        "level": "info",
        "message": "3 workers.",
        "event": "scaled",
        "workers": 3,
    }
