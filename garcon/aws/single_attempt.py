"""Calls that botocore attempts once, whatever its retry mode: their caller retries by its own rule.

botocore's retries of a throttled heartbeat would spend the account's budget at times that have
nothing to do with the task's deadline. A client's retries cannot be switched off for one call. So
the first handler that botocore asks whether to retry raises the error.

A client that attempts every call once, as one for polls, needs none of the handlers of retries: to
count attempts, to name them in headers and to look for errors takes some per cent of a call.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from botocore import handlers
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


def take_out_retries(client: BaseClient) -> None:
    """Take the handlers of retries out of a client whose configuration allows one attempt."""
    events: Any = client.meta.events
    events.unregister("needs-retry.swf", unique_id="retry-config-swf")
    events.unregister("request-created.swf", unique_id="seed-max-attempts-swf")
    if (name_attempts := getattr(handlers, "add_retry_headers", None)) is not None:
        events.unregister("request-created", name_attempts)  # a later botocore may lack it


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
