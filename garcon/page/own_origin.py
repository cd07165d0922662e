"""The guard of the page's servers: who may use them. Pure.

- Only this machine: the server's address must be a loopback address, and the Host must be a name of
  this machine, so that no web page reaches the server by a name that leads to 127.0.0.1.
- Only the server's own page: an Origin must be that of the Host, port included, so that a page of
  another server on this machine cannot use it either.
"""

from collections.abc import Mapping
from typing import Any

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Names of this machine in a Host header."""

LOOPBACK = ("127.", "::1")
"""Beginnings of the addresses that only this machine can connect to."""


def refusal(scope: Mapping[str, Any], *, own_port: bool) -> str:
    """The reason to refuse a request, empty to serve it.

    Args:
        scope: The ASGI scope of the request.
        own_port: Whether the Host must have the server's own port, as for changes: a tunnel may
            lead to the server under another.
    """
    headers = dict(scope["headers"])
    address, port = scope.get("server") or ("", 0)
    if not address.startswith(LOOPBACK):
        return f"This service is for its own machine only; the request came to {address}."
    host = text(headers, b"host").lower()
    name, host_port = _split(host)
    if name not in LOCAL_NAMES or (own_port and host_port not in ("", str(port))):
        return f"The header Host is {host!r}; the address of this service is {_origin(port)}."
    return foreign_page(headers, _origin(port))


def foreign_page(headers: Mapping[bytes, bytes], own: str = "its own page") -> str:
    """The reason to refuse a request that a page of another server makes; else empty.

    Args:
        headers: The headers of the request.
        own: The page to open instead.
    """
    origin = text(headers, b"origin").lower()
    if origin and origin != f"http://{text(headers, b'host').lower()}":
        return f"A page of {origin} cannot use this service; open {own} instead."
    return ""


def text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """A header as text, empty if it is missing."""
    return headers.get(name, b"").decode("latin-1")


def _origin(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _split(host: str) -> tuple[str, str]:
    """Name and port of a Host header; the port is empty without one."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and port.isdigit() else (host, "")
