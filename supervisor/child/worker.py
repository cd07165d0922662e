"""The worker's loop: polls one task list and executes its tasks until it is asked to leave.

Rules:

1. The loop is poll, execute, heartbeat, complete; garcon does each step. Between the steps the
   worker reports to the supervisor which task is in progress, before anything can happen to it.
2. A worker that is asked to leave finishes its task and waits for its open polls: SWF may give a
   task to a poller that has just gone, and that task would be lost until it times out.
3. The loss of the supervisor is a reason to leave, not to die: the task is finished first. Such an
   orphan begins no further poll. What its open polls bring is returned, for it has no supervisor.
4. On a list with permits a worker parks before it polls, until it has a permit. It keeps it as long
   as its polls bring tasks and the supervisor does not withdraw it. Without permits a failed poll
   is followed by a wait, a longer one after each failure, and by another poll.
5. A task that the last poll of a leaving worker brings is executed like any other, or returned
   unstarted where the settings say so. Code that failed, or has to stop, returns decisions as well.
6. What must outlive the process goes to the crash record and the spool first: that the task has
   started, and its answer. Both are cleared when SWF has accepted the answer.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import msgspec
from setproctitle import setproctitle

from garcon import client, decider
from garcon.aws import limits
from garcon.decider.sticky.stickiness import Sticky, private_list
from supervisor.child import task_source
from supervisor.child.poll_backoff import PollBackoff, poll_end
from supervisor.child.process_state import ProcessState
from supervisor.child.worker_limits import WorkerLimits
from supervisor.ipc import messages
from supervisor.ipc.spool import Owner, Spool
from supervisor.logs import log, redaction

if TYPE_CHECKING:
    from supervisor.child.shutdown import Shutdown
    from supervisor.child.worker_context import WorkerContext
    from supervisor.ipc.crash_record import CrashRecord


class TaskLoop:
    """Serves one slot.

    Args:
        context: What all workers of the zygote share.
        fork: The supervisor's request for this worker.
        serve: The slot whose task list is polled.
        shutdown: The worker's channel to the supervisor, and whether it has to leave.
        crash_record: Memory that the supervisor reads if this process dies.
    """

    def __init__(
        self,
        context: WorkerContext,
        fork: messages.Fork,
        serve: messages.Serve,
        shutdown: Shutdown,
        crash_record: CrashRecord,
    ) -> None:
        load, slot = context.load, serve.slot
        name, role = slot.task_list.name, slot.task_list.role
        jitter = random.Random()
        self._worker = fork.worker
        self._shutdown = shutdown
        self._recorder = _Recorder(load, fork.worker, slot.task_list, shutdown, crash_record)
        self._source = _source(context, fork.worker, serve, self._recorder)
        self._limits = WorkerLimits(load.max_tasks, load.max_memory, jitter)
        self._backoff = PollBackoff(jitter, context.outage_logs[name])
        self._returns_late_tasks = load.return_task
        self._needs_permit = serve.needs_permit
        self._title = f"garcon: {role} {context.flow.name} {name}"
        self._list_name = f"{context.flow.domain}/{name}"
        self._identity = identity(role, fork.instance, context.flow.build)
        log.process_facts.update(
            slot=f"{name}/{slot.index}", worker=fork.worker, pid=os.getpid(), task_list=name
        )

    def run(self) -> int:
        """Serve until asked to leave, then what the last polls bring; returns the exit code."""
        end: messages.PollEnd | None = messages.PollEnd.NONE
        while not self._shutdown.requested and self._announce_poll(end):
            self._set_title("polling")
            end = self._serve_poll()
        self._drain()
        return 0

    def _announce_poll(self, end: messages.PollEnd | None) -> bool:
        """Whether to poll, after a poll that brought no task; after one, ``Done`` announced it."""
        if end is None:
            return True
        if self._needs_permit:
            self._set_title("parked")  # before it counts as ready: until then it has its zygote's
            self._shutdown.send(messages.Parked(self._worker, end))
            return self._wait_for_permit()
        self._set_title("polling")
        self._shutdown.send(messages.Polling(self._worker))
        return not self._shutdown.is_orphan

    def _wait_for_permit(self) -> bool:
        if not self._shutdown.wait_for_permit():
            return False
        self._set_title("polling")
        self._shutdown.send(messages.Polling(self._worker))
        return not self._shutdown.is_orphan

    def _serve_poll(self) -> messages.PollEnd | None:
        """Poll, and carry out the task; returns how the poll ended if it brought none."""
        try:
            work = self._source.poll(self._identity)
        except client.ERRORS as error:
            self._note_failed_poll(error)
            return poll_end(error)
        self._log_recovery()
        if work is None:
            return messages.PollEnd.EMPTY
        if self._carry_out(work) and not self._shutdown.requested:
            self._set_title("parked")
            self._wait_for_permit()
        return None

    def _carry_out(self, work: task_source.Work) -> bool:
        """Answer the task; returns whether the worker is parked then."""
        task = work.task
        self._recorder.record_task(task)
        self._set_title(f"working {task.activity_id or 'decision'} of {task.workflow_id}")
        facts = {
            "workflow_id": task.workflow_id,
            "run_id": task.run_id,
            "activity_id": task.activity_id,
        }
        log.process_facts.update(facts)
        result = self._execute(work)
        # Not in a ``finally``: what ends the process here is logged with the facts of its task.
        for name in facts:
            del log.process_facts[name]
        is_parked = self._recorder.record_end(result)
        if self._recorder.is_asked_to_leave:
            self._shutdown.request()  # also where the task made its process deaf to TERM
        if reason := self._limits.reason_to_leave() or self._recorder.unrestored:
            self._shutdown.send(messages.WantsReplacement(self._worker, reason))
        return is_parked

    def _execute(self, work: task_source.Work) -> messages.Result:
        if self._is_returned(work):
            return work.return_task(self._recorder)
        self._recorder.record_start(work.input)
        return work.perform(self._recorder)

    def _is_returned(self, work: task_source.Work) -> bool:
        is_late = self._returns_late_tasks and self._shutdown.requested
        return (
            self._shutdown.is_orphan
            or self._recorder.returns_tasks
            or (is_late and bool(work.task.activity_id))
        )

    def _drain(self) -> None:
        self._set_title("polling")
        leaving_for = inf if self._shutdown.is_orphan else self._shutdown.seconds_ago
        for work in self._source.drain(self._identity, leaving_for):
            self._carry_out(work)

    def _set_title(self, state: str) -> None:
        setproctitle(f"{self._title} {'leaving, ' if self._shutdown.requested else ''}{state}")

    def _note_failed_poll(self, error: Exception) -> None:
        """Log it if a line is due; without permits, wait before the next poll."""
        seconds, log_due = self._backoff.failed(time.monotonic())
        if log_due:
            problem = client.explain(error, f"polling {self._list_name}")
            log.LOGGER.warning("%s Trying again until it succeeds.", problem.sentence)
        if not self._needs_permit:
            self._set_title("backing off: SWF does not answer")
            self._shutdown.wait(seconds)

    def _log_recovery(self) -> None:
        lasted = self._backoff.recovered(time.monotonic())
        if lasted is not None:
            log.LOGGER.warning("Polling %s recovered after %.1f s.", self._list_name, lasted)


def _source(
    context: WorkerContext, worker: int, serve: messages.Serve, recorder: _Recorder
) -> task_source.TaskSource:
    task_list = serve.slot.task_list
    if task_list.role is messages.Role.ACTIVITY:
        return task_source.of_activity(context.flow, task_list.name)
    stickiness = _stickiness(context.load, worker, serve)
    _wake_stuck(context, serve)
    return task_source.of_decider(context.flow, stickiness, recorder, _build(context, serve))


def _wake_stuck(context: WorkerContext, serve: messages.Serve) -> None:
    """Once a generation, in a thread beside the polls of its first decider."""
    if context.load.swf.local or serve.slot.index or not context.flow.build:
        return
    if context.stuck_wake.take():
        # Not imported by the zygote: one process of a host needs it, once.
        from supervisor.child import wake_stuck  # noqa: PLC0415

        wake = partial(wake_stuck.wake_stuck_executions, context.flow, retired=context.load.retired)
        threading.Thread(target=wake, daemon=True).start()


def _build(context: WorkerContext, serve: messages.Serve) -> decider.Build | None:
    """The build that decides; one decider of a host serves the list of its build."""
    if not context.flow.build:
        return None
    return decider.Build(
        context.flow.build,
        serves_flow=not context.load.retired,
        serves_build=not serve.slot.index,
    )


def _stickiness(load: messages.Load, worker: int, serve: messages.Serve) -> Sticky | None:
    """The settings of a sticky decider, with its own list, or that of a dead one."""
    if load.sticky is None:
        return None
    owner, host = f"{load.private_lists}-{serve.private_list or worker}", ""
    if isinstance(serve.private_list, str):
        owner, _, host = serve.private_list.partition("@")
    return Sticky(
        **msgspec.structs.asdict(load.sticky),
        private_list=private_list(owner, host),
        takes_over=bool(serve.private_list),
    )


class _Recorder:
    """Records of the task in progress: messages, crash record and spool (``TaskRecorder``)."""

    def __init__(
        self,
        load: messages.Load,
        worker: int,
        task_list: messages.TaskList,
        shutdown: Shutdown,
        crash_record: CrashRecord,
    ) -> None:
        name, role = task_list.name, task_list.role
        self.unrestored = ""  # why this worker has to be replaced: a state that stays changed
        self._worker = worker
        self._shutdown = shutdown
        self._crash_record = crash_record
        self._spool = Spool(load.spool, Owner(load.flow, load.swf), role, load.supervisor_lock)
        self._logs_payloads = load.log.payloads
        self._state = ProcessState()
        self._code = f"the {role}" if role is messages.Role.DECIDER else f"the {role} {name}"

    def record_task(self, task: messages.Task) -> None:
        """The task is in progress; the supervisor answers for it if this process dies."""
        self._shutdown.send(messages.Working(self._worker, task))
        self._spool.record_task(task)

    def record_start(self, payload: str | None) -> None:
        """The task's code is about to run: from now on a death may be of its making."""
        self._crash_record.record_start()
        self._log_payload("Input", payload)

    def restore_process(self) -> None:
        """Put back what the task has changed of its process."""
        self.unrestored = self._state.restore(self._code)

    def record_answer(self, answer: messages.Answer) -> None:
        """Record the answer before it is sent to SWF."""
        if isinstance(answer, messages.Complete):
            self._log_payload("Result", answer.result)
        self._crash_record.record_answer(msgspec.json.encode(answer))
        self._spool.record_answer(answer)

    def record_end(self, result: messages.Result) -> bool:
        """The task is over; returns whether the worker is parked now.

        The crash record comes last: the supervisor reads it while it believes the task in
        progress, and a death before ``Done`` arrives must still find the answer there.
        """
        if result is messages.Result.HANDED_OUT:
            self._spool.leave()
        else:
            self._spool.clear()
        # Read once: what ``Done`` says of it holds, also where the byte changes meanwhile.
        is_parked = self._crash_record.is_permit_withdrawn
        self._shutdown.send(messages.Done(self._worker, result, is_parked))
        self._crash_record.clear()
        return is_parked

    def report_stale(self, why: messages.Staleness) -> None:
        """Report to the supervisor that SWF no longer wants the task."""
        self._shutdown.send(messages.Stale(self._worker, why))

    def record_waiting(self, place: int, task: messages.Task) -> None:
        """Record the task of a poll that has returned, and end the backoff of the other one."""
        self._crash_record.record_waiting(place, msgspec.json.encode(task))
        self._spool.record_waiting(task)
        self._shutdown.wake()

    def clear_waiting(self, place: int) -> None:
        """The supervisor knows the task that waited: ``Working`` has named it."""
        self._crash_record.clear_waiting(place)

    def report_returned(self, build: str) -> None:
        """Report to the supervisor that an execution needs this build."""
        self._shutdown.send(messages.Returned(self._worker, build))

    @property
    def returns_tasks(self) -> bool:
        """Whether the supervisor wants tasks that were not started to be returned."""
        return self._crash_record.returns_tasks

    @property
    def is_asked_to_leave(self) -> bool:
        """Whether the supervisor has asked this worker to leave, by whatever way."""
        return self._crash_record.is_asked_to_leave

    @property
    def is_leaving(self) -> bool:
        """Whether this worker was asked to leave."""
        return self._shutdown.requested

    def _log_payload(self, what: str, payload: str | None) -> None:
        if self._logs_payloads and payload is not None:
            log.LOGGER.info("%s: %s", what, redaction.payload(payload))


def identity(role: str, instance: messages.Instance | None, build: str = "") -> str:
    """The identity that SWF records with a task: host, pid, role and build, up to 256 characters.

    The host is its name, or on EC2 ``instance id/zone/life cycle``, as far as known.
    """
    host = socket.gethostname()
    if instance:
        known = (instance.id, instance.zone, instance.life_cycle)
        host = "/".join(part for part in known if part)
    ending = f":{os.getpid()}:{role}{build and f':{build}'}"
    return f"{host[: limits.IDENTITY - len(ending)]}{ending}"
