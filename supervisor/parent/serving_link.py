"""The link of retired code to the supervisor beside whose code it serves.

That supervisor started this one as a sidecar. It gets a message once this code serves, with its
build, and another if this code ends because that build is no longer used. When the other end is
gone, this code leaves, too: no one would replace its workers or know of it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from supervisor.ipc import messages
from supervisor.ipc.channel import Channel
from supervisor.ipc.conventions import CHANNEL_DESCRIPTOR, SERVING_CHANNEL
from supervisor.ipc.messages import InvalidMessage, Launch
from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from supervisor.core import Core


class ServingLink:
    """One end of the channel.

    Args:
        channel: To the supervisor that serves.
        name: Of the sidecar that this process is there.
    """

    def __init__(self, channel: Channel, name: str) -> None:
        self._channel = channel
        self._name = name
        self._is_announced = self._has_said_unneeded = False

    @classmethod
    def inherited(cls, environ: MutableMapping[str, str]) -> ServingLink | None:
        """The link that the environment names, which then no longer does; ``None`` without one."""
        name = environ.pop(SERVING_CHANNEL, "")
        if not name:
            return None
        os.set_blocking(CHANNEL_DESCRIPTOR, False)
        return cls(Channel.inherited(CHANNEL_DESCRIPTOR), name)

    def fileno(self) -> int:
        """The descriptor, for ``poll``."""
        return self._channel.fileno()

    def receive(self) -> list[messages.Event]:
        """The end of the supervisor that serves; it sends nothing else."""
        with suppress(InvalidMessage):  # of a newer version, and not for this one
            while self._channel.receive():
                pass
        if not self._channel.closed:
            return []
        return [messages.TerminationNotice("the supervisor of the newer code has ended")]

    def announce(self, core: Core, now: float) -> None:
        """Send the build, once this code serves; at its end, that the build is unused."""
        if not self._is_announced:
            self._announce_build(core, now)
        elif not self._has_said_unneeded and (seconds := core.unused_for(now)) is not None:
            self._has_said_unneeded = True
            self._send(messages.SidecarUnneeded(self._name, seconds))

    def _announce_build(self, core: Core, now: float) -> None:
        if core.launch() is not Launch.READY:
            return
        self._is_announced = True
        active = (each for each in core.status(now).generations if each.status == "active")
        build = next((each.build for each in active), "")
        log.process_facts.update(build=build)
        self._send(messages.SidecarReady(self._name, build=build))

    def _send(self, message: messages.ChannelMessage) -> None:
        with suppress(OSError):  # its end is noticed anyway
            self._channel.send(message)
