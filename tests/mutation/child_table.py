"""Mutations of the workers: the loop, its records, its task sources, and its shutdown."""

from __future__ import annotations

from functools import partial

from tests.mutation.mutation import Mutation

CHILD = "supervisor/child"
TESTS = "tests/supervisor/child"

_of_worker = partial(Mutation, f"{CHILD}/worker.py", tests=(f"{TESTS}/test_worker.py",))
_of_source = partial(
    Mutation,
    f"{CHILD}/task_source.py",
    tests=(f"{TESTS}/test_task_source.py", f"{TESTS}/test_worker.py"),
)
_of_shutdown = partial(
    Mutation,
    f"{CHILD}/shutdown.py",
    tests=(f"{TESTS}/test_shutdown.py", f"{TESTS}/test_launch.py"),
)
_of_launch = partial(Mutation, f"{CHILD}/launch.py", tests=(f"{TESTS}/test_launch.py",))
_of_zygote = partial(Mutation, f"{CHILD}/zygote.py", tests=(f"{TESTS}/test_zygote.py",))

_LATE = "is_late = self._returns_late_tasks and self._shutdown.requested"
_EXECUTE = "        result = self._execute(work)\n"
_SPOOL_TASK = "        self._spool.record_task(task)\n"
_WORKING = "        self._shutdown.send(messages.Working(self._worker, task))\n"
_CLEAR_SPOOL = """\
        if result is messages.Result.HANDED_OUT:
            self._spool.leave()
        else:
            self._spool.clear()
"""
_DONE = "        self._shutdown.send(messages.Done(self._worker, result, is_parked))\n"
_POLLING = "        self._shutdown.send(messages.Polling(self._worker))\n"
_READ = """\
        # Read once: what ``Done`` says of it holds, also where the byte changes meanwhile.
        is_parked = self._crash_record.is_permit_withdrawn
"""
_CLEAR_RECORD = "        self._crash_record.clear()\n"
_RECOVERY = "        self._log_recovery()\n        if work is None:\n"
_ON_DEATH = """\
        try:
            result = self._execute(work)
        except BaseException:
            for name in facts:
                del log.process_facts[name]
            raise
"""

MUTATIONS = (
    # --- polling
    _of_worker(
        "it polls on when asked to leave",
        "while not self._shutdown.requested and self",
        "while self",
    ),
    _of_worker(
        "a task is taken for an empty poll", "        if work is None:\n", "        if work:\n"
    ),
    _of_worker("each poll is announced", "        if end is None:\n", "        if 0:\n"),
    _of_worker("it polls without a permit", "if self._needs_permit:\n", "if 0:\n"),
    _of_worker(
        "a worker without a permit polls on",
        "if self._carry_out(work) and not self._shutdown.requested:",
        "if self._carry_out(work) and 0:",
    ),
    _of_worker(
        "a withdrawn permit is not reported", "result, is_parked))", "result, parked=False))"
    ),
    _of_worker(
        "it ends with a failure", "_drain()\n        return 0\n", "_drain()\n        return 1\n"
    ),
    _of_worker("the list is missing from the facts", 'slot=f"{name}/{slot.index}"', "slot=name"),
    _of_worker("deciders are never sticky", "    if load.sticky is None:\n", "    if load:\n"),
    # --- failed polls
    _of_worker("a failed poll ends it", "except client.ERRORS as", "except ZeroDivisionError as"),
    _of_worker("every error is waited out", "except client.ERRORS as", "except Exception as"),
    _of_worker("a failed poll is repeated at once", "        self._shutdown.wait(seconds)\n", ""),
    _of_worker("failures are not logged", "        if log_due:\n", "        if False:\n"),
    _of_worker("each failure is logged", "        if log_due:\n", "        if True:\n"),
    _of_worker("its lines are its own", "jitter, context.outage_logs[name])", "jitter)"),
    _of_worker("the title hides a backoff", '_title("backing off: SWF', '_title("polling: SWF'),
    _of_worker("a recovery is not noticed", _RECOVERY, "        if work is None:\n"),
    _of_worker(
        "an empty poll is no recovery",
        _RECOVERY,
        "        if work:\n            self._log_recovery()\n        if work is None:\n",
    ),
    # --- a task
    _of_worker("the spool comes before Working", _WORKING + _SPOOL_TASK, _SPOOL_TASK + _WORKING),
    _of_worker("the spool misses the task", _SPOOL_TASK, ""),
    _of_worker("the title hides the task", "working {task.activity_id", "working {task.run_id"),
    _of_worker("log lines lack the task", ".update(facts)\n", ".update(dict.fromkeys(facts))\n"),
    _of_worker(
        "facts stay after a task", "            del log.process_facts[name]\n", "            pass\n"
    ),
    _of_worker("facts are gone when it dies", _EXECUTE, _ON_DEATH),
    _of_worker("the start is not on record", "        self._crash_record.record_start()\n", ""),
    _of_worker(
        "the crash record lacks the answer", "_record.record_answer(msgspec", "_record.note(msgspec"
    ),
    _of_worker("the spool lacks the answer", "        self._spool.record_answer(answer)\n", ""),
    _of_worker("the spool keeps answered tasks", _CLEAR_SPOOL, ""),
    _of_worker("the crash record keeps answers", _CLEAR_RECORD, ""),
    _of_worker(
        "the spool is cleared last", _CLEAR_SPOOL + _READ + _DONE, _READ + _DONE + _CLEAR_SPOOL
    ),
    _of_worker(
        "the crash record is cleared before the supervisor knows the end",
        _DONE + _CLEAR_RECORD,
        _CLEAR_RECORD + _DONE,
    ),
    _of_worker("a stale task is not reported", "send(messages.Stale(self._worker, why))", "wake()"),
    _of_worker("limits are reached in silence", "if reason := self._limits", "if not self._limits"),
    # --- payloads
    _of_worker("payloads are always logged", "if self._logs_payloads and payload", "if payload"),
    _of_worker("missing payloads are logged", "payloads and payload is not None:", "payloads:"),
    _of_worker("secrets are logged", "redaction.payload(payload))", "payload)"),
    _of_worker("inputs are not logged", '        self._log_payload("Input", payload)\n', ""),
    _of_worker("results are not logged", "if isinstance(answer, messages.Complete):", "if False:"),
    # --- leaving
    _of_worker("a late task is executed against the settings", _LATE, "is_late = False"),
    _of_worker(
        "a late task is returned against the settings", _LATE, "is_late = self._shutdown.requested"
    ),
    _of_worker("a task in time is returned", _LATE, "is_late = self._returns_late_tasks"),
    _of_worker(
        "a decision is returned like a task", "(is_late and bool(work.task.activity_id))", "is_late"
    ),
    _of_worker(
        "failed code executes its last task", "            or self._recorder.returns_tasks\n", ""
    ),
    _of_worker(
        "an orphan executes its last task",
        "            self._shutdown.is_orphan\n            or",
        "            False or",
    ),
    _of_worker(
        "an orphan polls on",
        _POLLING + "        return not self._shutdown.is_orphan\n\n    def _wait",
        _POLLING + "        return True\n\n    def _wait",
    ),
    _of_worker(
        "the last polls of a leaving worker are lost",
        "        self._drain()\n        return 0\n",
        "        return 0\n",
    ),
    _of_worker(
        "tasks of last polls are dropped",
        "leaving_for):\n            self._carry_out(work)",
        "leaving_for):\n            pass",
    ),
    _of_worker("the drain forgets the time", "else self._shutdown.seconds_ago", "else 0.0"),
    _of_worker("an orphan polls its sticky list", "inf if self._shutdown.is_orphan else ", ""),
    _of_worker("the title hides that it leaves", "{'leaving, ' if", "{'' if"),
    # --- deciders
    _of_worker(
        "waiting tasks are not on record", "_record.record_waiting(place, ", "_record.note("
    ),
    _of_worker("a waiting task ends no backoff", "        self._shutdown.wake()\n", ""),
    _of_worker(
        "waiting tasks stay on record",
        "        self._crash_record.clear_waiting(place)\n",
        "        pass\n",
    ),
    _of_worker(
        "a leaving decider stays sticky",
        "        return self._shutdown.requested\n",
        "        return False\n",
    ),
    # --- identity
    _of_worker("an identity is too long", "[: limits.IDENTITY - len(ending)]", ""),
    _of_worker("an identity has empty parts", "for part in known if part)", "for part in known)"),
    # --- task sources
    _of_source(
        "answers are not recorded",
        "            recorder.record_answer(answer)\n",
        "            pass\n",
    ),
    _of_source(
        "returns are not recorded", "        recorder.record_answer(Fail(RETURN_REASON))\n", ""
    ),
    _of_source("the grace is forgotten", "self._grace - leaving_for", "leaving_for"),
    _of_source(
        "a decision in progress stays on record as waiting",
        "        recorder.clear_waiting(self._place(poll))\n        self._has_failed",
        "        self._has_failed",
    ),
    _of_source(
        "a returned decision stays on record as waiting",
        "        recorder.clear_waiting(self._place(poll))\n        try:\n            accepted",
        "        try:\n            accepted",
    ),
    _of_source("failed deciders look well", "        self._has_failed = True\n", ""),
    _of_source(
        "a refused answer ends it",
        "except client.ERRORS as error:\n            # SWF",
        "except KeyError as error:\n            # SWF",
    ),
    _of_source(
        "a fault of a decider ends it",
        "except BaseException as error:  # noqa: BLE001 - the user's",
        "except KeyError as error:  # the user's",
    ),
    _of_source("closed tasks look completed", "        if not accepted:\n", "        if False:\n"),
    # --- shutdown
    _of_shutdown("signals have no handler", "signal.signal(number, self._on_signal)", "pass"),
    _of_shutdown(
        "forks see the handler", "            after_in_child=_restore_default_actions,\n", ""
    ),
    _of_shutdown("a fork's first moment is unguarded", "            before=block_signals,\n", ""),
    _of_shutdown(
        "signals stay blocked",
        "        _unblock_signals()\n        return self",
        "        return self",
    ),
    _of_shutdown("a signal ends no wait", "        self.wake()\n", "        pass\n"),
    _of_shutdown(
        "the last request's time counts",
        "if self.requested_at is None:\n            self",
        "if True:\n            self",
    ),
    _of_shutdown(
        "a closed channel is no reason",
        "Closed:\n            self._become_orphan()",
        "Closed:\n            pass",
    ),
    _of_shutdown("an orphan looks well", "        self.is_orphan = True\n", ""),
    _of_shutdown(
        "the channel's end goes unseen", "        if channel in readable:", "        if False:"
    ),
    _of_shutdown("wake-ups pile up", "select.PIPE_BUF * 16)", "1)"),
    # --- launch, and the end of a process
    _of_launch("early signals are lost", "    block_signals()\n    inh", "    inh"),
    _of_launch("it stays in the zygote's group", "    os.setpgid(0, 0)  # rule 2\n", ""),
    _of_launch("last lines are not kept", "            self._note(shown)\n", ""),
    _of_launch("log handlers bypass the record", "handler.setStream(tee)", "pass"),
    _of_zygote(
        "an orphan leaves its processes", "        if channel.has_ended():\n", "        if False:\n"
    ),
    _of_zygote(
        "every end kills the group", "        if channel.has_ended():\n", "        if True:\n"
    ),
)
