"""The heartbeats sidecar: its calls, and what it reports."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from garcon import client
from garcon.activity import handed_out
from supervisor.child import swf_endpoint
from supervisor.ipc import messages, spool
from supervisor.ipc.channel import Channel
from supervisor.sidecars import heartbeats
from tests.garcon.activity.manual_wakeup import LIMIT
from tests.garcon.fakes import GONE, FakeSwf, refusal

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SEQPACKET = socket.SOCK_SEQPACKET
HEARTBEAT = "record_activity_task_heartbeat"


def task(number: int) -> messages.HandedOutTask:
    """A task that was handed out."""
    return messages.HandedOutTask(
        number, messages.Task(f"token-{number}", "w", "r", f"ask-{number}", heartbeat=60.0)
    )


def spooled(folder: Path, given: messages.Task) -> Path:
    """The task's file."""
    owner = spool.Owner("flow", messages.SwfEndpoint())
    answer = messages.HandOut()
    content = spool.SpooledTask(
        owner, given, messages.Role.ACTIVITY, os.getpid(), 0.0, answer=answer
    )
    os.close(spool.write(folder, content))
    return spool.path_of(folder, given)


class Served:
    """The sidecar in a thread, and the supervisor's end of its channel."""

    def __init__(self, folder: Path) -> None:
        self.channel, self._theirs = map(Channel, socket.socketpair(socket.AF_UNIX, SEQPACKET))
        order = messages.RunSidecar(
            "heartbeats",
            messages.SwfEndpoint(),
            messages.LogSettings("info", "text"),
            spool=str(folder),
        )
        self._thread = threading.Thread(target=heartbeats.main, args=(self._theirs, order, []))
        self._thread.start()

    def next(self) -> Any:
        """The sidecar's next message."""
        return self.channel.receive()

    def end(self) -> bool:
        """Let the supervisor be gone; whether the sidecar ends."""
        self.channel.close()
        self._thread.join(LIMIT)
        self._theirs.close()
        return not self._thread.is_alive()


def test_it_keeps_tasks_and_reports_those_that_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first heartbeat goes out at once; what SWF no longer has leaves the spool."""
    monkeypatch.setattr(swf_endpoint, "use", lambda _: None)
    swf = FakeSwf().prepare(HEARTBEAT, refusal(GONE), {})
    gone, open_ = (spooled(tmp_path, task(number).task) for number in (1, 2))
    with client.use(swf):
        served = Served(tmp_path)
        assert served.next() == messages.SidecarReady("heartbeats")
        served.channel.send(messages.HandOver((task(1), task(2))))
        assert served.next() == messages.TasksTaken()
        assert served.next() == messages.TasksEnded((1,))
        assert served.end()
    assert [each["taskToken"] for each in swf.requests(HEARTBEAT)] == ["token-1", "token-2"]
    assert (gone.exists(), open_.exists()) == (False, True)


def test_a_task_beyond_the_bound_is_reported_as_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor does not show tasks that no process keeps."""
    monkeypatch.setattr(swf_endpoint, "use", lambda _: None)
    monkeypatch.setattr(handed_out, "MOST", 0)
    with client.use(FakeSwf()):
        served = Served(tmp_path)
        served.next()
        served.channel.send(messages.HandOver((task(1),)))
        assert served.next() == messages.TasksEnded((1,))
        assert served.next() == messages.TasksTaken()
        assert served.end()
