"""Actions of the core, carried out: processes started, signals sent, log entries written.

Rules of this file:

1. An action that fails is an event for the core: it decides what to do about it.
2. A burst of forks takes its pace from the zygote: those for which its channel has no room wait
   here, and with them all else that concerns their workers. There is room again when the zygote has
   read a request, and what then comes of it, a pid or an end-of-file, wakes the supervisor.
3. A worker that is killed before its zygote has forked it counts as a failed fork: the zygote
   hangs, not the worker.
"""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from supervisor.ipc import crash_record, messages
from supervisor.ipc.channel import ChannelClosed, ChannelFull
from supervisor.parent.process_table import Children, ProcessKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.parent.memory_watchdog import MemoryWatchdog
    from supervisor.parent.note_log import NoteLog
    from supervisor.parent.os_processes import Kernel
    from supervisor.parent.spawner import Spawner

ZYGOTE_EXIT_SECONDS = 3.0
"""Seconds for the exit handlers of a flow's import, which remove its temporary files."""

NOT_ANSWERED = "its zygote has not answered the request in time"


class ActionRunner:
    """Carries out actions.

    Args:
        children: The processes of this supervisor.
        kernel: Sends signals.
        spawner: Starts processes.
        memory_watchdog: Uses the limits of the settings in force.
        notes: Writes log entries.
    """

    def __init__(
        self,
        children: Children,
        kernel: Kernel,
        spawner: Spawner,
        memory_watchdog: MemoryWatchdog,
        notes: NoteLog,
    ) -> None:
        self._children = children
        self._kernel = kernel
        self._spawner = spawner
        self._memory_watchdog = memory_watchdog
        self._notes = notes
        self.exit: messages.Exit | None = None
        self.failures: list[messages.Event] = []
        self._delayed: list[messages.Action] = []
        self._retired: dict[int, float] = {}  # generations, and when their zygotes are killed

    def carry_out(self, actions: list[messages.Action]) -> None:
        """Carry out actions in their order; failures wait in ``failures``."""
        due = [*self._delayed, *actions]
        self._delayed.clear()
        busy: set[int] = set()  # generations whose zygotes have no room
        waiting: set[int] = set()  # workers whose forks are delayed
        for action in due:
            if isinstance(action, messages.Fork):
                if action.generation in busy or not self._fork(action):
                    busy.add(action.generation)
                    waiting.add(action.worker)
                    self._delayed.append(action)
            elif isinstance(action, messages.Kill) and action.worker in waiting:
                self._withdraw(action.worker)
            elif getattr(action, "worker", None) in waiting:
                self._delayed.append(action)
            else:
                self._carry_out(action)

    def _withdraw(self, worker: int) -> None:
        """Forget a fork that waits, and all else that concerns its worker."""
        self._delayed = [each for each in self._delayed if getattr(each, "worker", None) != worker]
        self.failures.append(_unanswered(worker))

    def take_failures(self) -> list[messages.Event]:
        """The failures since the last call."""
        failures, self.failures = self.failures, []
        return failures

    def _carry_out(self, action: messages.Action) -> None:
        match action:
            case messages.Note():
                self._notes.write(action)
            case messages.Exit():
                self.exit = action
            case messages.ApplySettings(settings):
                self._memory_watchdog.limit = settings.max_memory_hard
                self._spawner.settings = settings
            case messages.StartGeneration() | messages.StartSidecar():
                self._start(action)
            case _:
                self._signal(action)

    def _fork(self, fork: messages.Fork) -> bool:
        """Request a worker; returns whether there was room for the request (rule 2)."""
        try:
            failure = self._spawner.fork(fork)
        except ChannelFull:
            return False
        if failure:
            self.failures.append(failure)
        return True

    def _start(self, action: messages.StartGeneration | messages.StartSidecar) -> None:
        match action:
            case messages.StartGeneration(generation, settings):
                failure = self._spawner.start_generation(generation, settings)
            case messages.StartSidecar():
                failure = self._spawner.start_sidecar(action.name, action.lists, action.hosts)
        if failure:
            self.failures.append(failure)

    def _signal(self, action: messages.Action) -> None:
        match action:
            case messages.GrantPermit(worker):
                self._write(worker, crash_record.grant_permit)
                self._send_message(ProcessKind.WORKER, worker, messages.PermitGranted())
            case messages.WithdrawPermit(worker):
                self._write(worker, crash_record.withdraw_permit)
            case messages.Terminate(worker):
                self._write(worker, crash_record.request_leave)
                self._send(ProcessKind.WORKER, worker, self._kernel.terminate)
            case messages.ReturnUnstarted(worker):
                self._write(worker, crash_record.request_return)
            case messages.DumpStacks(worker):
                self._send(ProcessKind.WORKER, worker, self._kernel.dump_stacks)
            case messages.Kill(worker):
                self._kill(worker)
            case messages.RetireGeneration(generation):
                self._retire(generation)
            case messages.StopSidecar(name, now):
                stop = self._kernel.quit if now else self._kernel.terminate
                self._send(ProcessKind.SIDECAR, name, stop)
            case messages.HandOver():
                # It has taken all that was sent before, so its channel is never full.
                self._send_message(ProcessKind.SIDECAR, "heartbeats", action)

    def _retire(self, generation: int) -> None:
        """End a zygote by the end of its channel, and kill it if it does not see that in time.

        Exit handlers of the flow's import are its own: temporary folders are removed now.
        """
        zygote = self._children.get(ProcessKind.ZYGOTE, generation)
        if zygote is not None:
            zygote.channel.close_sending()
            self._retired[generation] = self._kernel.now() + ZYGOTE_EXIT_SECONDS

    def next_kill(self) -> float:
        """Time at which the next retired zygote is late."""
        return min(self._retired.values(), default=inf)

    def kill_late_zygotes(self, now: float) -> None:
        """Kill the retired zygotes that hang, in the flow's import or in its exit handlers."""
        for generation in [each for each, late in self._retired.items() if late <= now]:
            del self._retired[generation]
            if zygote := self._children.get(ProcessKind.ZYGOTE, generation):
                zygote.kill(self._kernel.kill_group)

    def _send(self, kind: ProcessKind, key: int | str, send: Callable[[int], None]) -> None:
        if child := self._children.get(kind, key):
            child.signal(send)

    def _send_message(
        self, kind: ProcessKind, key: int | str, message: messages.ChannelMessage
    ) -> None:
        child = self._children.get(kind, key)
        if child is None or child.channel.closed:
            return
        # A parked worker has read all that was sent before, so its channel is never full.
        with suppress(ChannelClosed):  # it has just died: its death is the next event
            child.channel.send(message)

    def _write(self, worker: int, write: Callable[[int], None]) -> None:
        """Write a request into the worker's crash record."""
        child = self._children.get(ProcessKind.WORKER, worker)
        if child and child.crash_record is not None:
            write(child.crash_record)

    def _kill(self, worker: int) -> None:
        if child := self._children.get(ProcessKind.WORKER, worker):
            child.kill(self._kernel.kill_group)
            if child.pid is None:  # it is killed as soon as it is born
                self.failures.append(_unanswered(worker))


def _unanswered(worker: int) -> messages.Event:
    return messages.ForkFailed(worker, NOT_ANSWERED, unanswered=True)
