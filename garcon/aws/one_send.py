"""Head and body of a request in one send.

botocore means to send them at once (``AWSConnection._send_output``), but urllib3 2 hands it the
body apart. A request then takes two system calls and two packets, and wakes its server twice.
"""

from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.client import BaseClient


class _OneSend:
    """Mixin of a connection: what a request sends is gathered, and leaves at its end."""

    _parts: list[bytes] | None = None

    def request(self, *args: Any, **named: Any) -> None:
        """Send one request; errors of the connection are raised here as ever."""
        parts: list[bytes] = []
        self._parts = parts
        try:
            super().request(*args, **named)  # type: ignore[misc]  # the connection's
        finally:
            self._parts = None
        self.send(b"".join(parts))

    def send(self, data: Any) -> None:
        """Send these bytes, or gather them within a request."""
        if self._parts is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._parts.append(data)


class _Connection(_OneSend, AWSHTTPConnection):  # type: ignore[misc]  # signatures of any arguments
    pass


class _SecureConnection(_OneSend, AWSHTTPSConnection):  # type: ignore[misc]  # as above
    pass


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def install(client: BaseClient) -> None:
    """Let the connections of this client, which has made none yet, send each request at once."""
    # Private: botocore has no setting for it. Without them requests are sent as ever.
    session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    pools = getattr(session, "_pool_classes_by_scheme", None)
    if pools is not None:
        pools.update(http=_Pool, https=_SecurePool)
