"""``logs``: what the supervisor has noted of late, and with ``-f`` what it notes from now on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from supervisor.commands import showing
from supervisor.commands.asking import connect
from supervisor.messages import asks

if TYPE_CHECKING:
    import argparse


def run(given: argparse.Namespace) -> int:
    """Show them, oldest first."""
    with connect(given) as supervisor:
        supervisor.ask(asks.AskLogs(follow=given.follow))
        while isinstance(said := supervisor.answer(), asks.Told):
            show(said, json=given.json)
        if given.follow:
            for told in supervisor.notes():
                show(told, json=given.json)
    return 0


def show(told: asks.Told, *, json: bool) -> None:
    """One note."""
    if json:
        facts = {"time": told.time, "level": told.level, "event": told.event, "text": told.text}
        showing.as_json({**told.facts, **facts})
    else:
        stamp = time.strftime("%H:%M:%S", time.localtime(told.time))
        showing.prose(f"{stamp} {told.level.upper():<7} {told.text}", indent=" " * 17)
    sys.stdout.flush()
