"""The shell: the loop that waits, gathers events, asks the core, and carries out its actions.

Rules of this file:

1. It decides nothing. Each fact becomes an event for the core, and each action of the core is
   carried out; an action that fails is an event again.
2. The order of a turn is fixed: reap the dead, read every channel, handle the messages, then the
   deaths, then the signals, then the passing of time; serve the control socket last. Reaping before
   reading puts last messages before the death: what a process has sent, it has sent alive.
3. Only ``_wait`` waits, for one deadline: the nearest of the core's, the memory watchdog's, the
   service manager's and the spool's. Soon after a turn of routine it pauses, so that one turn reads
   what a busy pool has sent meanwhile.
"""

from __future__ import annotations

import os
import select
import signal
from math import inf
from typing import TYPE_CHECKING

import msgspec

from supervisor.config.settings import SettingsError
from supervisor.ipc import channel, messages, spool
from supervisor.ipc.conventions import MEANINGLESS_SIGNALS
from supervisor.logs import log
from supervisor.parent import orphaned_lists, spool_recovery
from supervisor.parent.action_runner import ActionRunner
from supervisor.parent.child_events import ChildEvents
from supervisor.parent.control_handler import ControlHandler
from supervisor.parent.control_socket import ControlSocket
from supervisor.parent.memory_watchdog import MemoryWatchdog
from supervisor.parent.note_log import NoteLog
from supervisor.parent.os_processes import Kernel
from supervisor.parent.process_table import Child, Children, ProcessKind
from supervisor.parent.spawner import Spawner
from supervisor.parent.systemd.notifier import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.config.settings import Settings
    from supervisor.core import Core
    from supervisor.parent.control_listener import Listener
    from supervisor.parent.control_socket import ClientRequest
    from supervisor.parent.serving_link import ServingLink
    from supervisor.parent.spawner import SpareZygote

SHUTDOWN_SECONDS = 2.0
"""Seconds for zygotes and sidecars to end by themselves once their channels are closed."""

ROUTINE_PAUSE = 0.01
"""Seconds after a turn of routine within which no message is read. A turn of routine has brought
only tasks begun and done, and no action: a busy pool sends hundreds of them a second, and a turn
costs more than a message. At 800 activities a second it takes a third off the supervisor's CPU
that a pause of 5 ms leaves, and one of 20 ms hardly more; a permit for another list may be as
late as the pause. A signal or a death ends it."""

_ROUTINE = (messages.Working, messages.Done)

_SIGNAL_EVENTS: dict[int, messages.Event] = {
    signal.SIGTERM: messages.DrainRequested(why="SIGTERM"),
    signal.SIGINT: messages.DrainRequested(why="SIGINT"),
    signal.SIGQUIT: messages.StopRequested(why="SIGQUIT"),
    signal.SIGTTIN: messages.ScaleRequested(why="SIGTTIN", by=1),
    signal.SIGTTOU: messages.ScaleRequested(why="SIGTTOU", by=-1),
}


class Shell:
    """Runs one core on this host.

    Args:
        core: Decides.
        settings: Of this supervisor.
        spare: A zygote that was started ahead and waits for its first message.
        read_again: The settings as their sources give them now; may raise ``SettingsError``.
        listener: The control socket; ``None`` for none.
        serving: The link of retired code to the supervisor that started it.
        kernel: Starts, signals and reaps processes, and keeps the time.
    """

    def __init__(
        self,
        core: Core,
        settings: Settings,
        *,
        spare: SpareZygote | None = None,
        read_again: Callable[[], Settings] | None = None,
        listener: Listener | None = None,
        serving: ServingLink | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        self._core = core
        self._settings = settings
        self._read_again = read_again or (lambda: settings)
        self._kernel = kernel or Kernel()
        self._poll = select.poll()
        self._interruptions = select.poll()  # of a pause: signals, and with them deaths
        self._routine_until = -inf  # when the pause after a turn of routine ends
        self._serving = serving
        if serving:
            self._poll.register(serving, select.POLLIN)
        self._children = Children()
        self._control = ControlSocket(listener, self._poll)
        self._spawner = Spawner(settings, self._children, self._kernel, self._poll, spare)
        self._spawner.control_path = str(listener.path) if listener else ""
        self._events = ChildEvents(
            self._children, self._kernel, self._poll, self._spawner, self._send_pool
        )
        self._memory_watchdog = MemoryWatchdog(settings.max_memory_hard)
        notes = NoteLog(self._control, self._events.pid_of)
        self._actions = ActionRunner(
            self._children, self._kernel, self._spawner, self._memory_watchdog, notes
        )
        self._control_handler = ControlHandler(
            core, self._children, self._actions, notes, self._restart
        )
        self._notifier = Notifier(os.environ, os.getpid())
        self._has_terminal = not self._kernel.has_lost_terminal()
        self._spool_watch: spool_recovery.SpoolWatch | None = None
        self._supervisor_lock: spool_recovery.SupervisorLock | None = None

    def run(self) -> int:
        """Turn until the core exits; returns the program's exit code."""
        self._kernel.become_subreaper()
        self._kernel.raise_descriptor_limit()
        with self._kernel.wake_up() as wake_up:
            self._poll.register(wake_up, select.POLLIN)
            self._interruptions.register(wake_up, select.POLLIN)
            leftovers = self._recover_spool()
            self._actions.carry_out(self._core.begin(self._kernel.now()))
            self._decide(leftovers, self._kernel.now())
            while self._actions.exit is None:
                self._wait()
                self._turn(wake_up)
            self._shut_down(wake_up)
        if self._supervisor_lock:
            self._supervisor_lock.release()
        return self._actions.exit.code

    # --- start

    def _recover_spool(self) -> list[messages.Event]:
        """Reports for tasks that dead supervisors left; a local SWF dies with its supervisor."""
        folder = self._settings.spool
        if not folder or self._settings.local:
            return []
        # The lock comes before the first worker: it is named in the file of every task.
        self._supervisor_lock = spool_recovery.SupervisorLock.acquire(folder)
        owner = spool.Owner(self._settings.flow, self._spawner.swf)
        if self._supervisor_lock:
            self._spawner.note_lists(self._supervisor_lock, owner)
        self._spool_watch = spool_recovery.SpoolWatch(
            folder, owner, self._spawner.supervisor_lock, self._settings.poll_timeout
        )
        # The lists come first: the scan removes old files, and a file is as old as its last list.
        lists = self._orphaned_lists(folder, owner)
        return [*lists, *self._scan_spool(self._spool_watch, self._kernel.now())]

    def _orphaned_lists(self, folder: str, owner: spool.Owner) -> list[messages.Event]:
        if not self._supervisor_lock:
            return []
        names = orphaned_lists.take(spool_recovery.supervisors_files(folder), owner)
        return [messages.OrphanedLists(names)] if names else []

    def _scan_spool(self, watch: spool_recovery.SpoolWatch, now: float) -> list[messages.Event]:
        reports = watch.scan(now)
        return [messages.SpooledReports(reports)] if reports else []

    # --- one turn

    def _wait(self) -> None:
        if self._actions.failures:
            return
        deadline = min(
            self._core.next_deadline(),
            self._memory_watchdog.next_check(self._children),
            self._notifier.next_call(),
            self._actions.next_kill(),
            self._spool_watch.next_scan if self._spool_watch else inf,
        )
        self._kernel.wait(self._poll, deadline - self._kernel.now())
        if (left := self._routine_until - self._kernel.now()) > 0:
            self._kernel.wait(self._interruptions, left)

    def _turn(self, wake_up: int) -> None:
        events, requests = self._gather(wake_up)
        now = self._kernel.now()
        events += self._time_events(now)
        has_acted = self._decide(events, now)
        is_routine = all(isinstance(event, _ROUTINE) for event in events)
        is_pause_due = events and is_routine and not has_acted
        self._routine_until = now + ROUTINE_PAUSE if is_pause_due else -inf
        for client, request in requests:
            self._control.send(client, self._control_handler.answer(client, request, now))
        self._notifier.notify(self._core, now, had_events=bool(events))
        if self._serving:
            self._serving.announce(self._core, now)
        if events or requests:
            self._show_progress()

    def _gather(self, wake_up: int) -> tuple[list[messages.Event], list[ClientRequest]]:
        """The events since the last turn, in the order of rule 2, and the requests of clients."""
        signals = self._kernel.take_signals(wake_up)
        dead = self._kernel.reap(self._events.is_ours)
        received, requests = self._receive_all(wake_up)
        events = [
            *self._actions.take_failures(),
            *self._events.take_early(),
            *received,
            *self._events.settle_deaths(dead),
            *self._events.take_lost_channels(),
        ]
        for number in signals:
            events += self._signal_events(number)
        return events, requests

    def _receive_all(self, wake_up: int) -> tuple[list[messages.Event], list[ClientRequest]]:
        """The messages of children, and the requests of clients."""
        received: list[messages.Event] = []
        requests: list[ClientRequest] = []
        for descriptor, flags in self._poll.poll(0):
            child = self._children.by_descriptor(descriptor)
            if child is not None:
                received += self._events.receive(child)
            elif self._serving and descriptor == self._serving.fileno():
                received += self._receive_end(self._serving)
            elif descriptor != wake_up:
                requests += self._control.receive(descriptor, flags)
        return received, requests

    def _receive_end(self, serving: ServingLink) -> list[messages.Event]:
        if end := serving.receive():
            self._poll.unregister(serving)
            self._serving = None
        return end

    def _signal_events(self, number: int) -> list[messages.Event]:
        if number in MEANINGLESS_SIGNALS:
            _log_meaningless(number)
        if number != signal.SIGHUP:
            return [_SIGNAL_EVENTS[number]] if number in _SIGNAL_EVENTS else []
        # The kernel sends SIGHUP as well when the terminal is closed, which asks for no restart.
        if self._has_terminal and self._kernel.has_lost_terminal():
            return [messages.DrainRequested(why="the terminal was closed")]
        try:
            return [self._restart("SIGHUP")]
        except SettingsError as error:
            facts = {"event": "restart_refused"}
            log.LOGGER.error("No restart: %s", error, extra={"facts": facts})
            self._notifier.refuse_reload(str(error), self._kernel.now())
            return []

    def _restart(self, why: str) -> messages.RestartRequested:
        """A restart with the settings as they are now. Raises ``SettingsError``."""
        return messages.RestartRequested(why, self._read_again())

    def _time_events(self, now: float) -> list[messages.Event]:
        """The events that the passing of time brings."""
        self._actions.kill_late_zygotes(now)
        events: list[messages.Event] = [*self._memory_watchdog.check(self._children, now)]
        watch = self._spool_watch
        if watch and now >= watch.next_scan:
            events += self._scan_spool(watch, now)
        if now >= self._core.next_deadline():
            events.append(messages.Tick())
        return events

    def _decide(self, events: list[messages.Event], now: float) -> bool:
        """Let the core handle all events, and only then act: the events are of one moment.

        Returns whether there was anything to do.
        """
        actions = [action for event in events for action in self._core.handle(event, now)]
        self._actions.carry_out(actions)
        return bool(actions)

    # --- the pool, as sidecars see it

    def _show_progress(self) -> None:
        starter = self._children.get(ProcessKind.SIDECAR, "starter")
        if starter is not None and self._settings.once and not starter.channel.closed:
            self._send_pool(starter)

    def _send_pool(self, sidecar: Child) -> None:
        in_progress = sum(child.working for child in self._children)
        try:
            state = messages.PoolState(self._core.pool(), in_progress, self._core.launch())
            _send_pool(sidecar.channel, state)
        except (channel.ChannelClosed, channel.ChannelFull):
            log.LOGGER.debug("%s does not read: this state of the pool is dropped.", sidecar.key)

    # --- end

    def _shut_down(self, wake_up: int) -> None:
        """Close every channel, and wait until the children have ended."""
        for child in self._children:
            if not child.channel.closed:
                child.channel.close_sending()
        deadline = self._kernel.now() + SHUTDOWN_SECONDS
        while self._children and (left := deadline - self._kernel.now()) > 0:
            self._kernel.wait(self._poll, left)
            self._kernel.take_signals(wake_up)  # read, or the next wait would return at once
            self._receive_all(wake_up)
            self._events.settle_deaths(self._kernel.reap(self._events.is_ours))
        for child in self._children:
            child.kill(self._kernel.kill_group)
        self._control.close()


def _log_meaningless(number: int) -> None:
    name = signal.Signals(number).name if number < signal.SIGRTMIN else f"signal {number}"
    log.LOGGER.warning(
        "%s has no meaning here, and nothing happens. TERM drains, HUP restarts the workers.",
        name,
        extra={"facts": {"event": "signal_without_meaning"}},
    )


def _send_pool(to: channel.Channel, state: messages.PoolState) -> None:
    try:
        to.send(state)
    except channel.MessageTooLong:  # more than a thousand lists; the tasks in progress matter more
        to.send(msgspec.structs.replace(state, lists=()))
