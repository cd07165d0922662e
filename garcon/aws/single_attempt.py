"""Calls that botocore attempts once, whatever its retry mode: their caller retries by its own rule.

botocore's retries of a throttled heartbeat would spend the account's budget at times that have
nothing to do with the task's deadline. A client's retries cannot be switched off for one call. So
the first handler that botocore asks whether to retry raises the error.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from botocore.client import BaseClient
from botocore.exceptions import ClientError

REFUSED = 300
"""The lowest status of an answer that is an error."""

_is_single: ContextVar[bool] = ContextVar("garcon_single_attempt", default=False)
_installed: WeakSet[BaseClient] = WeakSet()


@contextmanager
def single_attempt(client: Any) -> Iterator[None]:
    """Calls of this client in this thread are attempted once; a fake or mock client is left alone.

    Raises:
        botocore.exceptions.ClientError: SWF refused the call.
        botocore.exceptions.BotoCoreError: SWF was not reached.
    """
    _install(client)
    token = _is_single.set(True)
    try:
        yield
    finally:
        _is_single.reset(token)


def _install(client: Any) -> None:
    # A mock with a client's ``spec`` passes ``isinstance``.
    if issubclass(type(client), BaseClient) and client not in _installed:
        client.meta.events.register_first("needs-retry.swf", _raise_error)
        _installed.add(client)


def _raise_error(
    response: Any, operation: Any, caught_exception: Exception | None, **_: Any
) -> None:
    if not _is_single.get():
        return
    if caught_exception is not None:
        raise caught_exception
    if response is not None and response[0].status_code >= REFUSED:
        raise ClientError(response[1], operation.name)
