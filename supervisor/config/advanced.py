"""Advanced settings: set by the environment or the configuration file, without a flag.

Rules of this file:

1. A setting stands here if few hosts need it; with a flag it would only lengthen ``--help``.
2. Each has a short help text and the reason for its default (``about``). Durations are in seconds.
"""

from typing import Annotated

import msgspec

MOST = 1_000_000_000
"""More than anything that is counted here, and than 30 years in seconds: a larger number is a
typing error, and far larger ones are no longer exact."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
OneOrMore = Annotated[int, msgspec.Meta(ge=1, le=MOST)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=MOST)]
SecondsOrZero = Annotated[float, msgspec.Meta(ge=0, le=MOST)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


def about(
    help_text: str, *, why: str, unit: str = "", metavar: str = "", default: str = ""
) -> msgspec.Meta:
    """The documentation of a setting, in ``--help`` and in the configuration reference.

    Args:
        help_text: The meaning, in a few words; the default is appended to it.
        why: The reason for the default, or for the setting. Only the reference shows it.
        unit: The unit of a number, such as ``seconds``.
        metavar: The placeholder of the value; without one it is the unit, else the name.
        default: The default in words, where the value (None or a switch) does not show it.
    """
    extra = {"why": why, "unit": unit, "metavar": metavar or unit.upper(), "default": default}
    return msgspec.Meta(description=help_text, extra=extra)


class AdvancedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings without a flag."""

    # --- sticky deciders
    sticky_schedule_to_start: Annotated[
        Seconds,
        about(
            "time that a decision waits for the decider that remembers its execution",
            why="A living decider takes it within milliseconds; after five seconds it has ended or"
            " hangs, and any decider may take the decision.",
            unit="seconds",
        ),
    ] = 5.0
    sticky_executions: Annotated[
        Count,
        about(
            "executions that a decider keeps in memory",
            why="An activity costs about 2 kB, so 500 executions of 50 activities need 50 MB.",
            unit="executions",
        ),
    ] = 500
    sticky_check_ratio: Annotated[
        float,
        msgspec.Meta(ge=0),
        about(
            "share of events that a decider fetches again to verify what it remembers",
            why="One event in twenty detects results that the flow has changed, and costs 5% more"
            " reading.",
        ),
    ] = 0.05

    # --- timeouts: a worker that stays longer in one of its stages counts as hung
    import_timeout: Annotated[
        Seconds,
        about(
            "time to import the flow",
            why="Large scientific packages take most of it on a cold disk.",
            unit="seconds",
        ),
    ] = 120.0
    boot_timeout: Annotated[
        Seconds,
        about(
            "time from a worker's fork to its first poll",
            why="The flow is imported before the fork, so a worker needs milliseconds.",
            unit="seconds",
        ),
    ] = 30.0
    register_timeout: Annotated[
        Seconds,
        about(
            "time to register the domain and all types",
            why="Each type is one call, and SWF throttles them at 60 a second.",
            unit="seconds",
        ),
    ] = 120.0
    replay_timeout: Annotated[
        Seconds,
        about(
            "time of the replay gate",
            why="A hundred histories of a thousand events take seven seconds, and more to fetch;"
            " a decider of the flow's own takes longer, six seconds for 6,000 events.",
            unit="seconds",
        ),
    ] = 120.0
    poll_timeout: Annotated[
        Seconds,
        about(
            "time of one poll",
            why="SWF ends an empty poll after 60 s, and the client gives up after 75 s.",
            unit="seconds",
        ),
    ] = 90.0
    task_margin: Annotated[
        Seconds,
        about(
            "time past a task's own timeout",
            why="The task's answer may be on its way to SWF.",
            unit="seconds",
        ),
    ] = 30.0
    decision_timeout: Annotated[
        Seconds,
        about(
            "time of one decision that has no timeout at SWF",
            why="A decision takes milliseconds; a long history may take minutes to fetch.",
            unit="seconds",
        ),
    ] = 300.0
    stop_timeout: Annotated[
        Seconds,
        about(
            "time from the request to stop at once until the kill",
            why="It is enough to close files.",
            unit="seconds",
        ),
    ] = 1.0
    exit_timeout: Annotated[
        Seconds,
        about(
            "time from a worker's last task to its exit",
            why="Exit handlers of the flow may run.",
            unit="seconds",
        ),
    ] = 10.0
    report_timeout: Annotated[
        Seconds,
        about(
            "time of one report to SWF about the task of a dead worker",
            why="The client retries within it.",
            unit="seconds",
        ),
    ] = 60.0
    stacks_timeout: Annotated[
        Seconds,
        about(
            "time that a late worker has to write its stack traces before it is killed",
            why="Writing takes milliseconds, and a stopped process never writes.",
            unit="seconds",
        ),
    ] = 0.5
    reap_timeout: Annotated[
        Seconds,
        about(
            "time from the kill to the end of the process",
            why="The kernel needs some seconds to free a large process.",
            unit="seconds",
        ),
    ] = 10.0
    sidecar_timeout: Annotated[
        Seconds,
        about(
            "time that a sidecar has to end when asked",
            why="It may have a lifecycle hook to complete, a call with one retry.",
            unit="seconds",
        ),
    ] = 20.0

    # --- instance metadata
    notice_interval: Annotated[
        Seconds,
        about(
            "time between two reads of the instance metadata",
            why="The EC2 user guide recommends five seconds for interruption notices.",
            unit="seconds",
        ),
    ] = 5.0
    metadata_token_ttl: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=21600)],
        about(
            "lifetime of a session token of the instance metadata service",
            why="Six hours is the service's maximum.",
            unit="seconds",
        ),
    ] = 21600
    maintenance_lead: Annotated[
        Seconds,
        about(
            "time before scheduled maintenance at which the drain begins",
            why="Maintenance is announced days ahead, and the host is to work until shortly before"
            " it.",
            unit="seconds",
        ),
    ] = 600.0

    # --- crash loops: restarts of what died, the first at once, the next after growing waits
    min_uptime: Annotated[
        Seconds,
        about(
            "service before which a worker's death is an early one",
            why="It is longer than a start takes.",
            unit="seconds",
        ),
    ] = 5.0
    backoff_initial: Annotated[
        Seconds,
        about(
            "wait after the second early death in a row; each further wait is twice as long",
            why="It is about the time that a failing import costs.",
            unit="seconds",
        ),
    ] = 0.5
    backoff_cap: Annotated[
        Seconds,
        about(
            "longest wait before another attempt",
            why="A repair takes effect within it.",
            unit="seconds",
        ),
    ] = 30.0
    crash_loop_deaths: Annotated[
        OneOrMore,
        about(
            "early deaths in a row that are a crash loop",
            why="It is more than the three deaths of one poison task.",
            unit="deaths",
        ),
    ] = 5

    # --- comparing new code
    min_failed_tasks: Annotated[
        OneOrMore,
        about(
            "failed tasks of one list before new code is compared with the code before it",
            why="One is an accident, two may be. A high number suits flows that fail tasks on"
            " purpose.",
            unit="tasks",
        ),
    ] = 3

    # --- kept releases
    keep_unused: Annotated[
        SecondsOrZero,
        about(
            "time without an open execution of its build after which a kept release ends; 0: never",
            why="It is longer than a roll-out, in which hosts with that code still begin"
            " executions. A kept release takes four processes and 70 MiB.",
            unit="seconds",
        ),
    ] = 86_400.0

    # --- pool sizes
    max_workers_per_list: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=10_000)],
        about(
            "largest pool of one task list that settings and commands may ask for",
            why="A larger number is a typing error. No host has room for more than 10,000.",
            unit="workers",
        ),
    ] = 1000
    scale_samples: Annotated[
        OneOrMore,
        about(
            "counts in a row that ask for fewer workers before a pool shrinks",
            why="SWF's counts are estimates, and work comes in waves.",
            unit="counts",
        ),
    ] = 3

    # --- samples of executions
    sample_interval: Annotated[
        Seconds,
        about(
            "time over which the reads of --sample-executions are spread",
            why="A standstill of minutes is found within minutes, at a steady low rate.",
            unit="seconds",
        ),
    ] = 300.0
    sample_waiting: Annotated[
        Seconds,
        about(
            "age at which a task that no worker has taken counts as waiting, in a sample",
            why="If all workers are busy for longer, there are too few of them.",
            unit="seconds",
        ),
    ] = 600.0
    sample_quiet: Annotated[
        Seconds,
        about(
            "time without an event after which an execution counts as quiet, in a sample",
            why="Flows that wait for days by a timer need more.",
            unit="seconds",
        ),
    ] = 3600.0

    # --- randomness
    jitter_seed: Annotated[
        int,
        about(
            "seed of all random waits; 0 is another one at each start",
            why="The same seed repeats a run. Hosts with seeds of their own do not wait in step.",
        ),
    ] = 0
