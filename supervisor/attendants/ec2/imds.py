"""The instance metadata service (IMDS), version 2 only.

Rules of this file:

1. Every request but the first carries a token, which is renewed before its end; an answer 401 makes
   a new one, once a request. Without a token nothing is asked: version 1 is never spoken.
2. No proxy, no redirect, no retry: the service is one hop away, and ``lookout`` tries again.
3. What the service has not is None. That it does not answer, and that it answers what makes no
   sense, are told apart.

botocore has a reader of its own for credentials (``IMDSFetcher``). It is not used: its methods are
private, it falls back to version 1, tells "there is none" (404) from trouble only by its log, and
knows no renewal. The standard library's ``http.client`` is all that is needed here.
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
"""Seconds for one answer: it comes from the host itself, in about a millisecond."""

LONGEST = 1 << 16
"""Bytes of an answer that are read; the longest is a list of scheduled events."""

RENEW_AFTER = 0.9
"""Part of its life after which a token is renewed: of six hours, half an hour is left to try."""

_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name

OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404


class NoAnswer(Exception):
    """Nobody answers, or no token is to be had; the message says what was tried."""


class StrangeAnswer(Exception):
    """The service answers, and not as it should; the message says what and where."""


def endpoint(environ: Mapping[str, str]) -> str:
    """Where the service is, by the variables that the AWS SDKs obey."""
    if named := environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        return named
    mode = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "")
    return ENDPOINT_IPV6 if mode.lower() == "ipv6" else ENDPOINT


class Imds:
    """One reader.

    Args:
        endpoint: ``http://HOST[:PORT][/PATH]``.
        ttl: Seconds that a token is to last, at most 21,600.
        clock: Seconds that never go back.
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
        """The text at ``/latest/PATH``; None where there is none.

        Raises ``NoAnswer`` and ``StrangeAnswer``.
        """
        status, text = self._get(path)
        if status == UNAUTHORIZED:
            self._token = ""
            status, text = self._get(path)
        if status == NOT_FOUND:
            return None
        if status != OK:
            raise StrangeAnswer(f"{self.endpoint} answers {status} for {path}")
        return text

    def _get(self, path: str) -> tuple[int, str]:
        if not self._token or self._clock() >= self._renew_at:
            self._renew()
        return self._request("GET", path, {_TOKEN: self._token})

    def _renew(self) -> None:
        asked_at = self._clock()
        status, token = self._request("PUT", "api/token", {_TTL: str(self._ttl)})
        if status != OK or not token:
            raise NoAnswer(f"{self.endpoint} gives no token (IMDSv2): it answers {status}")
        self._token, self._renew_at = token, asked_at + RENEW_AFTER * self._ttl

    def _request(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        try:
            connection.request(method, f"{self._base}/latest/{path}", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(LONGEST).decode("utf-8", errors="replace")
        except (OSError, http.client.HTTPException) as error:
            why = str(error) or type(error).__name__
            raise NoAnswer(f"{self.endpoint} does not answer: {why}") from error
        finally:
            connection.close()
