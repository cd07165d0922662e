"""Requests of clients: the events that they become, and the replies."""

from __future__ import annotations

import os
import select
import socket
from typing import TYPE_CHECKING

import pytest

from supervisor.config.settings import Settings, SettingsError
from supervisor.ipc import channel, crash_record
from supervisor.ipc.messages import (
    DrainRequested,
    Exit,
    GenerationStatus,
    Level,
    Note,
    QuietRequested,
    RestartRequested,
    ResumeRequested,
    ScaleRequested,
    SidecarStatus,
    Status,
    StopRequested,
    WantsReplacement,
    WorkerStatus,
)
from supervisor.ipc.messages.control_protocol import (
    DoneReply,
    DrainRequest,
    LogsRequest,
    NoteReply,
    QuietRequest,
    RecycleRequest,
    RefusedReply,
    Reply,
    Request,
    RestartRequest,
    ResumeRequest,
    ScaleRequest,
    StacksReply,
    StacksRequest,
    StatusReply,
    StatusRequest,
    StopRequest,
    parse_reply,
)
from supervisor.parent.action_runner import ActionRunner
from supervisor.parent.control_handler import ControlHandler
from supervisor.parent.control_socket import Client, ControlSocket
from supervisor.parent.memory_watchdog import MemoryWatchdog
from supervisor.parent.note_log import KEPT, NoteLog
from supervisor.parent.process_table import Child, Children, ProcessKind
from supervisor.parent.spawner import Spawner
from tests.supervisor.parent.fake_kernel import FakeKernel
from tests.supervisor.parent.scripted_core import ScriptedCore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.ipc.messages import Action, Event
    from tests.supervisor.parent.fake_kernel import FakeProcess

SETTINGS = Settings(flow="shop")
ROOT, ALICE = 0, 1000


class Core(ScriptedCore):
    """Has a worker, a zygote and a sidecar."""

    def status(self, now: float) -> Status:
        """Without pids, as the real core's."""
        return Status(
            leaving=None,
            lists=(),
            generations=(GenerationStatus(1, "active", "ready", ()),),
            workers=(WorkerStatus(1, 1, None, "polling", now, leaving=False, task=None),),
            empty_slots=(),
            sidecars=(SidecarStatus("ec2", "ready"),),
            pending_reports=0,
            deaths={},
        )


class ControlledPool:
    """A handler, and the processes that it knows: a worker, a zygote, a sidecar."""

    def __init__(self) -> None:
        self.kernel = FakeKernel()
        self.core = Core(self.kernel.log)
        self.children = Children()
        self.settings_error: SettingsError | None = None
        poll = select.poll()
        self.control = ControlSocket(None, poll)
        self.notes = NoteLog(self.control, lambda worker: 4711 if worker == 1 else None)
        spawner = Spawner(SETTINGS, self.children, self.kernel, poll)
        self.actions = ActionRunner(
            self.children, self.kernel, spawner, MemoryWatchdog(None), self.notes
        )
        self.handler = ControlHandler(
            self.core, self.children, self.actions, self.notes, self._restart
        )
        self.worker = self._start(ProcessKind.WORKER, 1, crash_record.make())
        self.zygote = self._start(ProcessKind.ZYGOTE, 1)
        self.sidecar = self._start(ProcessKind.SIDECAR, "ec2", crash_record.make())
        self._poll = poll

    def _start(self, kind: ProcessKind, key: int | str, record: int | None = None) -> FakeProcess:
        pid, end = self.kernel.spawn(kind.value)
        self.children.add(Child(kind, key, channel.Channel(end), pid, crash_record=record))
        process = self.kernel.process(kind.value)
        process.crash_record = None if record is None else os.dup(record)
        return process

    def _restart(self, why: str) -> RestartRequested:
        if self.settings_error:
            raise self.settings_error
        return RestartRequested(why, SETTINGS)

    def client(self, uid: int = ROOT) -> tuple[Client, socket.socket]:
        """A client, and its own end of the connection."""
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        client = Client(ours, uid)
        self.control._clients[ours.fileno()] = client
        self._poll.register(ours, client.events)
        theirs.settimeout(10)
        return client, theirs

    def answer(self, request: Request | RefusedReply, uid: int = ROOT) -> Reply:
        """The reply to one request."""
        client, theirs = self.client(uid)
        try:
            return self.handler.answer(client, request, 5.0)
        finally:
            self.control._drop(client)
            theirs.close()

    def close(self) -> None:
        """Close every descriptor."""
        self.control.close()
        for child in self.children:
            self.children.remove(child)
        self.kernel.close()


@pytest.fixture
def pool() -> Iterator[ControlledPool]:
    """Closed afterwards."""
    made = ControlledPool()
    yield made
    made.close()


def note(text: str, **facts: str | int) -> Note:
    """A log entry of the core."""
    return Note(Level.INFO, "scaled", text, dict(facts))


# --- changes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "event"),
    [
        (ScaleRequest(list="make", size=4), ScaleRequested("", "make", 4, 0)),
        (ScaleRequest(list="make", by=-2), ScaleRequested("", "make", None, -2)),
        (QuietRequest(list="make"), QuietRequested("", "make")),
        (ResumeRequest(), ResumeRequested("")),
        (DrainRequest(), DrainRequested("")),
        (StopRequest(), StopRequested("")),
        (RestartRequest(), RestartRequested("", SETTINGS)),
    ],
)
@pytest.mark.parametrize(
    ("uid", "why"), [(ROOT, "requested by uid 0 (root)"), (ALICE, "requested by uid 1000")]
)
def test_a_request_is_an_event(
    pool: ControlledPool, request_: Request, event: Event, uid: int, why: str
) -> None:
    """Its reason names the user, and it is handled at once."""
    assert isinstance(pool.answer(request_, uid), DoneReply)
    expected = type(event)(
        **{**{f: getattr(event, f) for f in event.__struct_fields__}, "why": why}
    )
    assert pool.core.handled == [(expected, 5.0)]


def test_what_the_core_refuses_does_not_happen(pool: ControlledPool) -> None:
    """The reply has the core's reason; the core gets no event."""
    pool.core.refusals[ScaleRequested] = "shop has no list 'bake'."
    reply = pool.answer(ScaleRequest(list="bake", by=1))
    assert reply == RefusedReply(why="shop has no list 'bake'.")
    assert pool.core.handled == []


def test_an_invalid_request_is_its_own_reply(pool: ControlledPool) -> None:
    """The control socket has refused it already."""
    refused = RefusedReply(why="Not a valid request.")
    assert pool.answer(refused) == refused


def test_the_cores_actions_are_carried_out(pool: ControlledPool) -> None:
    """Before the reply is sent."""
    pool.core.answer(StopRequested, Exit(1, "stopped"))
    pool.answer(StopRequest())
    assert pool.actions.exit == Exit(1, "stopped")


def test_a_reply_consists_of_the_log_entries(pool: ControlledPool) -> None:
    """Their texts, and the lists that they are about, each once."""
    actions: list[Action] = [
        note("shop_pack: 2 workers.", task_list="shop_pack"),
        note("shop_make: 4 workers.", task_list="shop_make"),
        note("shop_pack has 1 too many.", task_list="shop_pack", workers=1),
    ]
    pool.core.answer(ScaleRequested, *actions)
    reply = pool.answer(ScaleRequest(list="make", size=4))
    assert reply == DoneReply(
        text="shop_pack: 2 workers. shop_make: 4 workers. shop_pack has 1 too many.",
        lists=("shop_make", "shop_pack"),
    )


def test_a_change_without_log_entries_says_so(pool: ControlledPool) -> None:
    """Nothing was to be done."""
    assert pool.answer(QuietRequest()) == DoneReply(text="That changes nothing.")


def test_only_a_restart_has_a_generation(pool: ControlledPool) -> None:
    """The number that the new one gets: it is known before the core has handled the event."""
    pool.core._state.last_generation = 6
    reply = pool.answer(RestartRequest())
    assert isinstance(reply, DoneReply)
    assert reply.generation == 7


def test_a_restart_with_invalid_settings_is_refused(pool: ControlledPool) -> None:
    """The reply says what is wrong with them."""
    pool.settings_error = SettingsError("--workers: -1 is below 0.")
    assert pool.answer(RestartRequest()) == RefusedReply(
        why="No restart: --workers: -1 is below 0."
    )
    assert pool.core.handled == []


def test_a_worker_is_recycled_by_its_pid(pool: ControlledPool) -> None:
    """The core gets the worker's own event, with the user as the reason."""
    reply = pool.answer(RecycleRequest(pid=pool.worker.pid), ALICE)
    assert reply == DoneReply(
        text="Worker 1 finishes its task and leaves once its replacement is ready."
    )
    assert pool.core.handled == [(WantsReplacement(1, "requested by uid 1000"), 5.0)]


def test_only_a_worker_that_the_core_lets_go_is_recycled(pool: ControlledPool) -> None:
    """Neither another process nor a worker that the core refuses."""
    for pid in (pool.zygote.pid, pool.sidecar.pid, 4712):
        why = f"No worker of this supervisor has pid {pid}: run 'status' to list them."
        assert pool.answer(RecycleRequest(pid=pid)) == RefusedReply(why=why)
    pool.core.refusals[WantsReplacement] = "Worker 1 is leaving."
    reply = pool.answer(RecycleRequest(pid=pool.worker.pid))
    assert reply == RefusedReply(why="Worker 1 is leaving.")
    assert pool.core.handled == []


# --- status ---------------------------------------------------------------------------------------


def test_status_has_the_pids(pool: ControlledPool) -> None:
    """Each of its own kind: a worker, a generation and a sidecar may have the same number."""
    reply = pool.answer(StatusRequest())
    assert isinstance(reply, StatusReply)
    assert reply.status.pid == os.getpid()
    assert [worker.pid for worker in reply.status.workers] == [pool.worker.pid]
    assert [each.pid for each in reply.status.generations] == [pool.zygote.pid]
    assert [sidecar.pid for sidecar in reply.status.sidecars] == [pool.sidecar.pid]
    assert reply.status.workers[0].seconds == 5.0, "the time of the turn"


# --- stacks ---------------------------------------------------------------------------------------


def test_stacks_are_requested_and_then_read_until_they_are_complete(pool: ControlledPool) -> None:
    """Complete are those that are the same at two requests; then there is room for the next."""
    pid = pool.worker.pid
    for _ in range(2):
        asked = pool.answer(StacksRequest(pid=pid))
        assert asked == DoneReply(text="Worker 1 is asked for its stacks.")
        first = pool.answer(StacksRequest(pid=pid, read=True))
        assert first == StacksReply(lines=("Current thread 0x1:",), is_complete=False)
        second = pool.answer(StacksRequest(pid=pid, read=True))
        assert second == StacksReply(lines=("Current thread 0x1:",), is_complete=True)
    assert pool.worker.signals == [10, 10]


def test_stacks_that_are_not_written_yet_are_not_complete(pool: ControlledPool) -> None:
    """A worker that is stopped writes none."""
    assert pool.answer(StacksRequest(pid=pool.worker.pid, read=True)) == StacksReply(lines=())
    assert pool.answer(StacksRequest(pid=pool.worker.pid, read=True)) == StacksReply(lines=())


def test_only_workers_have_stacks(pool: ControlledPool) -> None:
    """For any other pid the reply says how to find a worker's."""
    for pid in (pool.zygote.pid, pool.sidecar.pid, 4712):
        why = f"No worker of this supervisor has pid {pid}: run 'status' to list them."
        assert pool.answer(StacksRequest(pid=pid)) == RefusedReply(why=why)
    assert pool.kernel.sent == []


# --- logs -----------------------------------------------------------------------------------------


def lines(end: socket.socket) -> list[Reply]:
    """The replies that have arrived."""
    end.settimeout(0)
    return [parse_reply(line) for line in end.recv(1 << 20).splitlines()]


def test_logs_has_the_recent_entries(pool: ControlledPool) -> None:
    """The last of them, the oldest first, with the pid of the worker that they are about."""
    for number in range(KEPT + 5):
        pool.notes.write(note(f"entry {number}", worker=number % 2))
    client, end = pool.client()
    assert pool.handler.answer(client, LogsRequest(), 0.0) == DoneReply()
    entries = [each for each in lines(end) if isinstance(each, NoteReply)]
    assert [entry.text for entry in entries] == [f"entry {n}" for n in range(5, KEPT + 5)]
    assert entries[0].facts == {"worker": 1, "pid": 4711}
    assert entries[1].facts == {"worker": 0}
    assert (entries[0].level, entries[0].event) == ("info", "scaled")
    end.close()


def test_only_a_follower_gets_new_entries(pool: ControlledPool) -> None:
    """From its request on, until it asks for the log without following."""
    client, end = pool.client()
    pool.handler.answer(client, LogsRequest(follow=True), 0.0)
    pool.notes.write(note("while it follows"))
    pool.handler.answer(client, LogsRequest(), 0.0)
    pool.notes.write(note("afterwards"))
    entries = [each.text for each in lines(end) if isinstance(each, NoteReply)]
    assert entries == ["while it follows", "while it follows"], "once as new, once as recent"
    end.close()
