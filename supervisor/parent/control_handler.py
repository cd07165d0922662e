"""Requests over the control socket, answered: events for the core, the status, stacks and the log.

Rules of this file:

1. Before anything happens, the core says whether a request can be served. The reply consists of the
   log entries that the core writes meanwhile.
2. People name workers by pid, the core by number; the process table maps one to the other.
3. A worker writes its stacks itself, into its crash record. Nothing here waits for it: the client
   asks again until the stacks are complete.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from supervisor.config.settings import SettingsError
from supervisor.ipc import crash_record, messages
from supervisor.ipc.messages import control_protocol
from supervisor.ipc.messages.tallies import Counted
from supervisor.parent.process_table import ProcessKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.core import Core
    from supervisor.ipc.messages.tallies import Tallies
    from supervisor.parent.action_runner import ActionRunner
    from supervisor.parent.control_socket import Client
    from supervisor.parent.note_log import NoteLog
    from supervisor.parent.process_table import Child, Children


class ControlHandler:
    """Answers requests.

    Args:
        core: Decides.
        children: The processes of this supervisor.
        actions: Carries out what the core decides.
        notes: Recent log entries.
        restart: A restart with the settings as they are now; may raise ``SettingsError``.
    """

    def __init__(
        self,
        core: Core,
        children: Children,
        actions: ActionRunner,
        notes: NoteLog,
        restart: Callable[[str], messages.RestartRequested],
    ) -> None:
        self._core = core
        self._children = children
        self._actions = actions
        self._notes = notes
        self._restart = restart

    def answer(
        self,
        client: Client,
        request: control_protocol.Request | control_protocol.RefusedReply,
        now: float,
    ) -> control_protocol.Reply:
        """Do what the client requests; returns the reply to it."""
        match request:
            case control_protocol.RefusedReply():
                return request
            case control_protocol.StatusRequest():
                return control_protocol.StatusReply(status=self._status(now))
            case control_protocol.MetricsRequest():
                return control_protocol.MetricsReply(
                    status=self._status(now), tallies=self._tallies()
                )
            case control_protocol.StacksRequest(pid=pid, read=read):
                return self._stacks(pid, read=read)
            case control_protocol.LogsRequest(follow=follow):
                self._notes.send_kept(client)
                client.follows = follow
                return control_protocol.DoneReply()
            case _:
                return self._change(request, f"requested by {_user(client.uid)}", now)

    # --- changes

    def _change(
        self, request: control_protocol.Request, why: str, now: float
    ) -> control_protocol.Reply:
        if isinstance(request, control_protocol.RecycleRequest):
            return self._recycle(request.pid, why, now)
        try:
            event = self._event(request, why)
        except SettingsError as error:
            return control_protocol.RefusedReply(why=f"No restart: {error}")
        return self._carry_out(event, now)

    def _recycle(self, pid: int, why: str, now: float) -> control_protocol.Reply:
        child = self._children.by_pid(pid)
        if child is None or child.kind is not ProcessKind.WORKER:
            return _no_worker(pid)
        reply = self._carry_out(messages.WantsReplacement(int(child.key), why), now)
        if isinstance(reply, control_protocol.RefusedReply):
            return reply
        text = f"Worker {child.key} finishes its task and leaves once its replacement is ready."
        return control_protocol.DoneReply(text=text)

    def _carry_out(self, event: messages.Event, now: float) -> control_protocol.Reply:
        if refusal := self._core.refusal(event):
            return control_protocol.RefusedReply(why=refusal)
        generation = self._core.coming_generation
        actions = self._core.handle(event, now)
        self._actions.carry_out(actions)
        return _done(event, actions, generation)

    def _event(self, request: control_protocol.Request, why: str) -> messages.Event:
        match request:
            case control_protocol.ScaleRequest(list=name, size=size, by=by):
                return messages.ScaleRequested(why, name, size, by or 0)
            case control_protocol.QuietRequest(list=name):
                return messages.QuietRequested(why, name)
            case control_protocol.ResumeRequest(list=name):
                return messages.ResumeRequested(why, name)
            case control_protocol.DrainRequest():
                return messages.DrainRequested(why)
            case control_protocol.StopRequest():
                return messages.StopRequested(why)
            case _:
                return self._restart(why)

    # --- status

    def _status(self, now: float) -> messages.Status:
        """The core's status, with the pids that the core does not know."""
        status = self._core.status(now)
        pids = {(child.kind, child.key): child.pid for child in self._children}
        replace = msgspec.structs.replace
        return replace(
            status,
            pid=os.getpid(),
            workers=tuple(
                replace(each, pid=pids.get((ProcessKind.WORKER, each.worker)))
                for each in status.workers
            ),
            generations=tuple(
                replace(each, pid=pids.get((ProcessKind.ZYGOTE, each.generation)))
                for each in status.generations
            ),
            sidecars=tuple(
                replace(each, pid=pids.get((ProcessKind.SIDECAR, each.name)))
                for each in status.sidecars
            ),
        )

    def _tallies(self) -> Tallies:
        """The counts of the core, and those of the children."""
        counters = (Counted(*each) for each in self._children.counters().items())
        return msgspec.structs.replace(self._core.tallies(), counters=tuple(counters))

    # --- stacks

    def _stacks(self, pid: int, *, read: bool) -> control_protocol.Reply:
        child = self._children.by_pid(pid)
        is_worker = child is not None and child.kind is ProcessKind.WORKER
        if child is None or child.crash_record is None or not is_worker:
            return _no_worker(pid)
        try:
            return (
                _read_stacks(child, child.crash_record)
                if read
                else self._request_stacks(child, child.crash_record)
            )
        except OSError as error:
            return control_protocol.RefusedReply(
                why=f"The stacks of {pid} cannot be read: {error.strerror}."
            )

    def _request_stacks(self, child: Child, descriptor: int) -> control_protocol.Reply:
        crash_record.clear_stacks(descriptor)
        child.stacks = ()
        self._actions.carry_out([messages.DumpStacks(int(child.key))])
        return control_protocol.DoneReply(text=f"Worker {child.key} is asked for its stacks.")


def _no_worker(pid: int) -> control_protocol.RefusedReply:
    return control_protocol.RefusedReply(
        why=f"No worker of this supervisor has pid {pid}: run 'status' to list them."
    )


def _user(uid: int) -> str:
    return "uid 0 (root)" if uid == 0 else f"uid {uid}"


def _done(
    event: messages.Event, actions: list[messages.Action], generation: int
) -> control_protocol.DoneReply:
    notes = [action for action in actions if isinstance(action, messages.Note)]
    lists = {str(note.facts["task_list"]) for note in notes if "task_list" in note.facts}
    return control_protocol.DoneReply(
        text=" ".join(note.text for note in notes) or "That changes nothing.",
        generation=generation if isinstance(event, messages.RestartRequested) else None,
        lists=tuple(sorted(lists)),
    )


def _read_stacks(child: Child, descriptor: int) -> control_protocol.Reply:
    """The stacks written so far: complete, if they are the same as at the last request."""
    lines = crash_record.read(descriptor).stacks
    is_complete = bool(lines) and lines == child.stacks
    child.stacks = lines
    if is_complete:
        crash_record.clear_stacks(descriptor)
    return control_protocol.StacksReply(lines=lines, is_complete=is_complete)
