"""Serves what is asked over the control socket: requests become events, answers what came of them.

Rules of this file:

1. Whether a request can be served is the core's to say, before anything happens. What it answers
   with are the notes that the core wrote meanwhile.
2. The core knows workers by number, people by pid: here the two meet.
3. Stacks are written by the worker itself when it is asked for them, into its will. Nobody waits
   for that here: who asks comes back to read.
4. The notes of late are kept, as many as fit, for those who begin to follow.
"""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from supervisor import kernel, messages, will
from supervisor.children import Kind
from supervisor.messages import asks
from supervisor.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.children import Child, Children
    from supervisor.control import Client, Control
    from supervisor.core import Core

KEPT = 200
"""Notes: the last deploy and what led to it, and less than a client may leave unread."""


class Desk:
    """Answers people.

    Args:
        core: Who decides.
        children: Who is behind which pid.
        control: Whom to answer to.
        perform: Carries out what the core wishes.
        restart: The wish to restart, with the settings as they are now.
    """

    def __init__(
        self,
        core: Core,
        children: Children,
        control: Control,
        perform: Callable[[list[messages.Action]], None],
        restart: Callable[[str], messages.RestartAsked],
    ) -> None:
        self._core = core
        self._children = children
        self._control = control
        self._perform = perform
        self._restart = restart
        self._notes: deque[asks.Told] = deque(maxlen=KEPT)

    def note(self, note: messages.Note, pid: int | None) -> None:
        """Keep a note, and tell it those who follow."""
        facts = {**note.facts, "pid": pid} if pid else note.facts
        told = asks.Told(
            time=time.time(),
            level=note.level.name.lower(),
            event=note.event,
            text=note.text,
            facts={key: value for key, value in facts.items() if value is not None},
        )
        self._notes.append(told)
        self._control.tell(told)

    def serve(self, client: Client, ask: asks.Ask | asks.Refused, now: float) -> None:
        """Do what is asked for, and answer."""
        match ask:
            case asks.Refused():
                self._control.say(client, ask)
            case asks.AskStatus():
                self._control.say(client, asks.Picture(status=self._status(now)))
            case asks.AskStacks(pid=pid, read=read):
                self._control.say(client, self._stacks(pid, read=read))
            case asks.AskLogs(follow=follow):
                self._tell_notes(client, follow=follow)
            case _:
                why = f"asked for by user {client.user}"
                self._control.say(client, self._change(ask, why, now))

    # --- changing

    def _change(self, ask: asks.Ask, why: str, now: float) -> asks.Answer:
        try:
            event = self._event(ask, why)
        except SettingsError as error:
            return asks.Refused(why=f"No restart: {error}")
        if refusal := self._core.refusal(event):
            return asks.Refused(why=refusal)
        generation = self._core.coming_generation
        actions = self._core.handle(event, now)
        self._perform(actions)
        return _done(event, actions, generation)

    def _event(self, ask: asks.Ask, why: str) -> messages.Event:
        """What the core is told."""
        match ask:
            case asks.AskScale(list=name, size=size, by=by):
                return messages.ScaleAsked(why, name, size, by or 0)
            case asks.AskQuiet(list=name):
                return messages.QuietAsked(why, name)
            case asks.AskResume(list=name):
                return messages.ResumeAsked(why, name)
            case asks.AskDrain():
                return messages.DrainAsked(why)
            case asks.AskStop():
                return messages.StopAsked(why)
            case _:
                return self._restart(why)

    # --- looking

    def _status(self, now: float) -> messages.Status:
        status = self._core.status(now)
        pids = {(each.kind, each.key): each.pid for each in self._children}
        return msgspec.structs.replace(
            status,
            pid=os.getpid(),
            workers=tuple(
                msgspec.structs.replace(each, pid=pids.get((Kind.WORKER, each.worker)))
                for each in status.workers
            ),
            generations=tuple(
                msgspec.structs.replace(each, pid=pids.get((Kind.ZYGOTE, each.generation)))
                for each in status.generations
            ),
            attendants=tuple(
                msgspec.structs.replace(each, pid=pids.get((Kind.ATTENDANT, each.name)))
                for each in status.attendants
            ),
        )

    def _stacks(self, pid: int, *, read: bool) -> asks.Answer:
        child = self._children.by_pid(pid)
        if child is None or child.kind is not Kind.WORKER or child.will is None:
            return asks.Refused(why=f"{pid} is no worker of this supervisor: see 'status'.")
        try:
            return _read_stacks(child, child.will) if read else _ask_for_stacks(child, child.will)
        except OSError as error:
            return asks.Refused(why=f"What {pid} writes cannot be read: {error.strerror}.")

    def _tell_notes(self, client: Client, *, follow: bool) -> None:
        for told in self._notes:
            self._control.say(client, told)
        client.follows = follow
        self._control.say(client, asks.Done())


def _done(event: messages.Event, actions: list[messages.Action], generation: int) -> asks.Done:
    notes = [each for each in actions if isinstance(each, messages.Note)]
    lists = {str(each.facts["task_list"]) for each in notes if "task_list" in each.facts}
    return asks.Done(
        text=" ".join(each.text for each in notes) or "Nothing is changed by that.",
        generation=generation if isinstance(event, messages.RestartAsked) else None,
        lists=tuple(sorted(lists)),
    )


def _ask_for_stacks(child: Child, descriptor: int) -> asks.Answer:
    will.clear_stacks(descriptor)
    child.stacks = ()
    child.signal(kernel.dump_stacks)
    return asks.Done(text=f"Worker {child.key} is asked where it is.")


def _read_stacks(child: Child, descriptor: int) -> asks.Answer:
    """What it has written; if it is as much as before, that is all, and room is made again."""
    lines = will.read(descriptor).stacks
    is_whole = bool(lines) and lines == child.stacks
    child.stacks = lines
    if is_whole:
        will.clear_stacks(descriptor)
    return asks.Stacks(lines=lines, is_whole=is_whole)
