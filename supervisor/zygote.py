"""``python -m supervisor.zygote``: imports the flow once and forks workers from it on request.

Rules of this file:

1. It imports, says ``Loaded`` with the task lists (or ``CannotLoad`` with the reason), freezes its
   memory and then does nothing but fork. It never calls AWS: the client that it builds is used for
   the first time in a worker.
2. Copies are cheap as long as nobody writes to them: the garbage collector moves what the import
   made out of its sight (``gc.freeze``), else every worker's first collection would copy it all.
   It rests during the import, which it would lengthen by a sixth, and sorts out once, while the
   first fork speaks to SWF.
3. A worker is forked twice. The one in the middle ends at once, so that the worker's parent is the
   supervisor, which alone reaps and signals.
4. It ends when its channel ends: retired by the supervisor, or left behind by its death. The
   signals that ask a supervisor to leave do not concern it.
"""

from __future__ import annotations

import gc

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
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from setproctitle import setproctitle

from garcon import usual
from supervisor import exits, kernel, log, messages, worker
from supervisor import flow as flows
from supervisor.channel import RIDERS, Channel, MessageTooLong
from supervisor.will import Will

if TYPE_CHECKING:
    from supervisor.flow import Flow
    from supervisor.worker import Estate

_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def main() -> None:
    """Serve the supervisor at the other end of the inherited channel."""
    for each in _IGNORED:
        signal.signal(each, signal.SIG_IGN)
    channel = Channel.inherited(kernel.CHANNEL_DESCRIPTOR)
    load = channel.hear()
    if not isinstance(load, messages.Load):
        return
    log.configure(load.log)
    log.standing.update(generation=load.generation)
    if load.core_dumps:
        kernel.allow_core_dumps()
    setproctitle(f"garcon: zygote {load.flow} importing")
    flow = _load(load, channel)
    if flow is not None:
        setproctitle(f"garcon: zygote {flow.name} generation {load.generation}")
        _serve(worker.estate(flow, load), channel)


def _load(load: messages.Load, channel: Channel) -> Flow | None:
    try:
        flow = flows.load(load)
    except flows.CannotServe as error:
        channel.say(messages.CannotLoad(str(error), error.code))
        return None
    loaded = messages.Loaded(
        domain=flow.domain,
        flow_name=flow.name,
        flow_version=flow.version,
        task_lists=flow.task_lists,
        warnings=_thread_warnings(),
        flow_tags=usual.tags(flow.target),
        flow_priority=usual.priority(flow.target),
    )
    try:
        channel.say(loaded)
    except MessageTooLong:
        lists = len(flow.task_lists)
        why = f"{flow.name} has {lists} task lists, more than one supervisor can serve. Split it."
        channel.say(messages.CannotLoad(why, exits.FLOW))
        return None
    return flow


def _thread_warnings() -> tuple[str, ...]:
    extra = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
    if not extra:
        return ()
    warning = (
        f"The flow's import started threads ({', '.join(extra)}). They do not exist in the workers,"
        " and a lock that one held at the fork stays locked there: start them in a task instead."
    )
    return (warning,)


@dataclass(frozen=True)
class Dowry:
    """What a worker gets at its birth: its ends of a channel and of a will."""

    channel: Channel
    will: int

    def close(self) -> None:
        """It is the worker's alone."""
        self.channel.close()
        os.close(self.will)


def _serve(estate: Estate, channel: Channel) -> None:
    while True:
        message, descriptors = channel.hear_with_descriptors()
        if message is None:
            return
        if isinstance(message, messages.Fork) and len(descriptors) == RIDERS:
            end, will = descriptors
            _fork_twice(estate, message, channel, Dowry(Channel.inherited(end), will))
            if not gc.isenabled():
                _freeze()
        else:  # the kernel had no room for them: to the supervisor, a fork that failed
            for each in descriptors:
                os.close(each)


def _freeze() -> None:
    gc.enable()
    gc.collect()
    gc.freeze()


def _fork_twice(estate: Estate, fork: messages.Fork, ours: Channel, dowry: Dowry) -> None:
    try:
        middle = os.fork()
    except OSError as error:
        ours.say(messages.ForkFailed(fork.worker, str(error)))
        dowry.close()
        return
    if middle == 0:
        _fork_again(estate, fork, ours, dowry)
    dowry.close()
    os.waitpid(middle, 0)


def _fork_again(estate: Estate, fork: messages.Fork, ours: Channel, dowry: Dowry) -> NoReturn:
    try:
        if os.fork() != 0:
            os._exit(0)
    except OSError as error:
        ours.say(messages.ForkFailed(fork.worker, str(error)))
        os._exit(1)
    ours.close()
    _live(estate, fork, dowry)


def _live(estate: Estate, fork: messages.Fork, dowry: Dowry) -> NoReturn:
    """A worker's whole life. Nothing may come back into the zygote's code from here."""
    gc.enable()
    code = exits.FAULT
    try:
        code = worker.run(estate, fork, dowry.channel, Will(dowry.will))
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else 1
    except BaseException:
        logging.getLogger("supervisor").exception("the worker ends with an error of its own")
    finally:
        _leave(code, dowry.channel)


def _leave(code: int, channel: Channel) -> NoReturn:
    """End like a program of its own would, but without taking the copied memory apart.

    What a task started dies with its worker: the supervisor sees to it; if it is gone, we do.
    """
    try:
        _finish()
        if channel.has_ended():
            kernel.end_own_group()
    finally:
        os._exit(code)


def _finish() -> None:
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - the flow's own; there is no public way
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - the outermost edge again
        with contextlib.suppress(OSError, ValueError):  # nobody reads the log any more
            traceback.print_exc()


if __name__ == "__main__":
    main()
