"""The replay gate in ``--check``: a fork of the zygote replays, as at a start, and nothing serves.

It calls SWF, so it runs only where ``--gate-replay`` was given: an image is built where there are
no credentials.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.cli.options import DEFAULT
from supervisor.core.deploy.deploy_report import describe_difference
from supervisor.ipc import channel, crash_record, messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.cli.checked_releases import CheckedRelease
    from supervisor.cli.sources import ParsedOptions
    from supervisor.config.settings import Settings

Verdict = messages.Replayed | messages.NonDeterministic | messages.FlowRefused | None


def is_wanted(parsed: ParsedOptions) -> bool:
    """Whether histories are to be replayed."""
    settings = parsed.settings
    is_given = parsed.origins["gate_replay"] != DEFAULT and not settings.gate_replay.is_off
    return is_given and settings.deciders > 0 and not settings.local


def replay(settings: Settings, zygote: channel.Channel) -> Verdict:
    """Replay in a fork of a zygote that has imported the flow; ``None`` without a verdict."""
    ours, theirs = channel.pair()
    with contextlib.closing(ours):
        with contextlib.closing(theirs):
            record = crash_record.make()
            job = messages.Replay(str(settings.gate_replay))
            zygote.send(messages.Fork(worker=1, generation=0, job=job), theirs.fileno(), record)
            os.close(record)
        return _verdict(ours, time.monotonic() + settings.replay_timeout)


def _verdict(worker: channel.Channel, until: float) -> Verdict:
    while (left := until - time.monotonic()) > 0:
        select.select([worker], [], [], left)
        message = worker.receive()
        if isinstance(
            message, messages.Replayed | messages.NonDeterministic | messages.FlowRefused
        ):
            return message
        if message is None and worker.closed:
            return None
    return None


def answer(verdict: Verdict, kept: Iterable[CheckedRelease] = ()) -> tuple[str, int]:
    """The sentences about a verdict, and the exit code; kept releases serve their builds."""
    builds = {each.build for each in kept if each.build}
    match verdict:
        case messages.Replayed(executions=executions, decisions=decisions, report=report):
            done = f"{executions} executions ({decisions} decisions) replayed without a difference."
            return f"{done} {report}".rstrip(), 0
        case messages.NonDeterministic(builds=left, report=report) if left and builds >= {*left}:
            return f"{report} Kept releases serve them.", 0
        case messages.NonDeterministic():
            return describe_difference(verdict), exit_codes.FLOW
        case messages.FlowRefused(why=why, code=code):
            return why, code
        case _:
            return "The executions were not replayed: SWF was not reached.", exit_codes.GAVE_UP
