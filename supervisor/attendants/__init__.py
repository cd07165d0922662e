"""Attendants: small processes beside the supervisor that do what needs the network or time.

Each is a module that the shell starts by its name, ``python -m supervisor.attendants.NAME``. Its
first message is ``Attend``; it says ``AttendantReady`` when it does its work, and it ends when its
channel ends or SIGTERM comes. The supervisor survives the loss of any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from setproctitle import setproctitle

from supervisor import inputs, kernel, log, messages
from supervisor.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Callable


def attend(serve: Callable[[Channel, messages.Attend, list[str]], None]) -> None:
    """Begin an attendant's process: hear what it is to do, set it up, and do it.

    ``serve`` gets the channel, the order and the inputs of ``--start``.
    """
    channel = Channel.inherited(kernel.CHANNEL_DESCRIPTOR)
    order, riders = channel.hear_with_descriptors()
    if not isinstance(order, messages.Attend):
        return
    log.configure(order.log)
    log.standing.update(attendant=order.name)
    setproctitle(f"garcon: {order.name} {order.flow_name}".rstrip())
    serve(channel, order, inputs.read(riders[0]))
