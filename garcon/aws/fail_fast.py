"""Shorter waits than botocore's, where waiting brings nothing: a start without network or
credentials fails within a second.

Rules:

1. A decider that registers its flow gives up at the first connection that is not made. Its starter
   (a test, systemd, a container) shows the error or starts it again.
2. Off EC2 there is no instance metadata service to ask for credentials. botocore would wait a
   second for each of two requests; whatever stands in for the service there answers sooner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

METADATA_TIMEOUT = "metadata_service_timeout"
"""botocore's name for the seconds that the metadata service has to answer in."""
SECONDS_OFF_EC2 = 0.25

SYS = Path("/sys")
EC2_MARKS = {
    "devices/virtual/dmi/id/sys_vendor": "amazon ec2",
    "devices/virtual/dmi/id/bios_vendor": "amazon ec2",
    "hypervisor/uuid": "ec2",
}
"""Files below ``/sys``, and the beginning of their text on EC2; as in ``supervisor.config``."""

_NOT_CONNECTED = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)


@contextmanager
def one_connection_attempt(client: Any) -> Iterator[None]:
    """Within the block, botocore does not repeat a call of this client that had no connection."""
    events = client.meta.events
    events.register_first("needs-retry.swf", _refuse_reconnection)
    try:
        yield
    finally:
        events.unregister("needs-retry.swf", _refuse_reconnection)


def _refuse_reconnection(caught_exception: Any = None, **_: Any) -> bool | None:
    return False if isinstance(caught_exception, _NOT_CONNECTED) else None


def session_variables(sys: Path = SYS) -> dict[str, Any]:
    """Variables of a new session: a shorter default timeout for instance metadata, off EC2."""
    if _is_ec2(sys):
        return {}
    variable = "AWS_METADATA_SERVICE_TIMEOUT"  # it and the configuration file win over the default
    return {METADATA_TIMEOUT: (METADATA_TIMEOUT, variable, SECONDS_OFF_EC2, float)}


def _is_ec2(sys: Path) -> bool:
    return any(_text(sys / path).lower().startswith(mark) for path, mark in EC2_MARKS.items())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:  # most machines do not have all of them
        return ""
