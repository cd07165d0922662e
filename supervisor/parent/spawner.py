"""Starts of processes: zygotes, workers, sidecars.

Rules of this file:

1. A new process gets its first message and its entry in the process table at once. From then on its
   channel is read, and its death is settled.
2. A worker is forked by its generation's zygote. Its channel and its crash record travel with the
   request. A sidecar has a crash record, too, for what it counts.
3. What the kernel refuses becomes an event for the core, like a death: the core backs off and tries
   again. A zygote whose channel is full is not a failure: the request is made again later.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor import __version__, exit_codes
from supervisor.config import releases
from supervisor.config.settings import SettingsError
from supervisor.core.pools.pool_settings import pool_sizes
from supervisor.ipc import channel, crash_record, messages, start_inputs
from supervisor.ipc.messages import RETIRED
from supervisor.logs import log
from supervisor.parent import retired_command
from supervisor.parent.orphaned_lists import ListNotes
from supervisor.parent.os_processes import ZYGOTE, environment_of_children
from supervisor.parent.process_table import Child, Children, ProcessKind

if TYPE_CHECKING:
    import socket

    from supervisor.config.releases import Releases
    from supervisor.config.settings import Settings
    from supervisor.ipc import spool
    from supervisor.parent.os_processes import Kernel
    from supervisor.parent.spool_recovery import SupervisorLock

    SpareZygote = tuple[int, socket.socket]


OTHER_DESCRIPTORS = 64
"""Descriptors of the supervisor besides two a worker: zygotes, sidecars, clients, modules."""


class Spawner:
    """Starts the children of one supervisor.

    Args:
        settings: Of this supervisor.
        children: The process table.
        kernel: Spawns processes.
        poll: Waits for the channels of children.
        spare: A zygote that was started ahead and waits for its first message.
    """

    def __init__(
        self,
        settings: Settings,
        children: Children,
        kernel: Kernel,
        poll: select.poll,
        spare: SpareZygote | None = None,
    ) -> None:
        self.swf = messages.SwfEndpoint(
            region=settings.region,
            profile=settings.profile,
            endpoint_url=settings.endpoint_url,
            local=settings.local,
        )
        self.loaded: messages.Loaded | None = None
        # Random, not only the pid: containers and hosts reuse those. And not the same for the next
        # supervisor: orphans of this one may still poll their lists.
        self._private_lists = f"{os.getpid()}-{os.urandom(6).hex()}"
        self.supervisor_lock = ""  # name of its lock file in the spool
        self._list_notes: ListNotes | None = None
        self.control_path = ""  # of the control socket
        self.settings = settings  # those that hold now
        self._releases: dict[int, Releases] = {}  # by generation
        self._children = children
        self._kernel = kernel
        self._poll = poll
        self._spare = spare
        self._log_style = messages.LogSettings(
            level=settings.log_level, format=settings.log_format, payloads=settings.log_payloads
        )

    def note_lists(self, lock: SupervisorLock, owner: spool.Owner) -> None:
        """Name this lock file in every task's file, and note the deciders' private lists in it."""
        self.supervisor_lock = lock.file.name
        self._list_notes = ListNotes(lock.descriptor, owner, self._private_lists)

    def learn(self, loaded: messages.Loaded) -> None:
        """Keep what later children need of the flow, and warn of a pool that cannot be forked."""
        self.loaded = loaded
        with contextlib.suppress(SettingsError):  # the core refuses it
            workers = sum(pool_sizes(self.settings, loaded.task_lists).values())
            needed = 2 * (workers + self.settings.surge.of(workers)) + OTHER_DESCRIPTORS
            limit = self._kernel.descriptor_limit()
            if needed > limit:
                log.LOGGER.error(
                    "%d workers and their replacements need about %d descriptors, and this process"
                    " may have %d. Raise its hard limit (systemd: LimitNOFILE=, docker: --ulimit"
                    " nofile=), or run fewer workers.",
                    *(workers, needed, limit),
                )

    def note_stray(self, pid: int) -> None:
        """A process outside of the table has died; the spare zygote may, before it is used."""
        if self._spare and self._spare[0] == pid:
            self._spare[1].close()
            self._spare = None  # the next start spawns one, and its death is a child's

    def use_endpoint(self, endpoint: str) -> None:
        """Send children that start from now on to the local SWF at this URL."""
        self.swf = messages.SwfEndpoint(
            region=self.swf.region or "us-east-1", endpoint_url=endpoint, local=True
        )

    def start_generation(self, generation: int, settings: Settings) -> messages.Event | None:
        """Start a zygote; returns the failure, if any."""
        try:
            folder = self._folder(generation, settings)
        except SettingsError as error:
            return messages.GenerationLost(generation, str(error), exit_codes.USAGE)
        load = self._load(generation, settings, folder)
        python = releases.python_of(folder)
        try:
            spare, self._spare = self._spare, None
            if spare and python == sys.executable:
                self._enter(ProcessKind.ZYGOTE, generation, load, *spare)
                return None
            if spare:
                spare[1].close()  # which ends it
            spawned = self._kernel.spawn(ZYGOTE, python=python)
            self._enter(ProcessKind.ZYGOTE, generation, load, *spawned)
        except OSError as error:
            why = f"its zygote could not be started: {error}"
            return messages.GenerationLost(generation, why, exit_codes.GAVE_UP)
        return None

    def _folder(self, generation: int, settings: Settings) -> str | None:
        """The folder of the generation's code; raises ``SettingsError``."""
        if not settings.releases:
            return settings.folder
        found = releases.find(settings.releases)
        self._releases[generation] = found
        return str(found.serving)

    def release_of(self, generation: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """The names of the generation's release, of the older ones, and of all."""
        if found := self._releases.get(generation):
            return found.serving.name, tuple(each.name for each in found.older), found.names
        return "", (), ()

    def _load(self, generation: int, settings: Settings, folder: str | None) -> messages.Load:
        return messages.Load(
            generation=generation,
            flow=settings.flow,
            domain=settings.domain,
            name=settings.name,
            swf=self.swf,
            log=self._log_style,
            spool=_spool(settings),
            supervisor_lock=self.supervisor_lock,
            max_tasks=settings.max_tasks,
            max_memory=None if settings.max_memory is None else int(settings.max_memory),
            sticky=_sticky_settings(settings),
            private_lists=self._private_lists,
            claims=settings.claims,
            core_dumps=settings.core_dumps,
            register_domain=settings.register_domain,
            return_task=settings.on_late_task == "return",
            build=None if settings.build is None else str(settings.build),
            otel=settings.otel,
            retired=settings.retired,
            folder=folder,
            version=__version__,
        )

    def start_sidecar(
        self, name: str, lists: tuple[messages.TaskList, ...], hosts: int = 1
    ) -> messages.Event | None:
        """Start a sidecar; returns the failure, if any."""
        if name.startswith(RETIRED):
            return self._start_retired(name, lists)
        loaded = self.loaded
        order = messages.RunSidecar(
            name=name,
            swf=self.swf,
            log=self._log_style,
            domain=loaded.domain if loaded else "",
            flow_name=loaded.flow_name if loaded else self.settings.name or self.settings.flow,
            flow_version=loaded.flow_version if loaded else "",
            flow_tags=loaded.flow_tags if loaded else (),
            flow_priority=loaded.flow_priority if loaded else None,
            live=self.settings.once,
            ec2=_ec2_settings(self.settings) if name == "ec2" else None,
            sample=_sample_settings(self.settings) if name == "sampler" else None,
            lists=lists,
            interval=self.settings.scale_interval,
            hosts=hosts,
            http=str(self.settings.http or ""),
            http_actions=self.settings.http_actions,
            emf=self.settings.emf or "",
            spool=_spool(self.settings),
            control=self.control_path,
        )
        try:
            with start_inputs.written(self.settings.start) as inputs:
                self._spawn_sidecar(order, inputs)
        except OSError as error:
            why = f"the {name} could not be started: {error}"
            return messages.SidecarLost(name, exit_codes.GAVE_UP, why)
        return None

    def _start_retired(
        self, name: str, served: tuple[messages.TaskList, ...]
    ) -> messages.Event | None:
        """Start a kept release, with its own interpreter if it has one."""
        settings = self.settings
        folder = Path(str(settings.releases)) / name.removeprefix(RETIRED)
        try:
            pid, end = self._kernel.spawn(
                "supervisor",
                *retired_command.words(settings, folder, served),
                python=releases.python_of(folder),
                variables=retired_command.variables(
                    settings, self.swf, name, environment_of_children(os.environ)
                ),
            )
        except OSError as error:
            return messages.SidecarLost(name, exit_codes.GAVE_UP, f"not started: {error}")
        self._add(Child(ProcessKind.SIDECAR, name, channel.Channel(end), pid))
        return None

    def fork(self, fork: messages.Fork) -> messages.Event | None:
        """Ask the generation's zygote to fork a worker; returns the failure, if any.

        Raises ``ChannelFull`` if the zygote has not read its last requests yet.
        """
        zygote = self._children.get(ProcessKind.ZYGOTE, fork.generation)
        if zygote is None:
            why = f"generation {fork.generation} has no zygote"
            return messages.ForkFailed(fork.worker, why)
        try:
            self._request_fork(zygote, fork)
        except channel.ChannelFull:
            raise
        except channel.ChannelClosed as error:
            why = f"the zygote of generation {fork.generation} does not answer: {error}"
            return messages.ForkFailed(fork.worker, why)
        except OSError as error:
            return messages.ForkFailed(fork.worker, f"no descriptors for a worker: {error}")
        return None

    def _request_fork(self, zygote: Child, fork: messages.Fork) -> None:
        with contextlib.ExitStack() as undo:
            ours, theirs = channel.pair()
            undo.callback(ours.close)
            # The worker's end is closed here once it is sent. So the channel's end-of-file means
            # that the worker has died, or the zygote before it could fork.
            with contextlib.closing(theirs):
                record = crash_record.make()
                undo.callback(os.close, record)
                zygote.channel.send(fork, theirs.fileno(), record)
                if self._list_notes:
                    self._list_notes.note(fork)
            undo.pop_all()
        self._add(Child(ProcessKind.WORKER, fork.worker, ours, crash_record=record))

    def _spawn_sidecar(self, order: messages.RunSidecar, inputs: int) -> None:
        with contextlib.ExitStack() as undo:
            record = crash_record.make()
            undo.callback(os.close, record)
            pid, end = self._kernel.spawn(f"supervisor.sidecars.{order.name}")
            child = self._enter(ProcessKind.SIDECAR, order.name, order, pid, end, inputs, record)
            child.crash_record = record
            undo.pop_all()

    def _enter(
        self,
        kind: ProcessKind,
        key: int | str,
        first: messages.ChannelMessage,
        pid: int,
        end: socket.socket,
        *descriptors: int,
    ) -> Child:
        """Send a new process its first message, and enter it in the process table."""
        ours = channel.Channel(end)
        try:
            with contextlib.suppress(channel.ChannelClosed):  # it is reaped in the next turn
                ours.send(first, *descriptors)
        except OSError:
            ours.close()  # it ends: its channel has ended before the first message
            raise
        return self._add(Child(kind, key, ours, pid))

    def _add(self, child: Child) -> Child:
        self._children.add(child)
        self._poll.register(child.channel, select.POLLIN)
        return child


def _spool(settings: Settings) -> str | None:
    return None if settings.local else settings.spool  # tokens end with the local SWF


def _sample_settings(settings: Settings) -> messages.SampleSettings:
    return messages.SampleSettings(
        executions=settings.sample_executions,
        interval=settings.sample_interval,
        waiting=settings.sample_waiting,
        quiet=settings.sample_quiet,
    )


def _sticky_settings(settings: Settings) -> messages.StickySettings | None:
    if not settings.sticky:
        return None
    return messages.StickySettings(
        settings.sticky_schedule_to_start, settings.sticky_executions, settings.sticky_check_ratio
    )


def _ec2_settings(settings: Settings) -> messages.Ec2Settings:
    return messages.Ec2Settings(
        interval=settings.notice_interval,
        margin=settings.notice_margin,
        maintenance_lead=settings.maintenance_lead,
        token_ttl=settings.metadata_token_ttl,
        drain_on_rebalance=settings.on_rebalance == "drain",
        protect_busy=settings.protect_busy,
        group=settings.asg_group,
        hook=settings.asg_hook,
        launch_hook=settings.asg_launch_hook,
        count_group=bool(settings.scale) and not settings.hosts,
    )
