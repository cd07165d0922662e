"""A fake kernel: its processes are objects of the test, its time is virtual, its channels are real.

Rules of this file:

1. A process does nothing by itself but what the test lets it do. A zygote alone works: it answers
   ``Load`` with ``Loaded`` and forks a worker for each ``Fork``.
2. ``wait`` returns as the kernel's does: at once if a descriptor is ready, else after the next
   happening that the test has planned, else at the deadline. A wait without end fails, and so does
   a loop that spins.
3. A signal to a pid that was reaped fails the test: it could reach a stranger.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import signal
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc import channel, conventions, messages, signal_wakeup
from supervisor.parent.os_processes import ZYGOTE, DeadProcess, Kernel

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

    from supervisor.ipc.channel import Channel

STUCK = 2_000
"""Turns after which a loop counts as spinning."""


class FakeProcess:
    """A process of the fake kernel.

    Attributes:
        pid: Its number.
        module: The module that it runs; ``worker`` for a forked one, or ``orphan``.
        end: Its end of the channel.
        group: The number of its process group.
        crash_record: A worker's descriptor.
        received: The messages that it has received.
        signals: The signals that have reached it alive.
        status: Its exit status once it is dead.
        heeds: Whether SIGTERM ends it.
        reads: Whether a zygote reads its channel.
    """

    def __init__(
        self, pid: int, module: str, end: Channel | None = None, crash_record: int | None = None
    ) -> None:
        self.pid = pid
        self.module = module
        self.end = end
        self.group = pid
        self.crash_record = crash_record
        self.received: list[messages.ChannelMessage] = []
        self.signals: list[int] = []
        self.status: int | None = None
        self.heeds = True
        self.reads = True

    def send(self, *sent: messages.ChannelMessage) -> None:
        """Send messages to the supervisor."""
        assert self.end
        for message in sent:
            self.end.send(message)

    def receive(self) -> list[messages.ChannelMessage]:
        """The messages that it has not received yet; does not wait."""
        assert self.end
        new = []
        while select.select([self.end], [], [], 0)[0]:
            message = self.end.receive()
            if message is None:
                break
            new.append(message)
        self.received += new
        return new

    def die(self, status: int = 0) -> None:
        """End, with an exit code or minus a signal's number; the pid stays until it is reaped."""
        if self.status is None:
            self.status = status
            self.close()

    def get(self, number: int) -> None:
        """A signal arrives."""
        if self.status is not None:
            return
        self.signals.append(number)
        if number == signal.SIGKILL or (number == signal.SIGTERM and self.heeds):
            self.die(-number)

    def close(self) -> None:
        """Close what it holds, as the kernel does for a dead process."""
        if self.end:
            self.end.close()
        if self.crash_record is not None:
            os.close(self.crash_record)
            self.crash_record = None


class FakeKernel(Kernel):
    """See the module's rules.

    Attributes:
        log: The calls that change something, in their order.
        sent: The signals of the supervisor: when, by which method, to which pid.
        waits: The seconds of each wait.
        errors: Errors that the methods of these names raise.
        before_reap: Run once, just before the next ``reap`` looks for dead processes.
        announces: Whether a forked worker sends ``Forked``.
        loaded: A zygote's answer to ``Load``; ``None`` for silence.
        terminal_lost: The answer of ``has_lost_terminal``.
        fork: What a zygote does for each ``Fork``.
        commands: Interpreter, module and words of each process that was spawned.
        variables: The environment that the last one was given.
    """

    def __init__(self) -> None:
        self.time = 0.0
        self.log: list[tuple[object, ...]] = []
        self.sent: list[tuple[float, str, int]] = []
        self.waits: list[float] = []
        self.errors: dict[str, OSError] = {}
        self.before_reap: Callable[[], None] | None = None
        self.announces = True
        self.loaded: messages.Loaded | None = messages.Loaded("domain", "shop", "1.0", ())
        self.terminal_lost = False
        self.descriptors = 1 << 16
        self.fork: Callable[..., None] = self._fork
        self.commands: list[tuple[str, ...]] = []
        self.variables: dict[str, str] = {}
        self._living: dict[int, FakeProcess] = {}
        self._all: list[FakeProcess] = []
        self._pids = itertools.count(100)
        self._planned: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._turns = 0
        self._signal_reader, self._signal_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    # --- for tests

    def at(self, seconds: float, happening: Callable[[], object]) -> None:
        """Let something happen at this time, while the supervisor waits."""
        heapq.heappush(self._planned, (seconds, next(self._order), lambda: void(happening())))

    def signal(self, *numbers: int) -> None:
        """Send the supervisor signals."""
        os.write(self._signal_writer, bytes(numbers))

    def process(self, module: str, index: int = -1) -> FakeProcess:
        """The process of this module that was started last, or at ``index``."""
        return self.processes(module)[index]

    def processes(self, module: str) -> list[FakeProcess]:
        """All processes of this module, the oldest first, dead ones included."""
        return [process for process in self._all if process.module.endswith(module)]

    def orphan(self, group: int | None = None) -> FakeProcess:
        """A process that a task has started and left, in this process group or one of its own."""
        made = self._add(FakeProcess(next(self._pids), "orphan"))
        made.group = made.pid if group is None else group
        return made

    def close(self) -> None:
        """Close every descriptor."""
        for process in self._all:
            process.close()
        os.close(self._signal_reader)
        os.close(self._signal_writer)

    # --- descriptors

    def raise_descriptor_limit(self) -> None:
        """This process keeps its limit."""

    def descriptor_limit(self) -> int:
        """Enough."""
        return self.descriptors

    # --- time, signals, waiting

    def now(self) -> float:
        """Virtual time."""
        return self.time

    @contextmanager
    def wake_up(self) -> Iterator[int]:
        """The reading end of a real pipe."""
        yield self._signal_reader

    def wait(self, poll: select.poll, seconds: float) -> None:
        """Rule 2."""
        self.waits.append(seconds)
        deadline = self.time + max(0.0, seconds)
        self._run_zygotes()
        while not poll.poll(0):
            if not self._planned or self._planned[0][0] > deadline:
                assert deadline < inf, "the loop waits without limit, and nothing is planned"
                self.time = deadline
                return
            self.time = max(self.time, self._planned[0][0])
            while self._planned and self._planned[0][0] <= self.time:
                heapq.heappop(self._planned)[2]()
            self._run_zygotes()

    def take_signals(self, wake_up: int) -> bytes:
        """As the real kernel; a loop that turns too often fails."""
        self._turns += 1
        assert self._turns < STUCK, "the loop spins"
        return signal_wakeup.drain_bytes(wake_up)

    def has_lost_terminal(self) -> bool:
        """As the test has set it."""
        return self.terminal_lost

    # --- starts

    def become_subreaper(self) -> None:
        """Only noted."""
        self.log.append(("become_subreaper",))

    def spawn(
        self,
        module: str,
        *words: str,
        python: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> tuple[int, socket.socket]:
        """A new process that runs this module."""
        self.log.append(("spawn", module))
        self.commands.append((python, module, *words))
        self.variables = dict(variables or {})
        if error := self.errors.get("spawn"):
            raise error
        ours, theirs = conventions.socket_pair()
        process = self._add(FakeProcess(next(self._pids), module, channel.Channel(theirs)))
        return process.pid, ours

    def _add(self, process: FakeProcess) -> FakeProcess:
        self._living[process.pid] = process
        self._all.append(process)
        return process

    def _run_zygotes(self) -> None:
        for process in list(self._living.values()):
            if process.module == ZYGOTE and process.reads and process.status is None:
                self._run_zygote(process)

    def _run_zygote(self, zygote: FakeProcess) -> None:
        assert zygote.end
        while zygote.status is None and select.select([zygote.end], [], [], 0)[0]:
            message, descriptors = zygote.end.receive_with_descriptors()
            if message is None:
                zygote.die()
                return
            zygote.received.append(message)
            if isinstance(message, messages.Load) and self.loaded:
                zygote.send(self.loaded)
            elif isinstance(message, messages.Fork):
                self.fork(message, *descriptors)

    def _fork(self, fork: messages.Fork, end: int, crash_record: int) -> None:
        """The zygote forks a worker."""
        inherited = channel.Channel.inherited(end)
        worker = self._add(FakeProcess(next(self._pids), "worker", inherited, crash_record))
        worker.received.append(fork)
        if self.announces:
            worker.send(messages.Forked(fork.worker, worker.pid))

    # --- deaths

    def reap(self, is_ours: Callable[[int], bool]) -> list[DeadProcess]:
        """Collect dead processes; kill the group of one of ours."""
        if self.before_reap:
            happening, self.before_reap = self.before_reap, None
            happening()
        dead = []
        while found := next(
            (each for each in self._living.values() if each.status is not None), None
        ):
            if is_ours(found.pid):
                for member in list(self._living.values()):
                    if member.group == found.pid:
                        member.get(signal.SIGKILL)
            del self._living[found.pid]
            assert found.status is not None
            dead.append(DeadProcess(found.pid, found.status))
        return dead

    def terminate(self, pid: int) -> None:
        """SIGTERM."""
        self._send("terminate", pid, signal.SIGTERM)

    def quit(self, pid: int) -> None:
        """SIGQUIT."""
        self._send("quit", pid, signal.SIGQUIT)

    def dump_stacks(self, pid: int) -> None:
        """Write stacks to the worker's crash record, as ``faulthandler`` would."""
        self._send("dump_stacks", pid, signal.SIGUSR1)
        record = self._living[pid].crash_record
        if record is not None:
            os.write(record, b"Current thread 0x1:\n")

    def kill_group(self, pid: int) -> None:
        """SIGKILL for the process and its group."""
        self._send("kill_group", pid, signal.SIGKILL)
        for member in list(self._living.values()):
            if member.group == pid:
                member.get(signal.SIGKILL)

    def _send(self, call: str, pid: int, number: int) -> None:
        self.log.append((call, pid))
        self.sent.append((self.time, call, pid))
        assert pid in self._living, f"{call}({pid}) reaches no child: it was reaped"
        self._living[pid].get(number)


def void(_: object) -> None:
    """Drop a value."""
