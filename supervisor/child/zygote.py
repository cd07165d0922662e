"""``python -m supervisor.child.zygote``: imports the flow once and forks workers on request.

Rules:

1. The zygote imports the flow, sends ``Loaded`` with the task lists (or ``LoadFailed`` with the
   reason), freezes its memory and then only forks. It never calls AWS: a worker is the first to use
   the clients that the zygote has built.
2. Forked memory is cheap while it is not written to. The garbage collector writes to every object
   that it visits, so ``gc.freeze`` takes what the import made out of its reach; else each worker's
   first collection would copy all of it. The collector is off during the import, which it would
   lengthen by a sixth. It does not run before the first fork either: it takes as long as the types'
   registration, and frees next to nothing.
3. A process between forks the workers and ends at once. So the workers' parent is the supervisor,
   which alone reaps and signals them. Requests that arrive together share the process between.
4. The zygote ends when its channel ends: the supervisor has retired it, or has died. TERM, INT, HUP
   and QUIT, which ask a supervisor to leave, are ignored here.
"""

from __future__ import annotations

import gc

import msgspec

if __name__ == "__main__":
    gc.disable()  # rule 2: before the big imports

import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, NoReturn

from setproctitle import setproctitle

from garcon import decider
from garcon.flow import flow_attributes
from garcon.user_code.forks import ParentOnly
from supervisor import __version__, exit_codes
from supervisor.child import flow_loader, inheritance, launch
from supervisor.child.worker_context import worker_context
from supervisor.ipc import conventions, core_dumps, messages, signal_wakeup
from supervisor.ipc.channel import MAX_DESCRIPTORS, Channel, ChannelClosed, MessageTooLong
from supervisor.ipc.crash_record import CrashRecord
from supervisor.logs import bounded_stream, log

if TYPE_CHECKING:
    from supervisor.child.flow_loader import Flow
    from supervisor.child.worker_context import WorkerContext

EXTERNAL_LISTS = 20
"""Lists of external activities that are named at the start: a line is read, a page is not."""

_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def main() -> None:
    """Serve the supervisor at the other end of the inherited channel."""
    # Ctrl-C and systemd's KillMode=control-group signal every process, not the supervisor alone.
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal_wakeup.disregard_meaningless()
    bounded_stream.bound_waits("stdout", "stderr")
    channel = Channel.inherited(conventions.CHANNEL_DESCRIPTOR)
    load = channel.receive()
    if not isinstance(load, messages.Load):
        return
    log.configure(load.log.level, load.log.format)
    release = os.path.basename(load.folder or "")  # noqa: PTH119 - quick
    log.process_facts.update(release=release, generation=load.generation)
    if load.max_memory is not None:
        import psutil  # noqa: F401, PLC0415 - workers measure with it, and share it from here
    if load.core_dumps:
        core_dumps.allow_core_dumps()
    setproctitle(f"garcon: zygote {load.flow} importing")
    with ParentOnly("the flow's import"):
        flow = _load(load, channel)
    if flow is not None:
        if load.retired:
            log.process_facts.update(build=flow.build)
        setproctitle(f"garcon: zygote {flow.name} generation {load.generation}")
        bounded_stream.flush()  # or each worker would write it, too
        context = worker_context(flow, load)
        gc.freeze()  # rule 2
        gc.enable()
        _serve(context, channel)


def _load(load: messages.Load, channel: Channel) -> Flow | None:
    try:
        _enter_release(load)
        flow = flow_loader.load(load)
    except flow_loader.CannotServe as error:
        channel.send(messages.LoadFailed(str(error), error.code))
        return None
    try:
        channel.send(_loaded(flow, channel, plans=load.plans))
    except MessageTooLong:
        lists = len(flow.task_lists)
        why = f"{flow.name} has {lists} task lists, more than one supervisor can serve. Split it."
        channel.send(messages.LoadFailed(why, exit_codes.FLOW))
        return None
    return flow


def _enter_release(load: messages.Load) -> None:
    """Import and work in the release's folder from now on; raises ``CannotServe``."""
    if load.version not in ("", __version__):
        raise flow_loader.CannotServe(
            f"The environment of {load.folder} has garcon {__version__}, and this supervisor is of"
            f" {load.version}: they must be the same. Start a new supervisor from that environment"
            " (systemctl restart) instead of restarting its workers.",
            exit_codes.USAGE,
        )
    if load.folder is None:
        return
    before = os.getcwd()  # noqa: PTH109 - a text, as in sys.path
    try:
        os.chdir(load.folder)
    except OSError as error:
        why = f"The release {load.folder} cannot be entered: {error.strerror}."
        raise flow_loader.CannotServe(why, exit_codes.USAGE) from error
    # In place of the folder that ``python -m`` has put there.
    sys.path[:1] = [load.folder] if sys.path[:1] == [before] else [load.folder, *sys.path[:1]]


def _loaded(flow: Flow, channel: Channel, *, plans: bool) -> messages.Loaded:
    return messages.Loaded(
        domain=flow.domain,
        flow_name=flow.name,
        flow_version=flow.version,
        task_lists=flow.task_lists,
        warnings=(*_thread_warnings(), *_connection_warnings(channel)),
        flow_tags=flow_attributes.tags(flow.target),
        flow_priority=flow_attributes.priority(flow.target),
        external_lists=flow.external_lists[:EXTERNAL_LISTS],
        heartbeat_timeouts=flow.heartbeat_timeouts if plans else {},
        restart_unset=flow.restart_unset[:EXTERNAL_LISTS],
        build=flow.build,
    )


def _thread_warnings() -> tuple[str, ...]:
    main_thread = threading.main_thread()
    extra = [thread.name for thread in threading.enumerate() if thread is not main_thread]
    if not extra:
        return ()
    warning = (
        f"The flow's import started threads ({', '.join(extra)}). They do not exist in the workers,"
        " and a lock that one held at the fork stays locked there: start them in a task instead."
    )
    return (warning,)


def _connection_warnings(channel: Channel) -> tuple[str, ...]:
    found = [*inheritance.open_connections({0, 1, 2, channel.fileno()})]
    if not found:
        return ()
    warning = (
        f"The flow's import left open {', '.join(found)}. All workers would share this, and mix up"
        " what they read and write: connect in a task or in on_worker_start()."
    )
    return (warning,)


# --- forking --------------------------------------------------------------------------------------


MOST_FORKS = 16
"""Workers that one process between forks: each request holds two descriptors until then."""


class ForkRequest(msgspec.Struct, frozen=True):
    """The supervisor's request for a worker, with the worker's channel and its crash record."""

    fork: messages.Fork
    channel: Channel
    crash_record: int

    def close(self) -> None:
        """Close the descriptors: a copy that another process held would hide the worker's death."""
        self.channel.close()
        os.close(self.crash_record)


def _serve(context: WorkerContext, channel: Channel) -> None:
    while requests := _receive_requests(channel):
        _fork_all(context, requests, channel)
        if any(
            isinstance(job := each.fork.job, messages.Register) and job.types for each in requests
        ):
            _import_decider()


def _receive_requests(channel: Channel) -> list[ForkRequest]:
    """The next request and those that have arrived with it; none at the channel's end."""
    requests: list[ForkRequest] = []
    while len(requests) < MOST_FORKS:
        message, descriptors = channel.receive_with_descriptors(wait=not requests)
        if message is None:
            break
        if isinstance(message, messages.Fork) and len(descriptors) == MAX_DESCRIPTORS:
            end, crash_record = descriptors
            requests.append(ForkRequest(message, Channel.inherited(end), crash_record))
        else:
            # The kernel drops descriptors for which this process has no room. The supervisor sees
            # the other end of the worker's channel close and counts a failed fork.
            for descriptor in descriptors:
                os.close(descriptor)
    return requests


def _import_decider() -> None:
    """Import what all deciders of the generation share, while another process registers the flow.

    A generation without deciders registers no types, and does without.
    """
    _ = decider.DeciderWorker
    gc.freeze()  # rule 2


def _fork_all(context: WorkerContext, requests: list[ForkRequest], channel: Channel) -> None:
    """Fork a process that forks the workers and ends (rule 3).

    The kernel gives the orphans to the nearest subreaper, which the supervisor has made itself.
    """
    try:
        between = os.fork()
    except OSError as error:
        for each in requests:
            channel.send(messages.ForkFailed(each.fork.worker, str(error)))
            each.close()
        return
    if between == 0:
        _fork_each(context, requests, channel)
    for each in requests:
        each.close()
    os.waitpid(between, 0)  # at once: it lives for its forks


def _fork_each(context: WorkerContext, requests: list[ForkRequest], channel: Channel) -> NoReturn:
    for number, request in enumerate(requests):
        try:
            is_worker = os.fork() == 0
        except OSError as error:
            channel.send(messages.ForkFailed(request.fork.worker, str(error)))
        else:
            if is_worker:
                channel.close()
                for later in requests[number + 1 :]:
                    later.close()
                _live(context, request)
        request.close()
    os._exit(0)  # not ``sys.exit``: atexit functions and buffers are the zygote's


# --- in the forked process ------------------------------------------------------------------------


def _live(context: WorkerContext, request: ForkRequest) -> NoReturn:
    """Run a forked process to its end; never return into the zygote's loop."""
    code, fork = exit_codes.FAULT, request.fork
    try:
        code = launch.run(context, fork, request.channel, CrashRecord(request.crash_record))
    except ChannelClosed:
        log.LOGGER.warning("Worker %s ends: the supervisor is gone.", fork.worker)
    except SystemExit as exit_:  # a task may call sys.exit()
        code = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:  # noqa: BLE001 - the outermost edge; logged with its traceback
        log.LOGGER.exception("Worker %s ends by an error outside its tasks.", fork.worker)
    finally:
        _leave(code, request.channel)


def _leave(code: int, channel: Channel) -> NoReturn:
    """End as a program does, but without freeing the shared memory, which would copy it first.

    What a task has started dies with its worker. The supervisor kills it; if the supervisor is
    gone, the worker does.
    """
    try:
        _finish()
        if channel.has_ended():
            _kill_own_group()
    finally:
        os._exit(code)


def _finish() -> None:
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - the flow's own; there is no public way
        logging.shutdown()
        bounded_stream.flush()
    except BaseException:  # noqa: BLE001 - the process's outermost edge
        with contextlib.suppress(OSError, ValueError):  # the log's reader is gone, too
            traceback.print_exc()


def _kill_own_group() -> None:
    # Without a group of its own it would kill the zygote's, and with it every other worker.
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    with contextlib.suppress(ChannelClosed):  # the supervisor is gone: there is nothing to fork for
        main()
