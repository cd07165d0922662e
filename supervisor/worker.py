"""Inside the fork: one task list, served by the documented loop, or one errand.

Rules of this file:

1. The loop is poll, execute, heartbeat, complete; garcon does each step. Between the steps the
   supervisor is told what this process holds, before anything can happen to it.
2. SIGTERM means: leave when nothing is in hand. Open polls are waited for, because SWF may hand
   a task to a poller that has just gone, and that task would be lost until it times out.
3. A lost supervisor is a reason to leave, not to die: the task in hand is finished first.
4. A poll that fails is trouble that passes: rest, longer each time, and poll again.
5. What the last poll of a leaving worker brings is done like any task, or where the settings say so
   handed back unbegun.
6. What must outlive this process is written down before SWF hears it (``will``, ``spool``): that
   the task is begun, and its answer. It is struck out when SWF has accepted the answer.
"""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from setproctitle import setproctitle

from garcon import client, limits
from supervisor import hands, kernel, log, messages, redaction, registrar, reporter, tee
from supervisor.histories import Histories
from supervisor.leaving import Leaving, hold_back
from supervisor.outage import Outage, voices
from supervisor.share import Share
from supervisor.spool import Owner, Spool

if TYPE_CHECKING:
    from supervisor.channel import Channel
    from supervisor.flow import Flow
    from supervisor.outage import Voice
    from supervisor.will import Will


@dataclass(frozen=True)
class Estate:
    """What a zygote leaves to all of its workers.

    Attributes:
        flow: The flow, as it was imported.
        load: What the supervisor told the zygote.
        voices: Who of a task list's workers speaks of an outage, by the list's name.
    """

    flow: Flow
    load: messages.Load
    voices: dict[str, Voice]


def estate(flow: Flow, load: messages.Load) -> Estate:
    """To be made before any fork: its memory is shared."""
    names = [each.name for each in flow.task_lists]
    return Estate(flow, load, voices([*names, reporter.REPORTS]))


def run(estate: Estate, fork: messages.Fork, channel: Channel, will: Will) -> int:
    """Do the job that the process was forked for; returns its exit code."""
    # Before the supervisor knows the pid: it may ask for the stacks, and to leave, from then on.
    hold_back()
    faulthandler.enable(will.descriptor)
    faulthandler.register(kernel.STACKS_SIGNAL, will.descriptor)
    channel.say(messages.Forked(fork.worker, os.getpid()))
    tee.install(will.note)
    if fork.instance:
        log.stand_on(fork.instance)
    _settle_in()
    with Leaving(channel) as leaving:
        match fork.job:
            case messages.Serve(seat=seat):
                return _Server(estate, fork, seat, leaving, will).serve()
            case messages.Register(types=types):
                return registrar.register(estate.flow, fork.worker, leaving, types=types)
            case messages.Replay(histories=histories):
                from supervisor import replayer  # noqa: PLC0415 - a part that few flows use

                return replayer.replay(estate.flow, fork.worker, leaving, Histories(histories))
            case messages.Report() as report:
                return reporter.report(estate, report, fork.worker, leaving)


def _settle_in() -> None:
    """Become a process of one's own: group, signals."""
    os.setpgid(0, 0)  # Ctrl-C reaches the supervisor alone, and a kill takes the task's children
    for each in kernel.HEARD:
        signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a lost terminal is the supervisor's business


class _Server:
    """Serves one seat until it is asked to leave."""

    def __init__(
        self,
        estate: Estate,
        fork: messages.Fork,
        seat: messages.Seat,
        leaving: Leaving,
        will: Will,
    ) -> None:
        flow, load, name, role = estate.flow, estate.load, seat.task_list.name, seat.task_list.role
        dice = random.Random()
        self._worker = fork.worker
        self._leaving = leaving
        self._will = will
        self._shows_payloads = load.log.payloads
        self._spool = Spool(load.spool, Owner(load.flow, load.place), role, load.presence)
        self._share = Share(load.max_tasks, load.max_memory, dice)
        self._hands = hands.for_list(flow, seat.task_list, load.sticky, self)
        self._what = f"garcon: {role} {flow.name} {name}"
        self._where = f"{flow.domain}/{name}"
        self._outage = Outage(dice, estate.voices[name])
        self._hands_back = load.hand_back
        self._identity = identity(role, fork.instance)
        log.standing.update(
            seat=f"{name}/{seat.index}", worker=fork.worker, pid=os.getpid(), task_list=name
        )

    def serve(self) -> int:
        work: hands.Work | None = None
        while not self._leaving.asked:
            self._title("polling")
            if work is None:  # after a task, ``Done`` has said that the next poll follows
                self._leaving.say(messages.Polling(self._worker))
            work = self._poll()
            if work is not None:
                self._perform(work)
        self._title("polling")
        for last in self._hands.leave(self._identity, self._leaving.seconds):
            self._perform(last)
        return 0

    def _poll(self) -> hands.Work | None:
        try:
            work = self._hands.poll(self._identity)
        except client.ERRORS as error:
            self._rest(error)
            return None
        self._recovered()
        return work

    def _perform(self, work: hands.Work) -> None:
        task = work.task
        self._leaving.say(messages.Working(self._worker, task))
        self._spool.take(task)
        self._title(f"working {task.activity_id or 'decision'} of {task.workflow_id}")
        facts = {
            "workflow_id": task.workflow_id,
            "run_id": task.run_id,
            "activity_id": task.activity_id,
        }
        log.standing.update(facts)
        result = self._do(work)
        for each in facts:
            del log.standing[each]
        self._spool.done()
        self._leaving.say(messages.Done(self._worker, result))
        self._will.settle()
        if why := self._share.spent():
            self._leaving.say(messages.Tired(self._worker, why))

    def _do(self, work: hands.Work) -> messages.Result:
        if self._hands_back and self._leaving.asked and work.hand_back:
            return work.hand_back(self)
        self._will.begin()
        self._show("Input", work.given)
        return work.perform(self)

    def keep(self, answer: messages.Answer) -> None:
        """Write the answer down, before SWF hears it."""
        if isinstance(answer, messages.Complete):
            self._show("Result", answer.result)
        self._will.bequeath(msgspec.json.encode(answer))
        self._spool.keep(answer)

    def let_go(self, why: messages.Staleness) -> None:
        """Tell the supervisor that SWF no longer wants the task."""
        self._leaving.say(messages.Stale(self._worker, why))

    def expect(self, place: int, task: messages.Task) -> None:
        """Write down that this task waits here, and rest no longer."""
        self._will.expect(place, msgspec.json.encode(task))
        self._leaving.wake()

    def take_up(self, place: int) -> None:
        """The supervisor knows of the task that waited there."""
        self._will.take_up(place)

    @property
    def leaves(self) -> bool:
        """Whether this process was asked to leave."""
        return self._leaving.asked

    def _show(self, what: str, payload: str | None) -> None:
        if self._shows_payloads and payload is not None:
            log.LOGGER.info("%s: %s", what, redaction.payload(payload))

    def _title(self, state: str) -> None:
        setproctitle(f"{self._what} {'leaving, ' if self._leaving.asked else ''}{state}")

    def _rest(self, error: Exception) -> None:
        seconds, speak = self._outage.failed(time.monotonic())
        if speak:
            trouble = client.explain(error, f"polling {self._where}")
            log.LOGGER.warning("%s Trying again until it passes.", trouble.sentence)
        self._title("resting: SWF does not answer")
        self._leaving.rest(seconds)

    def _recovered(self) -> None:
        lasted = self._outage.over(time.monotonic())
        if lasted is not None:
            log.LOGGER.warning("Polling %s works again, after %.1f s.", self._where, lasted)


def identity(role: str, instance: messages.Instance | None) -> str:
    """What SWF records about who took a task: host, pid and role.

    The host is its name, or on EC2 ``instance id/zone/life cycle``, as far as known.
    """
    host = socket.gethostname()
    if instance:
        known = (instance.id, instance.zone, instance.life_cycle)
        host = "/".join(each for each in known if each)
    return f"{host}:{os.getpid()}:{role}"[: limits.IDENTITY]
