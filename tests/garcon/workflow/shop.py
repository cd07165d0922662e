"""The coffee shop as a module, as the command line names flows."""

from __future__ import annotations

from tests.garcon.workflow import desk

domain, name = desk.DOMAIN, desk.NAME
_flow = desk.coffee(retry=1)
grind, brew = _flow.grind, _flow.brew

woken: list[object] = []


def on_exception(*told: object) -> None:
    """Wake somebody."""
    woken.append(told)
