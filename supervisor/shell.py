"""The loop: wait, gather facts, ask the core, carry out what it wishes.

Rules of this file:

1. It decides nothing. Every fact becomes an event for the core, every action of the core is
   carried out; what fails on the way is a fact again.
2. A turn has one order, always: collect the dead, read every channel dry, deliver what was said,
   deliver the deaths, deliver signals, then the passing of time, and only then act; people are
   served last. Reaping before reading makes last words arrive before the death: whatever a process
   said, it said alive.
3. There is one place that waits, and it waits for one deadline: the core's.
4. A process that dies without having said its pid leaves an end-of-file: that is a fork that
   failed.
"""

from __future__ import annotations

import os
import select
import signal
import time
from math import inf
from typing import TYPE_CHECKING

from supervisor import channel, exits, kernel, log, messages, spool
from supervisor.children import Child, Children, Kind
from supervisor.control import Control
from supervisor.core.causes import how_ended
from supervisor.desk import Desk
from supervisor.postmortem import Coroner, OutOfMemory, own_events
from supervisor.scales import Scales
from supervisor.settings import SettingsError
from supervisor.spawner import Spawner
from supervisor.systemd.manager import Manager

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.control import Asked, Listener
    from supervisor.core import Core
    from supervisor.settings import Settings
    from supervisor.spawner import Spare

FAREWELL = 2.0
"""Seconds that zygotes and attendants get to follow the end of their channels."""

_SIGNAL_EVENTS: dict[int, messages.Event] = {
    signal.SIGTERM: messages.DrainAsked(why="SIGTERM"),
    signal.SIGINT: messages.DrainAsked(why="SIGINT"),
    signal.SIGQUIT: messages.StopAsked(why="SIGQUIT"),
    signal.SIGTTIN: messages.ScaleAsked(why="SIGTTIN", by=1),
    signal.SIGTTOU: messages.ScaleAsked(why="SIGTTOU", by=-1),
}


class Shell:
    """Runs one core on this host's kernel.

    Args:
        core: Decides.
        settings: What this supervisor runs on.
        spare: A zygote that is already there, and waits for its first message.
        read_again: Gives the settings as their sources have them now, or raises ``SettingsError``.
        listener: Where people ask; ``None`` for nowhere.
    """

    def __init__(
        self,
        core: Core,
        settings: Settings,
        spare: Spare | None = None,
        read_again: Callable[[], Settings] | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._core = core
        self._settings = settings
        self._read_again = read_again or (lambda: settings)
        self._children = Children()
        self._poll = select.poll()
        self._spawner = Spawner(settings, self._children, self._listen, spare)
        self._coroner = Coroner(OutOfMemory(own_events()))
        self._control = Control(listener, self._poll)
        self._desk = Desk(core, self._children, self._control, self._perform, self.restart)
        self._scales = Scales(settings.max_memory_hard)
        self._manager = Manager(os.environ, os.getpid())
        self._pending: list[messages.Event] = []  # facts from outside of a turn's reading
        self._terminal = not kernel.is_hung_up()  # whether there is one that could be closed
        self._exit: messages.Exit | None = None
        self._presence: spool.Presence | None = None
        self._buried: dict[int, int] = {}  # workers whose death this turn delivers, and their pids

    def run(self) -> int:
        """Turn until the core wants to exit; returns the program's exit code."""
        kernel.become_subreaper()
        with kernel.wake_up() as wake_up:
            self._poll.register(wake_up, select.POLLIN)
            self._take_up_spool()
            self._perform(self._core.begin(time.monotonic()))
            while self._exit is None:
                self._wait()
                self._turn(wake_up)
            self._farewell(wake_up)
        if self._presence:
            self._presence.close()
        return self._exit.code

    # --- one turn

    def _wait(self) -> None:
        by = min(
            self._core.next_deadline(),
            self._scales.next_look(self._children),
            self._manager.next_look(),
        )
        left = 0.0 if self._pending else by - time.monotonic()
        # Rounded up: to wake a moment early would only mean to wait again.
        kernel.wait(self._poll, None if left == inf else max(0, int(left * 1000) + 1))

    def _turn(self, wake_up: int) -> None:
        signals = kernel.drain_bytes(wake_up)
        dead = kernel.reap(self._is_ours)
        heard, asked = self._hear_all(wake_up)
        events = [*self._take_pending(), *heard, *self._deaths(dead)]
        events += [event for each in signals for event in self._meant_by(each)]
        now = time.monotonic()
        events += self._scales.look(self._children, now)
        if now >= self._core.next_deadline():
            events.append(messages.Tick())
        self._perform([action for event in events for action in self._core.handle(event, now)])
        for client, ask in asked:
            self._desk.serve(client, ask, now)
        self._manager.look(self._core, now, heard=bool(events))
        if events or asked:
            self._show_pool()

    def _take_pending(self) -> list[messages.Event]:
        pending, self._pending = self._pending, []
        return pending

    def _take_up_spool(self) -> None:
        """What dead supervisors left on disk; a local SWF has forgotten it with its own end."""
        if self._settings.spool and not self._settings.local:
            self._presence = spool.appear(self._settings.spool)
            if self._presence:
                self._spawner.presence = self._presence.file.name
            owner = spool.Owner(self._settings.flow, self._spawner.place)
            if reports := spool.collect(self._settings.spool, owner, self._spawner.presence):
                self._pending.append(messages.Spooled(reports))

    def _listen(self, child: channel.Channel) -> None:
        self._poll.register(child, select.POLLIN)

    def _meant_by(self, number: int) -> list[messages.Event]:
        """What a signal asks for. The end of the terminal that we run on is no wish to restart."""
        if number != signal.SIGHUP:
            return [_SIGNAL_EVENTS[number]] if number in _SIGNAL_EVENTS else []
        if self._terminal and kernel.is_hung_up():
            return [messages.DrainAsked(why="the terminal was closed")]
        try:
            return [self.restart("SIGHUP")]
        except SettingsError as error:
            facts = {"event": "restart_refused"}
            log.LOGGER.error("No restart: %s", error, extra={"facts": facts})
            return []

    def restart(self, why: str) -> messages.RestartAsked:
        """The wish to restart, with the settings as they are now; raises ``SettingsError``."""
        return messages.RestartAsked(why, self._read_again())

    # --- facts

    def _hear_all(self, wake_up: int) -> tuple[list[messages.Event], list[Asked]]:
        """What children said, and what people ask for."""
        heard: list[messages.Event] = []
        asked: list[Asked] = []
        for descriptor, flags in self._poll.poll(0):
            child = self._children.by_descriptor(descriptor) if descriptor != wake_up else None
            if child is not None:
                heard += self._hear(child)
            else:
                asked += self._control.hear(descriptor, flags)
        return heard, asked

    def _hear(self, child: Child) -> list[messages.Event]:
        heard: list[messages.Event] = []
        try:
            while message := child.channel.hear():
                heard += self._understand(child, message)
        except messages.NotUnderstood as error:
            log.LOGGER.error("%s %s talks nonsense: %s", child.kind.value, child.key, error)
            child.signal(kernel.kill_group)
        if child.channel.closed:
            self._poll.unregister(child.channel)
            if child.kind is Kind.WORKER and child.pid is None:
                heard.append(self._never_born(child))
        return heard

    def _is_ours(self, pid: int) -> bool:
        """Whether a dead process is in the book; a worker may have said its pid unheard yet."""
        if self._children.by_pid(pid) is None:
            unborn = [each for each in self._children if each.pid is None]
            self._pending += [event for each in unborn for event in self._hear(each)]
        return self._children.by_pid(pid) is not None

    def _never_born(self, child: Child) -> messages.Event:
        self._children.remove(child)
        return messages.ForkFailed(int(child.key), "it was gone before it could say its pid")

    def _understand(self, child: Child, message: messages.Said) -> list[messages.Event]:
        match message:
            case messages.Forked():
                child.born(message.pid)
            case messages.Loaded():
                return [self._generation_ready(int(child.key), message)]
            case messages.CannotLoad():
                child.last_words = message
            case messages.ForkFailed():
                # The worker's channel went with the request; its end-of-file says the same.
                log.LOGGER.warning("the zygote could not fork: %s", message.why)
            case messages.PoolAsked():
                self._show_pool_to(child)
            case _ if isinstance(message, messages.FromChildren):
                return self._pass_on(child, message)
            case _:
                log.LOGGER.error("%s %s said %s to us", child.kind.value, child.key, _kind(message))
        return []

    def _pass_on(self, child: Child, event: messages.FromChildren) -> list[messages.Event]:
        if getattr(event, "worker", child.key) != child.key:
            log.LOGGER.error("worker %s speaks for another: %s", child.key, _kind(event))
            return []
        self._learn(child, event)
        return [event]

    def _learn(self, child: Child, event: messages.FromChildren) -> None:
        """Some of what the core is told concerns the shell's own work, too."""
        match event:
            case messages.Working():
                child.working = True
            case messages.Done():
                child.working = False
            case messages.AttendantReady(endpoint=endpoint) if endpoint:
                log.LOGGER.info("Amazon SWF on this host: %s/", endpoint)
                self._spawner.use_endpoint(endpoint)
            case messages.InstanceKnown(instance=instance):
                log.stand_on(instance)
                self._coroner.host = instance.id

    def _generation_ready(self, generation: int, loaded: messages.Loaded) -> messages.Event:
        for warning in loaded.warnings:
            log.LOGGER.warning("%s", warning)
        self._spawner.loaded = loaded
        return messages.GenerationReady(generation, loaded.task_lists)

    def _deaths(self, dead: list[kernel.Ended]) -> list[messages.Event]:
        events: list[messages.Event] = []
        self._buried.clear()
        for ended in dead:
            child = self._children.by_pid(ended.pid)
            if child is None:
                log.LOGGER.debug("reaped a stray process", extra={"facts": {"pid": ended.pid}})
                continue
            if not child.channel.closed:
                self._poll.unregister(child.channel)
            if child.kind is Kind.WORKER:
                self._buried[int(child.key)] = ended.pid
                post = self._coroner.examine(child, ended)
                events.append(messages.Exited(int(child.key), ended.status, post))
            else:
                events.append(_death(child, ended.status))
            self._children.remove(child)
        return events

    def _pid_of(self, worker: object) -> int | None:
        """The pid of a worker, for people who read the log; of one who has just died, too."""
        if not isinstance(worker, int):
            return None
        child = self._children.get(Kind.WORKER, worker)
        return child.pid if child else self._buried.get(worker)

    # --- actions

    def _perform(self, actions: list[messages.Action]) -> None:
        for action in actions:
            match action:
                case messages.Note():
                    self._note(action)
                case messages.Exit():
                    self._exit = action
                case messages.Fork():
                    self._hope(self._spawner.fork(action))
                case messages.StartGeneration(generation, settings):
                    self._hope(self._spawner.start_generation(generation, settings))
                case messages.TakeUp(settings):
                    self._scales.use(settings.max_memory_hard)
                case messages.StartAttendant(name, lists):
                    self._hope(self._spawner.start_attendant(name, lists))
                case _:
                    self._signal(action)

    def _note(self, note: messages.Note) -> None:
        pid = self._pid_of(note.facts.get("worker"))
        log.write(note, pid)
        self._desk.note(note, pid)

    def _hope(self, failure: messages.Event | None) -> None:
        if failure:
            self._pending.append(failure)

    def _signal(self, action: messages.Action) -> None:
        match action:
            case messages.Terminate(worker):
                self._send(Kind.WORKER, worker, kernel.terminate)
            case messages.DumpStacks(worker):
                self._send(Kind.WORKER, worker, kernel.dump_stacks)
            case messages.Kill(worker):
                self._kill(worker)
            case messages.RetireGeneration(generation):
                # It has nothing to finish, and one that hangs in its import hears of no end.
                self._send(Kind.ZYGOTE, generation, kernel.kill_group)
            case messages.StopAttendant(name):
                self._send(Kind.ATTENDANT, name, kernel.terminate)

    def _send(self, kind: Kind, key: int | str, send: Callable[[int], None]) -> None:
        if child := self._children.get(kind, key):
            child.signal(send)

    def _kill(self, worker: int) -> None:
        if child := self._children.get(Kind.WORKER, worker):
            child.killed = True
            child.signal(kernel.kill_group)

    # --- what others see of it

    def _show_pool(self) -> None:
        starter = self._children.get(Kind.ATTENDANT, "starter")
        if starter is not None and self._settings.once and not starter.channel.closed:
            self._show_pool_to(starter)

    def _show_pool_to(self, attendant: Child) -> None:
        in_hand = sum(each.working for each in self._children)
        try:
            _say_pool(attendant.channel, self._core.pool(), in_hand)
        except (channel.ChannelClosed, channel.ChannelFull):
            log.LOGGER.debug("%s does not listen: this picture is dropped", attendant.key)

    def _farewell(self, wake_up: int) -> None:
        """Close every channel, and see everybody out."""
        for child in self._children:
            if not child.channel.closed:
                child.channel.shut()
        by = time.monotonic() + FAREWELL
        while self._children and (left := by - time.monotonic()) > 0:
            kernel.wait(self._poll, int(left * 1000) + 1)
            kernel.drain_bytes(wake_up)
            self._hear_all(wake_up)
            self._deaths(kernel.reap(self._is_ours))
        for child in self._children:
            child.signal(kernel.kill_group)
        self._control.close()


def _say_pool(to: channel.Channel, lists: tuple[messages.ListState, ...], in_hand: int) -> None:
    try:
        to.say(messages.PoolState(lists, in_hand))
    except channel.MessageTooLong:  # more than a thousand lists; what is in hand counts more
        to.say(messages.PoolState((), in_hand))


def _kind(message: messages.Said) -> str:
    """A message in the log: what it says may be a token or a result."""
    return type(message).__name__


def _death(child: Child, status: int) -> messages.Event:
    match child:
        case Child(kind=Kind.ZYGOTE, key=int() as generation, last_words=words):
            if words:
                return messages.GenerationLost(generation, words.why, words.code)
            why = f"its zygote {how_ended(status)}"
            return messages.GenerationLost(generation, why, exits.GAVE_UP)
        case _:
            name = str(child.key)
            return messages.AttendantLost(name, status, f"the {name} {how_ended(status)}")
