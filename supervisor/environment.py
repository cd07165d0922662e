"""The environment that our children get: zygotes, and so workers and what they start, attendants.

All of ours passes, because the flow's own settings, proxies, certificates and credentials may be
there, but for what was said to this process alone: a child that spoke to our service manager could
tell it that all is well. ``docs/security.md`` lists what is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
"""What systemd says to the main process of a service (systemd.exec(5), sd_notify(3))."""


def for_children(environ: Mapping[str, str]) -> dict[str, str]:
    """What of our environment passes."""
    return {name: value for name, value in environ.items() if name not in OURS}
