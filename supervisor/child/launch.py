"""Launch of a forked process: its set-up, its announcement, and the job that it was forked for.

Rules:

1. The supervisor may signal a process as soon as it knows the pid. So whatever a signal needs is
   ready before ``Forked`` is sent: TERM and INT are blocked, and ``faulthandler`` has a descriptor
   to write stack traces to.
2. The process leads a group of its own: Ctrl-C on the terminal reaches the supervisor alone, and
   killing the group takes along what a task has started.
3. The last lines of standard error go to the crash record, to be read after a death. What C code
   writes to the descriptor by itself is not among them; ``faulthandler`` covers the worst of it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

from garcon.user_code.forks import ParentOnly
from supervisor.child import inheritance, worker, worker_meter
from supervisor.child.jobs import registrar, reporter
from supervisor.child.shutdown import Shutdown, block_signals
from supervisor.config.setting_types import HistorySource
from supervisor.ipc import conventions, messages
from supervisor.logs import log, redaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.child.worker_context import WorkerContext
    from supervisor.ipc.channel import Channel
    from supervisor.ipc.crash_record import CrashRecord


def run(
    context: WorkerContext, fork: messages.Fork, channel: Channel, crash_record: CrashRecord
) -> int:
    """Do the job that the process was forked for; returns its exit code."""
    block_signals()
    inheritance.disown()
    _write_stacks_to(crash_record.descriptor)
    channel.send(messages.Forked(fork.worker, os.getpid()))
    tee_stderr(crash_record.record_stderr)
    worker_meter.start(crash_record.counters(), _task_list(fork))
    if fork.instance:
        log.name_instance(fork.instance.id, fork.instance.zone, fork.instance.life_cycle)
    _lead_own_group()
    with Shutdown(channel) as shutdown:
        return _do_job(context, fork, shutdown, crash_record)


def _task_list(fork: messages.Fork) -> str:
    return fork.job.slot.task_list.name if isinstance(fork.job, messages.Serve) else ""


def _do_job(
    context: WorkerContext, fork: messages.Fork, shutdown: Shutdown, crash_record: CrashRecord
) -> int:
    match fork.job:
        case messages.Serve() as serve:
            _call_hook(context, "on_worker_start")
            # After the hook, which may have set a provider of its own.
            context.start_tracing()
            shutdown.install_handlers()
            code = worker.TaskLoop(context, fork, serve, shutdown, crash_record).run()
            _call_hook(context, "on_worker_stop")
            return code
        case messages.Register(types=types):
            return registrar.register(context.flow, fork.worker, shutdown, types=types)
        case messages.Replay(histories=histories):
            from supervisor.child.jobs import replayer  # noqa: PLC0415 - a part that few flows use

            return replayer.replay(context.flow, fork.worker, shutdown, HistorySource(histories))
        case messages.SearchOpen():
            from supervisor.child.jobs import open_search  # noqa: PLC0415 - of retired code

            return open_search.search(context.flow, fork.worker, shutdown)
        case messages.Report() as report:
            return reporter.report(context, report, fork.worker, shutdown)


def _call_hook(context: WorkerContext, name: str) -> None:
    """Call a hook of the flow's module or object, if it has one; its error ends the worker."""
    if callable(hook := getattr(context.flow.target, name, None)):
        with ParentOnly(name):
            hook()


def _write_stacks_to(descriptor: int) -> None:
    # The descriptor of shared memory, not of a file or a pipe: a dying process writes there
    # without blocking, and the supervisor reads it afterwards. ``faulthandler`` is C code: it
    # writes when Python itself hangs or has crashed.
    faulthandler.enable(descriptor)
    faulthandler.register(conventions.STACKS_SIGNAL, descriptor)


def _lead_own_group() -> None:
    os.setpgid(0, 0)  # rule 2
    for number in conventions.SUPERVISOR_SIGNALS:  # the zygote ignores some of them
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a lost terminal is the supervisor's business


LONGEST_LINE = 65_536
"""Characters of a line without an end that are kept."""

# --- standard error ------------------------------------------------------------------------------


def tee_stderr(note: Callable[[str], None]) -> None:
    """Pass what goes to ``sys.stderr`` to ``note`` as well, both without what looks like a secret.

    The root logger's handlers keep the stream that they were made with, so they are changed too.
    """
    stream = sys.stderr
    tee = cast("TextIO", _Tee(stream, note))
    for handler in logging.root.handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is stream:
            handler.setStream(tee)
    sys.stderr = tee


class _Tee:
    """A stream whose writes are noted as well; in all else it is the stream.

    ``print("password:", value)`` is several writes. So a line that may hold a secret is kept until
    it is complete.
    """

    def __init__(self, stream: TextIO, note: Callable[[str], None]) -> None:
        self._stream = stream
        self._note = note
        self._kept = ""

    def write(self, text: str) -> int:
        """Note the text first: the write may wait, and these may be the last words."""
        complete, line_break, rest = f"{self._kept}{text}".rpartition("\n")
        self._kept = rest if redaction.may_hold_secret(rest) and len(rest) < LONGEST_LINE else ""
        self._pass_on(complete + line_break + ("" if self._kept else rest))
        return len(text)

    def flush(self) -> None:
        """Pass on what is kept, too."""
        kept, self._kept = self._kept, ""
        self._pass_on(kept)
        with contextlib.suppress(ValueError):
            self._stream.flush()

    def _pass_on(self, text: str) -> None:
        if text:
            shown = redaction.text(text)
            self._note(shown)
            with contextlib.suppress(ValueError):  # a task has closed it
                self._stream.write(shown)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
