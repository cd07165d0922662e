"""A reader of the instance metadata service (IMDS), version 2 only.

Rules:

1. Every request but the first carries a token, which is renewed before it expires; status 401 makes
   a new one, once a request. Without a token nothing is requested: version 1 is never used.
2. No proxy, no redirect, no retry: the service is one hop away, and ``metadata_poller`` repeats.
3. A missing item is ``None``. No response and an invalid response are different errors.

botocore has a reader for credentials (``IMDSFetcher``). It is not used: its methods are private, it
falls back to version 1, reports a missing item (404) and a failure alike, and does not renew. The
standard library's ``http.client`` is enough.
"""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ENDPOINT = "http://169.254.169.254"
ENDPOINT_IPV6 = "http://[fd00:ec2::254]"

TIMEOUT = 2.0
"""Seconds for one response: it comes from the host itself, in about a millisecond."""

MAX_BYTES = 1 << 16
"""Bytes of a response that are read; the longest is a list of scheduled events."""

RENEW_AFTER = 0.9
"""Share of a token's life after which it is renewed: of six hours, half an hour remains."""

_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name

OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404


class NoResponse(Exception):
    """The service does not respond, or gives no token; the message has its address."""


class InvalidResponse(Exception):
    """The service responds with an unexpected status; the message has status and path."""


def endpoint(environ: Mapping[str, str]) -> str:
    """The service's address, by the environment variables that the AWS SDKs read."""
    if named := environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        return named
    mode = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "")
    return ENDPOINT_IPV6 if mode.lower() == "ipv6" else ENDPOINT


class Imds:
    """A reader with its token.

    Args:
        endpoint: ``http://HOST[:PORT][/PATH]``.
        ttl: Seconds of a token's life, at most 21,600.
        clock: Monotonic seconds.
    """

    def __init__(
        self, endpoint: str, ttl: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        parts = urlsplit(endpoint)
        self.endpoint = endpoint
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._base = parts.path.rstrip("/")
        self._ttl = ttl
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0

    def get(self, path: str) -> str | None:
        """The text at ``/latest/PATH``; ``None`` if there is none.

        Raises:
            NoResponse: The service does not respond, or gives no token.
            InvalidResponse: The status is neither 200 nor 404.
        """
        status, text = self._get(path)
        if status == UNAUTHORIZED:
            self._token = ""
            status, text = self._get(path)
        if status == NOT_FOUND:
            return None
        if status != OK:
            raise InvalidResponse(f"{self.endpoint} answers {status} for {path}")
        return text

    def _get(self, path: str) -> tuple[int, str]:
        if not self._token or self._clock() >= self._renew_at:
            self._renew()
        return self._request("GET", path, {_TOKEN: self._token})

    def _renew(self) -> None:
        requested_at = self._clock()
        status, token = self._request("PUT", "api/token", {_TTL: str(self._ttl)})
        # A page of a proxy is not a token, and a header of its text would end the process.
        if status != OK or not token.isprintable() or not token or " " in token:
            raise NoResponse(f"{self.endpoint} gives no token (IMDSv2): it answers {status}")
        self._token, self._renew_at = token, requested_at + RENEW_AFTER * self._ttl

    def _request(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        try:
            connection.request(method, f"{self._base}/latest/{path}", headers=headers)
            response = connection.getresponse()
            return response.status, response.read(MAX_BYTES).decode("utf-8", errors="replace")
        except (OSError, http.client.HTTPException) as error:
            why = str(error) or type(error).__name__
            raise NoResponse(f"{self.endpoint} does not answer: {why}") from error
        finally:
            connection.close()
