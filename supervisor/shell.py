"""The loop: wait, gather facts, ask the core, carry out what it wishes.

Rules of this file:

1. It decides nothing. Every fact becomes an event for the core, every action of the core is
   carried out; what fails on the way is a fact again.
2. A turn has one order, always: collect the dead, read every channel dry, deliver what was said,
   deliver the deaths, deliver signals, then the passing of time, and only then act. Reaping before
   reading makes last words arrive before the death: whatever a process said, it said alive.
3. There is one place that waits, and it waits for one deadline: the core's.
4. A process that dies without having said its pid leaves an end-of-file: that is a fork that
   failed.
"""

from __future__ import annotations

import contextlib
import functools
import select
import signal
import time
from typing import TYPE_CHECKING

from supervisor import channel, kernel, log, messages
from supervisor.children import Child, Children, Kind

if TYPE_CHECKING:
    import socket

    from supervisor.core import Core
    from supervisor.settings import Settings

    Spare = tuple[int, socket.socket]

FAREWELL = 2.0
"""Seconds that zygotes and attendants get to follow the end of their channels."""

GONE = 4
"""Exit code for a child that vanished without a word: the pool cannot be kept alive."""

_SIGNAL_EVENTS: dict[int, messages.Event] = {
    signal.SIGTERM: messages.DrainAsked(why="SIGTERM"),
    signal.SIGINT: messages.DrainAsked(why="SIGINT"),
    signal.SIGQUIT: messages.StopAsked(why="SIGQUIT"),
    signal.SIGHUP: messages.RestartAsked(why="SIGHUP"),
}


class Shell:
    """Runs one core on this host's kernel."""

    def __init__(self, core: Core, settings: Settings, spare: Spare | None = None) -> None:
        self._core = core
        self._spare = spare
        self._settings = settings
        self._place = messages.Place(
            region=settings.region,
            profile=settings.profile,
            endpoint_url=settings.endpoint_url,
            local=settings.local,
        )
        self._log_style = messages.LogStyle(level=settings.log_level, format=settings.log_format)
        self._children = Children()
        self._poll = select.poll()
        self._failures: list[messages.Event] = []  # of our own actions, told in the next turn
        self._loaded: messages.Loaded | None = None
        self._terminal = not kernel.is_hung_up()  # whether there is one that could be closed
        self._exit: messages.Exit | None = None
        self._buried: dict[int, int] = {}  # workers whose death this turn delivers, and their pids

    def run(self) -> int:
        """Turn until the core wants to exit; returns the program's exit code."""
        kernel.become_subreaper()
        with kernel.wake_up() as wake_up:
            self._poll.register(wake_up, select.POLLIN)
            self._perform(self._core.begin(time.monotonic()))
            while self._exit is None:
                self._wait()
                self._turn(wake_up)
            self._farewell(wake_up)
        return self._exit.code

    # --- one turn

    def _wait(self) -> None:
        left = 0.0 if self._failures else self._core.next_deadline() - time.monotonic()
        # Rounded up: to wake a moment early would only mean to wait again.
        self._poll.poll(None if left == float("inf") else max(0, int(left * 1000) + 1))

    def _turn(self, wake_up: int) -> None:
        signals = kernel.drain_bytes(wake_up)
        dead = kernel.reap()
        events = [*self._take_failures(), *self._hear_all(wake_up), *self._deaths(dead)]
        events += [self._asked(each) for each in signals if each in _SIGNAL_EVENTS]
        now = time.monotonic()
        if now >= self._core.next_deadline():
            events.append(messages.Tick())
        actions = [action for event in events for action in self._core.handle(event, now)]
        self._perform(actions)
        if events:
            self._show_pool()

    def _take_failures(self) -> list[messages.Event]:
        failures, self._failures = self._failures, []
        return failures

    def _asked(self, number: int) -> messages.Event:
        """What a signal asks for. The end of the terminal that we run on is no wish to restart."""
        if number == signal.SIGHUP and self._terminal and kernel.is_hung_up():
            return messages.DrainAsked(why="the terminal was closed")
        return _SIGNAL_EVENTS[number]

    # --- facts

    def _hear_all(self, wake_up: int) -> list[messages.Event]:
        heard: list[messages.Event] = []
        for descriptor, _ in self._poll.poll(0):
            child = self._children.by_descriptor(descriptor) if descriptor != wake_up else None
            if child is not None:
                heard += self._hear(child)
        return heard

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
            case messages.AttendantReady():
                if message.endpoint:
                    log.LOGGER.info("Amazon SWF on this host: %s/", message.endpoint)
                    self._place = messages.Place(
                        region=self._place.region or "us-east-1",
                        endpoint_url=message.endpoint,
                        local=True,
                    )
                return [message]
            case (
                messages.Polling()
                | messages.Working()
                | messages.Done()
                | messages.Registered()
                | messages.Refused()
                | messages.AllClosed()
            ):
                if getattr(message, "worker", child.key) == child.key:
                    return [message]
                log.LOGGER.error("worker %s speaks for another: %s", child.key, message)
            case _:
                log.LOGGER.error("%s %s said %s to us", child.kind.value, child.key, message)
        return []

    def _generation_ready(self, generation: int, loaded: messages.Loaded) -> messages.Event:
        for warning in loaded.warnings:
            log.LOGGER.warning("%s", warning)
        self._loaded = loaded
        return messages.GenerationReady(generation, loaded.task_lists)

    def _deaths(self, dead: list[kernel.Ended]) -> list[messages.Event]:
        events = []
        self._buried.clear()
        for ended in dead:
            child = self._children.by_pid(ended.pid)
            if child is None:
                log.LOGGER.debug("reaped a stray process", extra={"facts": {"pid": ended.pid}})
                continue
            if not child.channel.closed:
                self._poll.unregister(child.channel)
            self._children.remove(child)
            if child.kind is Kind.WORKER:
                self._buried[int(child.key)] = ended.pid
            events.append(_death(child, ended.status))
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
                    log.write(action, self._pid_of(action.facts.get("worker")))
                case messages.Exit():
                    self._exit = action
                case messages.Fork():
                    self._fork(action)
                case messages.Terminate() | messages.Kill():
                    self._signal_worker(action)
                case messages.StartGeneration() | messages.RetireGeneration():
                    self._change_generation(action)
                case messages.StartAttendant() | messages.StopAttendant():
                    self._change_attendant(action)

    def _spawn(self, kind: Kind, key: int | str, module: str, first: messages.Said) -> None:
        pid, end = kernel.spawn(module)
        self._welcome(kind, key, first, pid, end)

    def _welcome(
        self, kind: Kind, key: int | str, first: messages.Said, pid: int, end: socket.socket
    ) -> None:
        """Tell a new process what it is to do, and enter it in the book."""
        ours = channel.Channel(end)
        with contextlib.suppress(channel.ChannelClosed):  # its death says so in the next turn
            ours.say(first)
        self._add(Child(kind, key, ours, pid))

    def _add(self, child: Child) -> None:
        self._children.add(child)
        self._poll.register(child.channel, select.POLLIN)

    def _change_generation(
        self, action: messages.StartGeneration | messages.RetireGeneration
    ) -> None:
        if isinstance(action, messages.StartGeneration):
            self._start_generation(action.generation)
        elif zygote := self._children.get(Kind.ZYGOTE, action.generation):
            # It has nothing to finish, and one that hangs in its import would not hear of its end.
            zygote.signal(kernel.kill_group)

    def _start_generation(self, generation: int) -> None:
        load = messages.Load(
            generation=generation,
            flow=self._settings.flow,
            domain=self._settings.domain,
            name=self._settings.name,
            place=self._place,
            log=self._log_style,
        )
        try:
            if self._spare:
                self._welcome(Kind.ZYGOTE, generation, load, *self._spare)
                self._spare = None
            else:
                self._spawn(Kind.ZYGOTE, generation, kernel.ZYGOTE, load)
        except OSError as error:
            why = f"no process for a zygote: {error}"
            self._failures.append(messages.GenerationLost(generation, why, GONE))

    def _change_attendant(self, action: messages.StartAttendant | messages.StopAttendant) -> None:
        if isinstance(action, messages.StartAttendant):
            self._start_attendant(action.name)
        elif attendant := self._children.get(Kind.ATTENDANT, action.name):
            attendant.signal(kernel.terminate)

    def _start_attendant(self, name: str) -> None:
        loaded = self._loaded
        attend = messages.Attend(
            name=name,
            place=self._place,
            log=self._log_style,
            domain=loaded.domain if loaded else "",
            flow_name=loaded.flow_name if loaded else "",
            flow_version=loaded.flow_version if loaded else "",
            inputs=self._settings.start,
            live=self._settings.once,
        )
        try:
            self._spawn(Kind.ATTENDANT, name, f"supervisor.attendants.{name}", attend)
        except OSError as error:
            why = f"no process for the {name}: {error}"
            self._failures.append(messages.AttendantLost(name, GONE, why))

    def _fork(self, fork: messages.Fork) -> None:
        ours, theirs = channel.pair()
        if why := self._ask_zygote(fork, theirs.fileno()):
            ours.close()
            self._failures.append(messages.ForkFailed(fork.worker, why))
        else:
            self._add(Child(Kind.WORKER, fork.worker, ours))
        theirs.close()

    def _ask_zygote(self, fork: messages.Fork, descriptor: int) -> str:
        """Ask for a fork; returns why that was not possible, or nothing."""
        zygote = self._children.get(Kind.ZYGOTE, fork.generation)
        if zygote is None:
            return f"generation {fork.generation} has no zygote"
        try:
            zygote.channel.say(fork, descriptor)
        except (channel.ChannelClosed, channel.ChannelFull) as error:
            return f"the zygote of generation {fork.generation} does not listen: {error}"
        return ""

    def _signal_worker(self, action: messages.Terminate | messages.Kill) -> None:
        send = kernel.terminate if isinstance(action, messages.Terminate) else kernel.kill_group
        if worker := self._children.get(Kind.WORKER, action.worker):
            worker.signal(send)

    # --- what others see of it

    def _show_pool(self) -> None:
        starter = self._children.get(Kind.ATTENDANT, "starter")
        if starter is None or not self._settings.once or starter.channel.closed:
            return
        try:
            starter.channel.say(messages.PoolState(self._core.pool()))
        except (channel.ChannelClosed, channel.ChannelFull):
            log.LOGGER.debug("the starter does not listen: this picture of the pool is dropped")

    def _farewell(self, wake_up: int) -> None:
        """Close every channel, and see everybody out."""
        for child in self._children:
            if not child.channel.closed:
                child.channel.shut()
        by = time.monotonic() + FAREWELL
        while self._children and (left := by - time.monotonic()) > 0:
            self._poll.poll(int(left * 1000) + 1)
            kernel.drain_bytes(wake_up)
            self._hear_all(wake_up)
            self._deaths(kernel.reap())
        for child in self._children:
            child.signal(kernel.kill_group)


def _death(child: Child, status: int) -> messages.Event:
    match child:
        case Child(kind=Kind.WORKER, key=int() as worker):
            return messages.Exited(worker, status)
        case Child(kind=Kind.ZYGOTE, key=int() as generation, last_words=words):
            if isinstance(words, messages.CannotLoad):
                return messages.GenerationLost(generation, words.why, words.code)
            return messages.GenerationLost(generation, f"its zygote {how_ended(status)}", GONE)
        case _:
            name = str(child.key)
            return messages.AttendantLost(name, status, f"the {name} {how_ended(status)}")


@functools.cache
def how_ended(status: int) -> str:
    """``killed by SIGKILL`` or ``exited 3``."""
    if status >= 0:
        return f"exited {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
