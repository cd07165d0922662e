"""Sidecars: small processes beside the supervisor for work that needs the network or time.

Each is a module that the supervisor starts by its name, ``python -m supervisor.sidecars.NAME``. Its
first message is ``RunSidecar``; it sends ``SidecarReady`` once it works, and it ends when its
channel ends or SIGTERM comes. The supervisor survives the loss of any of them.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from setproctitle import setproctitle

from supervisor.ipc import conventions, messages, signal_wakeup, start_inputs
from supervisor.ipc.channel import Channel, ChannelClosed
from supervisor.ipc.crash_record import CrashRecord
from supervisor.logs import bounded_stream, log

if TYPE_CHECKING:
    from collections.abc import Callable


def run_sidecar(
    serve: Callable[[Channel, messages.RunSidecar, list[str]], None], *, calls_swf: bool = False
) -> None:
    """Receive the supervisor's order, set the process up, and serve.

    Args:
        serve: Gets the channel, the order and the inputs of ``--start``.
        calls_swf: Whether it calls SWF, so that its calls are to be counted.
    """
    bounded_stream.bound_waits("stderr")
    signal_wakeup.disregard_meaningless()
    channel = Channel.inherited(conventions.CHANNEL_DESCRIPTOR)
    order, descriptors = channel.receive_with_descriptors()
    if not isinstance(order, messages.RunSidecar):
        return
    log.configure(order.log.level, order.log.format)
    log.process_facts.update(sidecar=order.name)
    setproctitle(f"garcon: {order.name} {order.flow_name}".rstrip())
    inputs = start_inputs.read(descriptors[0])
    if calls_swf:
        from supervisor.child import worker_meter  # noqa: PLC0415 - it imports botocore

        worker_meter.start(CrashRecord(descriptors[1]).counters())
    try:
        serve(channel, order, inputs)
    except ChannelClosed:
        log.LOGGER.info("Sidecar %s ends: the supervisor is gone.", order.name)


def has_ended(channel: Channel, seconds: float) -> bool:
    """Wait for so long, or until the supervisor's channel ends; returns whether it has ended."""
    readable, _, _ = select.select([channel], [], [], seconds)
    return bool(readable) and channel.receive() is None
