"""Events of children: the messages that they send, and their deaths.

Rules of this file:

1. A message becomes an event for the core; some of them concern the shell's own work as well.
2. A worker that dies before it has announced its pid leaves an end-of-file on its channel: that is
   a failed fork. Its process may be reaped first, so its channel is read before it is taken for a
   stray.
3. Messages are input from processes that run user code. A child that sends an invalid one is
   killed; one that reports for another worker is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from supervisor import exit_codes
from supervisor.core.causes import cause_of
from supervisor.ipc import messages, standard_streams
from supervisor.logs import log
from supervisor.parent.postmortem import OutOfMemory, PostMortemReader, own_events
from supervisor.parent.process_table import Child, Children, ProcessKind

if TYPE_CHECKING:
    import select
    from collections.abc import Callable

    from supervisor.parent.os_processes import DeadProcess, Kernel
    from supervisor.parent.spawner import Spawner


_EVENTS: tuple[type[messages.FromChildren], ...] = get_args(messages.FromChildren)
"""Types of messages that are events for the core."""


class ChildEvents:
    """Turns messages and deaths of children into events.

    Args:
        children: The processes of this supervisor.
        kernel: Kills a child that sends an invalid message.
        poll: Waits for their channels.
        spawner: Learns from children what later ones need.
        send_pool: Answers a sidecar that asks for the pool.
    """

    def __init__(
        self,
        children: Children,
        kernel: Kernel,
        poll: select.poll,
        spawner: Spawner,
        send_pool: Callable[[Child], None],
    ) -> None:
        self._children = children
        self._kernel = kernel
        self._poll = poll
        self._spawner = spawner
        self._send_pool = send_pool
        self._post_mortems = PostMortemReader(OutOfMemory(own_events()))
        self._early: list[messages.Event] = []  # received while dead processes were reaped
        self._closed: list[Child] = []  # workers whose channels have ended
        self._reaped: dict[int, int] = {}  # pids of the workers whose deaths came last

    def receive(self, child: Child) -> list[messages.Event]:
        """All messages that the child has sent, and its end if it never started."""
        events: list[messages.Event] = []
        try:
            while message := child.channel.receive():
                events += self._events_of(child, message)
        except messages.InvalidMessage as error:
            log.LOGGER.error(
                "%s %s has sent an invalid message and is killed: %s",
                child.kind.value,
                child.key,
                error,
            )
            child.kill(self._kernel.kill_group)
        if child.channel.closed:
            self._poll.unregister(child.channel)
            if child.kind is ProcessKind.WORKER:
                if child.pid is None:
                    events.append(self._never_started(child))
                else:
                    self._closed.append(child)
        return events

    def is_ours(self, pid: int) -> bool:
        """Whether a dead process is one of the children, rather than a stray."""
        if self._children.by_pid(pid) is None:
            unborn = [child for child in self._children if child.pid is None]
            self._early += [event for child in unborn for event in self.receive(child)]
        return self._children.by_pid(pid) is not None

    def take_early(self) -> list[messages.Event]:
        """The events that ``is_ours`` has received, once."""
        early, self._early = self._early, []
        return early

    def settle_deaths(self, dead: list[DeadProcess]) -> list[messages.Event]:
        """The deaths of children among these processes, which then leave the table."""
        self._reaped.clear()
        return [event for process in dead for event in self._settle_death(process)]

    def take_lost_channels(self) -> list[messages.Event]:
        """The workers, once each, whose channels have ended and whose deaths are not settled."""
        closed, self._closed = self._closed, []
        here = (each for each in closed if self._children.get(each.kind, each.key) is each)
        return [messages.ChannelLost(int(each.key)) for each in here]

    def pid_of(self, worker: object) -> int | None:
        """The pid of a worker, for the log; also of one whose death came last."""
        if not isinstance(worker, int):
            return None
        child = self._children.get(ProcessKind.WORKER, worker)
        return child.pid if child else self._reaped.get(worker)

    # --- messages

    def _events_of(self, child: Child, message: messages.ChannelMessage) -> list[messages.Event]:
        if isinstance(message, _EVENTS):
            return self._pass_on(child, message)
        match message:
            case messages.Forked():
                child.set_pid(message.pid)
            case messages.Loaded():
                return [self._generation_ready(int(child.key), message)]
            case messages.LoadFailed():
                child.load_failure = message
            case messages.ForkFailed():
                # No event: the worker's channel went with the request, and its end-of-file follows.
                log.LOGGER.warning("The zygote could not fork: %s", message.why)
            case messages.PoolRequested():
                self._send_pool(child)
            case _:
                log.LOGGER.error(
                    "%s %s has sent a %s, which only the supervisor sends; it is ignored.",
                    child.kind.value,
                    child.key,
                    _kind(message),
                )
        return []

    def _generation_ready(self, generation: int, loaded: messages.Loaded) -> messages.Event:
        if loaded.external_lists:
            log.LOGGER.info(
                "No worker of this supervisor polls %s: external activities need another program.",
                ", ".join(loaded.external_lists),
                extra={"facts": {"generation": generation}},
            )
        for warning in loaded.warnings:
            log.LOGGER.warning("%s", warning)
        self._spawner.learn(loaded)
        release, older, present = self._spawner.release_of(generation)
        return messages.GenerationReady(
            generation,
            loaded.task_lists,
            loaded.external_lists,
            loaded.restart_unset,
            loaded.build,
            release,
            older,
            present,
        )

    def _pass_on(self, child: Child, event: messages.FromChildren) -> list[messages.Event]:
        if getattr(event, "worker", child.key) != child.key:
            log.LOGGER.error(
                "Worker %s has sent a %s for another worker; it is ignored.",
                child.key,
                _kind(event),
            )
            return []
        self._learn(child, event)
        return [event]

    def _learn(self, child: Child, event: messages.FromChildren) -> None:
        match event:
            case messages.Working():
                child.working = True
            case messages.Done():
                child.working = False
            case messages.SidecarReady(endpoint=endpoint) if endpoint:
                log.LOGGER.info("Amazon SWF on this host: %s/", endpoint)
                self._spawner.use_endpoint(endpoint)
            case messages.InstanceKnown(instance=instance):
                log.name_instance(instance.id, instance.zone, instance.life_cycle)
                self._post_mortems.host = instance.id

    # --- deaths

    def _never_started(self, child: Child) -> messages.Event:
        self._children.remove(child)
        return messages.ForkFailed(int(child.key), "it died before it could report its pid")

    def _settle_death(self, dead: DeadProcess) -> list[messages.Event]:
        child = self._children.by_pid(dead.pid)
        if child is None:
            self._spawner.note_stray(dead.pid)
            log.LOGGER.debug("Reaped a stray process.", extra={"facts": {"pid": dead.pid}})
            return []
        if not child.channel.closed:
            self._poll.unregister(child.channel)
        event = self._death(child, dead)
        self._children.remove(child)
        return [event]

    def _death(self, child: Child, dead: DeadProcess) -> messages.Event:
        match child:
            case Child(kind=ProcessKind.WORKER, key=int() as worker):
                self._reaped[worker] = dead.pid
                return messages.Exited(worker, dead.status, self._post_mortems.examine(child, dead))
            case Child(kind=ProcessKind.ZYGOTE, key=int() as generation):
                return _zygote_death(generation, child, self._how_ended(child, dead), dead.status)
            case _:
                if dead.status < 0:  # a killed starter leaves its rows pinned to the terminal
                    standard_streams.free_terminal()
                why = f"the {child.key} {self._how_ended(child, dead)}"
                return messages.SidecarLost(str(child.key), dead.status, why)

    def _how_ended(self, child: Child, dead: DeadProcess) -> str:
        """The end of a zygote or sidecar, as a predicate."""
        out_of_memory = self._post_mortems.is_out_of_memory(child, dead)
        post = messages.PostMortem(core_dumped=dead.core_dumped, out_of_memory=out_of_memory)
        return cause_of(dead.status, post).as_predicate


def _zygote_death(generation: int, zygote: Child, how: str, status: int) -> messages.Event:
    if failure := zygote.load_failure:
        return messages.GenerationLost(generation, failure.why, failure.code)
    why = f"its zygote {how}"
    if status >= 0:
        why = f"its zygote {how}; what it wrote last stands above in the log"
    return messages.GenerationLost(generation, why, exit_codes.GAVE_UP)


def _kind(message: messages.ChannelMessage) -> str:
    """The message's name alone: its content may be a token or a result."""
    return type(message).__name__
