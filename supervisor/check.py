"""``--check``: loads the flow in a child and shows what would run, and who asked for it."""

from __future__ import annotations

import select
import sys
from typing import TYPE_CHECKING

from supervisor import channel, exits, kernel, messages, redaction
from supervisor.options import OPTIONS
from supervisor.per_list import pool_sizes
from supervisor.settings import SettingsError

if TYPE_CHECKING:
    from supervisor.options import Said
    from supervisor.settings import Settings


def run(said: Said) -> int:
    """Print the effective settings, the task lists and the pools; returns the exit code."""
    _show(_settings_table(said))
    answer = _load(said)
    if isinstance(answer, messages.CannotLoad):
        print(f"supervisor: {answer.why}", file=sys.stderr)  # noqa: T201 - the command's answer
        return answer.code
    try:
        sizes = pool_sizes(said.settings, answer.task_lists)
    except SettingsError as error:
        print(f"supervisor: {error}", file=sys.stderr)  # noqa: T201 - same
        return exits.USAGE
    _show([("", "", "")])
    _show([("task list", "role", "workers")])
    _show([(each.name, str(each.role), str(size)) for each, size in sizes.items()])
    return 0


def _settings_table(said: Said) -> list[tuple[str, str, str]]:
    rows = [("setting", "value", "from")]
    for each in OPTIONS:
        origin = said.origins[each.name]
        if not each.hidden or origin != "default":
            rows.append((each.name, _shown(getattr(said.settings, each.name)), origin))
    return rows


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={size}" for name, size in value.items()) or "-"
    if isinstance(value, tuple):
        return " ".join(redaction.payload(each) for each in value) or "-"  # inputs of --start
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def _show(rows: list[tuple[str, str, str]]) -> None:
    for first, second, third in rows:
        print(f"{first:<20} {second:<32} {third}".rstrip())  # noqa: T201 - the command's answer


def _place(settings: Settings) -> messages.Place:
    if settings.local:  # not started for a check, which calls nothing
        return messages.Place(settings.region or "us-east-1", endpoint_url="http://127.0.0.1:1")
    return messages.Place(settings.region, settings.profile, settings.endpoint_url)


def _load(said: Said) -> messages.Loaded | messages.CannotLoad:
    settings = said.settings
    load = messages.Load(
        generation=0,
        flow=settings.flow,
        domain=settings.domain,
        name=settings.name,
        place=_place(settings),
        log=messages.LogStyle(settings.log_level, settings.log_format),
    )
    pid, end = kernel.spawn(kernel.ZYGOTE)
    ours = channel.Channel(end)
    try:
        ours.say(load)
        select.select([ours], [], [], settings.import_patience)
        answer = ours.hear()
    finally:
        kernel.kill_group(pid)
        ours.close()
    if isinstance(answer, messages.Loaded | messages.CannotLoad):
        return answer
    gone = "ended without a word" if ours.closed else f"took over {settings.import_patience:g} s"
    return messages.CannotLoad(f"The flow cannot be loaded: its import {gone}.", exits.FLOW)
