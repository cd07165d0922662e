"""The coffee flow as a module, as the command line names flows."""

from __future__ import annotations

from tests.garcon.executions import served_flow

domain, name = served_flow.DOMAIN, served_flow.NAME
_flow = served_flow.coffee(retry=1)
grind, brew = _flow.grind, _flow.brew

unordered = served_flow.coffee()
"""A flow that decides otherwise: it brews before it has ground."""

unordered.brew.requires = []

exceptions: list[object] = []
"""Arguments of each call of ``on_exception``."""


def on_exception(*arguments: object) -> None:
    """Record the call."""
    exceptions.append(arguments)
