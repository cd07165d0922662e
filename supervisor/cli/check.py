"""``--check``: load the flow in a child process and show what would run.

The answer stands first: the error, or the task lists with their pools. The settings follow, with
the place that gave each.
"""

from __future__ import annotations

import os
import select
from math import inf
from typing import TYPE_CHECKING

from supervisor import __version__, exit_codes
from supervisor.cli import checked_releases, checked_replay
from supervisor.cli.commands import formatting
from supervisor.cli.failure import fail
from supervisor.cli.fleet_demand import ListLoad, demands, shortest_tasks
from supervisor.cli.options import DEFAULT, OPTIONS, shown
from supervisor.config import ec2_detection, releases
from supervisor.config.settings import SettingsError
from supervisor.core.pools.pool_settings import (
    NothingToServe,
    poll_bounds,
    pool_bounds,
    pool_sizes,
)
from supervisor.core.rules import interruptions
from supervisor.ipc import channel, messages
from supervisor.logs import redaction
from supervisor.parent.os_processes import ZYGOTE, Kernel

if TYPE_CHECKING:
    from supervisor.cli.checked_releases import CheckedRelease
    from supervisor.cli.fleet_demand import Demand
    from supervisor.cli.sources import ParsedOptions
    from supervisor.config.releases import Releases
    from supervisor.config.settings import Settings
    from supervisor.ipc.messages import TaskList

DEFAULT_HEARTBEAT = 600.0
"""Seconds of an activity's heartbeat timeout, if no task of it sets another."""

_Rows = list[tuple[str, str, str]]


def run(parsed: ParsedOptions) -> int:
    """Print the answer and the settings; returns the exit code."""
    code = _answer(parsed)
    _print_table([("", "", ""), *_settings_table(parsed)])
    if hidden := sum(not _is_shown(name, parsed) for name in parsed.origins):
        print(f"{hidden} other settings have their defaults: --verbose shows them.")  # noqa: T201 - answer
    return code


def _answer(parsed: ParsedOptions) -> int:
    found = checked_releases.found(parsed.settings)
    loaded, verdict = _load(parsed, str(found.serving) if found else parsed.settings.folder)
    if isinstance(loaded, messages.LoadFailed):
        return fail(loaded.why, loaded.code)
    try:
        sizes = pool_sizes(parsed.settings, loaded.task_lists)
    except NothingToServe as error:
        print(f"{error}{_build(loaded)}\n")  # noqa: T201 - answer
        return 0
    except SettingsError as error:
        return fail(error, exit_codes.USAGE)
    flow, workers = parsed.settings.flow, sum(sizes.values())
    counts = f"{len(sizes)} task lists, {workers} workers."
    print(f"The flow {flow} can be served: {counts}{_build(loaded)}\n")  # noqa: T201 - answer
    _print_table(_pool_table(sizes))
    kept: list[CheckedRelease] = []
    if found:
        swf = _swf_endpoint(parsed.settings)
        kept = checked_releases.check_kept(parsed.settings, swf, found, loaded)
        print()  # noqa: T201 - answer
        _print_table(_releases_table(found, loaded.build, kept))
    if parsed.settings.hosts > 1:
        _print_demand(parsed.settings, loaded, sizes)
    if loaded.restart_unset and _may_be_taken_away(parsed.settings):
        print()  # noqa: T201 - answer
        formatting.print_prose(f"Warning: {interruptions.text(loaded.restart_unset)}", indent="")
    if faulty := [each for each in kept if each.fault]:
        return fail(_fault_of(faulty[0]), exit_codes.FLOW)
    return _answer_replay(verdict, kept) if checked_replay.is_wanted(parsed) else 0


def _build(loaded: messages.Loaded) -> str:
    return f"\nIts build is {loaded.build}." if loaded.build else ""


def _fault_of(kept: CheckedRelease) -> str:
    return (
        f"The release {kept.name} is kept, and cannot be served. Mend or remove it, or keep fewer"
        f" (--keep-builds). {kept.fault}"
    )


def _answer_replay(verdict: checked_replay.Verdict, kept: list[CheckedRelease]) -> int:
    text, code = checked_replay.answer(verdict, kept)
    if code:
        return fail(text, code)
    print(f"\n{text}")  # noqa: T201 - answer
    return 0


def _may_be_taken_away(settings: Settings) -> bool:
    """Whether the flow is to run on EC2, or on several hosts: one of them may be replaced."""
    on_ec2 = ec2_detection.decide(settings, os.environ).ec2 == "on"
    return on_ec2 or settings.hosts > 1 or settings.asg_group is not None


# --- the fleet ------------------------------------------------------------------------------------


def _print_demand(settings: Settings, loaded: messages.Loaded, sizes: dict[TaskList, int]) -> None:
    """Print what ``--hosts`` hosts with these settings demand of the account's budgets."""
    lists = _list_loads(settings, loaded, sizes)
    print(f"\n{settings.hosts} hosts with these settings, beside the account's budgets:\n")  # noqa: T201 - answer
    rows = [_demand_row(each, settings.hosts) for each in demands(settings.hosts, lists)]
    head = ("", "demand", "budget", "share", "hosts it carries")
    for line in formatting.table(head, rows, flexible=0):
        print(line)  # noqa: T201 - answer
    seconds = shortest_tasks(settings.hosts, lists)
    print()  # noqa: T201 - answer
    formatting.print_prose(
        f"All workers can be busy at once with tasks of {seconds:.1f} s or more on average: each"
        " task costs a poll and an answer.",
        indent="",
    )


def _list_loads(
    settings: Settings, loaded: messages.Loaded, sizes: dict[TaskList, int]
) -> list[ListLoad]:
    bounds = pool_bounds(settings, loaded.task_lists)
    permits = poll_bounds(settings, loaded.task_lists)
    loads = []
    for each, size in sizes.items():
        decides = each.role is messages.Role.DECIDER
        workers = bounds[each].most if each in bounds else size
        timeout = loaded.heartbeat_timeouts.get(each.name, DEFAULT_HEARTBEAT)
        own_lists = workers if decides and settings.sticky else 0
        loads.append(
            ListLoad(
                each.name,
                decides,
                workers,
                pollers=min(workers, permits[each].least) if each in permits else workers,
                heartbeat_timeout=inf if decides else timeout,
                own_lists=own_lists,
                counted=each in bounds,
            )
        )
    return loads


def _demand_row(demand: Demand, hosts: int) -> tuple[str, ...]:
    carried = demand.carried(hosts)
    return (
        demand.what,
        f"{demand.amount:.1f}",
        f"{demand.budget:g} {demand.unit}",
        f"{demand.share:.0%}",
        "any" if carried == inf else f"{carried:.0f}",
    )


# --- tables ---------------------------------------------------------------------------------------


def _pool_table(sizes: dict[TaskList, int]) -> _Rows:
    rows = [(each.name, str(each.role), str(size)) for each, size in sizes.items()]
    return [("task list", "role", "workers"), *rows]


def _releases_table(found: Releases, build: str, kept: list[CheckedRelease]) -> _Rows:
    rows = [(each.name, "kept as retired code", each.build or "-") for each in kept]
    return [("release", "role", "build"), (found.serving.name, "serves", build or "-"), *rows]


def _settings_table(parsed: ParsedOptions) -> _Rows:
    rows = [
        (option.key, _value(getattr(parsed.settings, option.name)), parsed.origins[option.name])
        for option in OPTIONS
        if _is_shown(option.name, parsed)
    ]
    return [("setting", "value", "from"), *rows]


def _is_shown(name: str, parsed: ParsedOptions) -> bool:
    return parsed.verbose or parsed.origins[name] != DEFAULT


def _value(value: object) -> str:
    """A setting's value without what looks like a secret: in an input, or in an address."""
    if isinstance(value, tuple):
        return shown(tuple(redaction.payload(each) for each in value))
    return redaction.text(shown(value))


def _print_table(rows: _Rows) -> None:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for first, second, third in rows:
        print(f"{first:<{widths[0]}}  {second:<{widths[1]}}  {third}".rstrip())  # noqa: T201 - answer


# --- the flow -------------------------------------------------------------------------------------


def _load(
    parsed: ParsedOptions, folder: str | None
) -> tuple[messages.Loaded | messages.LoadFailed, checked_replay.Verdict]:
    """Import the flow in a zygote, as the supervisor would, and end that process.

    Returns what it says, and the verdict of the replay gate if that is wanted.
    """
    settings, verdict = parsed.settings, None
    kernel = Kernel()
    try:
        pid, end = kernel.spawn(ZYGOTE, python=releases.python_of(folder))
    except OSError as error:
        return messages.LoadFailed(f"No process could be started: {error}.", exit_codes.FLOW), None
    zygote = channel.Channel(end)
    try:
        zygote.send(_load_request(settings, folder))
        select.select([zygote], [], [], settings.import_timeout)
        reply = zygote.receive()
        if isinstance(reply, messages.Loaded) and checked_replay.is_wanted(parsed):
            verdict = checked_replay.replay(settings, zygote)
    finally:
        kernel.kill_group(pid)
        zygote.close()
    if isinstance(reply, messages.Loaded | messages.LoadFailed):
        return reply, verdict
    why = "the process ended" if zygote.closed else f"it took over {settings.import_timeout:g} s"
    return messages.LoadFailed(f"The flow cannot be imported: {why}.", exit_codes.FLOW), None


def _load_request(settings: Settings, folder: str | None) -> messages.Load:
    return messages.Load(
        generation=0,
        flow=settings.flow,
        domain=settings.domain,
        name=settings.name,
        swf=_swf_endpoint(settings),
        log=messages.LogSettings(settings.log_level, settings.log_format),
        plans=True,
        claims=settings.claims,
        build=None if settings.build is None else str(settings.build),
        folder=folder,
        version=__version__,
    )


def _swf_endpoint(settings: Settings) -> messages.SwfEndpoint:
    if settings.local:  # no local SWF runs: loading a flow makes a client but calls nothing
        return messages.SwfEndpoint(
            settings.region or "us-east-1", endpoint_url="http://127.0.0.1:1"
        )
    return messages.SwfEndpoint(settings.region, settings.profile, settings.endpoint_url)
