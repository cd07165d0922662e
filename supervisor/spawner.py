"""Makes processes: zygotes, workers, attendants. What the kernel refuses is an event, like a death.

Rules of this file:

1. A new process is told what it is to do and entered in the book at once; from then on its channel
   is heard and its death delivered.
2. A worker is asked of a zygote. Its channel and its will ride on the request.
3. Nothing that fails here raises: it is told to the core, which rests and tries again.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from supervisor import channel, exits, inputs, kernel, messages, will
from supervisor.children import Child, Children, Kind

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from supervisor.settings import Settings

    Spare = tuple[int, socket.socket]


class Spawner:
    """Makes one supervisor's children.

    Args:
        settings: What the children are told.
        children: The book that they are entered in.
        listen: Called with each new child's channel.
        spare: A zygote that is already there, and waits for its first message.
    """

    def __init__(
        self,
        settings: Settings,
        children: Children,
        listen: Callable[[channel.Channel], None],
        spare: Spare | None = None,
    ) -> None:
        self.place = messages.Place(
            region=settings.region,
            profile=settings.profile,
            endpoint_url=settings.endpoint_url,
            local=settings.local,
        )
        self.loaded: messages.Loaded | None = None
        self.presence = ""  # of this supervisor in the spool
        self._settings = settings
        self._children = children
        self._listen = listen
        self._spare = spare
        self._log_style = messages.LogStyle(
            level=settings.log_level, format=settings.log_format, payloads=settings.log_payloads
        )

    def use_endpoint(self, endpoint: str) -> None:
        """The local SWF listens there: whoever starts from now on uses it."""
        self.place = messages.Place(
            region=self.place.region or "us-east-1", endpoint_url=endpoint, local=True
        )

    def start_generation(self, generation: int, settings: Settings) -> messages.Event | None:
        """Start a zygote; returns what went wrong, if anything did."""
        load = messages.Load(
            generation=generation,
            flow=settings.flow,
            domain=settings.domain,
            name=settings.name,
            place=self.place,
            log=self._log_style,
            spool=None if settings.local else settings.spool,  # it would outlive that SWF
            presence=self.presence,
            max_tasks=settings.max_tasks,
            max_memory=None if settings.max_memory is None else int(settings.max_memory),
            sticky=_stickiness(settings),
            core_dumps=settings.core_dumps,
            hand_back=settings.late_tasks == "hand-back",
        )
        try:
            spare, self._spare = self._spare, None
            if spare:
                self._welcome(Kind.ZYGOTE, generation, load, *spare)
            else:
                self._spawn(Kind.ZYGOTE, generation, kernel.ZYGOTE, load)
        except OSError as error:
            why = f"no process for a zygote: {error}"
            return messages.GenerationLost(generation, why, exits.GAVE_UP)
        return None

    def start_attendant(
        self, name: str, lists: tuple[messages.TaskList, ...]
    ) -> messages.Event | None:
        """Start an attendant; returns what went wrong, if anything did."""
        loaded = self.loaded
        attend = messages.Attend(
            name=name,
            place=self.place,
            log=self._log_style,
            domain=loaded.domain if loaded else "",
            flow_name=loaded.flow_name if loaded else "",
            flow_version=loaded.flow_version if loaded else "",
            flow_tags=loaded.flow_tags if loaded else (),
            flow_priority=loaded.flow_priority if loaded else None,
            live=self._settings.once,
            ec2=_ec2(self._settings) if name == "ec2" else None,
            lists=lists,
            interval=self._settings.scale_interval,
        )
        try:
            with inputs.written(self._settings.start) as descriptor:
                module = f"supervisor.attendants.{name}"
                self._spawn(Kind.ATTENDANT, name, module, attend, descriptor)
        except OSError as error:
            why = f"no process for the {name}: {error}"
            return messages.AttendantLost(name, exits.GAVE_UP, why)
        return None

    def fork(self, fork: messages.Fork) -> messages.Event | None:
        """Ask the generation's zygote for a worker; returns what went wrong, if anything did."""
        zygote = self._children.get(Kind.ZYGOTE, fork.generation)
        if zygote is None:
            why = f"generation {fork.generation} has no zygote"
            return messages.ForkFailed(fork.worker, why)
        try:
            self._ask(zygote, fork)
        except (channel.ChannelClosed, channel.ChannelFull) as error:
            why = f"the zygote of generation {fork.generation} does not listen: {error}"
            return messages.ForkFailed(fork.worker, why)
        except OSError as error:
            return messages.ForkFailed(fork.worker, f"no channel for a worker: {error}")
        return None

    def _ask(self, zygote: Child, fork: messages.Fork) -> None:
        with contextlib.ExitStack() as undo:
            ours, theirs = channel.pair()
            undo.callback(ours.close)
            with contextlib.closing(theirs):
                left = will.make()
                undo.callback(os.close, left)
                zygote.channel.say(fork, theirs.fileno(), left)
            undo.pop_all()
        self._add(Child(Kind.WORKER, fork.worker, ours, will=left))

    def _spawn(
        self, kind: Kind, key: int | str, module: str, first: messages.Said, *descriptors: int
    ) -> None:
        pid, end = kernel.spawn(module)
        self._welcome(kind, key, first, pid, end, *descriptors)

    def _welcome(
        self,
        kind: Kind,
        key: int | str,
        first: messages.Said,
        pid: int,
        end: socket.socket,
        *descriptors: int,
    ) -> None:
        """Tell a new process what it is to do, and enter it in the book."""
        ours = channel.Channel(end)
        try:
            with contextlib.suppress(channel.ChannelClosed):  # its death says so in the next turn
                ours.say(first, *descriptors)
        except OSError:
            ours.close()  # which ends it: it has been told nothing
            raise
        self._add(Child(kind, key, ours, pid))

    def _add(self, child: Child) -> None:
        self._children.add(child)
        self._listen(child.channel)


def _stickiness(settings: Settings) -> messages.Stickiness | None:
    if settings.no_sticky:
        return None
    return messages.Stickiness(
        settings.sticky_schedule_to_start, settings.sticky_executions, settings.sticky_check
    )


def _ec2(settings: Settings) -> messages.Ec2:
    return messages.Ec2(
        interval=settings.notice_interval,
        margin=settings.notice_margin,
        maintenance_lead=settings.maintenance_lead,
        token_ttl=settings.metadata_token_ttl,
        drain_on_rebalance=settings.on_rebalance == "drain",
        protect_busy=settings.protect_busy,
        group=settings.asg_group,
        hook=settings.asg_hook,
    )
