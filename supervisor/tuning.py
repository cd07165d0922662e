"""The settings that no flag sets: tests and the odd host need them, readers of ``--help`` do not.

1. The environment and the file set them all the same, for they are ``Settings`` (``settings.py``).
2. Each says its unit and the reason for its default. Durations are seconds.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
OneOrMore = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


def about(text: str, *, metavar: str = "") -> msgspec.Meta:
    """What a setting means, for ``--help`` and for the reader of its file."""
    return msgspec.Meta(description=text, extra={"metavar": metavar})


class Tuning(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one supervisor runs on, as far as few people ever change it."""

    # --- how it decides
    sticky_schedule_to_start: Annotated[
        Seconds,
        about(
            "seconds that a decision may wait for the process that knows its execution: a living"
            " one takes it in milliseconds, so after five it has gone or hangs"
        ),
    ] = 5.0
    sticky_executions: Annotated[
        Count,
        about(
            "executions that a decider keeps in mind: some 2 kB an activity, so 50 MB for 500 of"
            " 50 activities"
        ),
    ] = 500
    sticky_check: Annotated[
        float,
        msgspec.Meta(ge=0),
        about(
            "events that are read again to check what is kept, as a share of those read anyway:"
            " one in twenty finds a flow that changes its results, and costs no more than that"
        ),
    ] = 0.05

    # --- patience: how long each stage may last before the worker counts as hung
    import_patience: Annotated[
        Seconds,
        about("seconds for importing the flow: big scientific stacks need most of it"),
    ] = 120.0
    boot_patience: Annotated[
        Seconds,
        about("seconds from fork to first poll: no import is left, so far too many"),
    ] = 30.0
    register_patience: Annotated[
        Seconds,
        about("seconds to register all types: one call each, throttled at 60/s"),
    ] = 120.0
    replay_patience: Annotated[
        Seconds,
        about(
            "seconds of the replay gate: a hundred histories of a thousand events take seven, and"
            " reading them from SWF some more; with a decider of one's own long ones take longer,"
            " 6,000 events six"
        ),
    ] = 120.0
    poll_patience: Annotated[
        Seconds,
        about("seconds of a poll: SWF ends it after 60, the client after 75"),
    ] = 90.0
    work_margin: Annotated[
        Seconds,
        about("seconds past a task's own timeout: its answer may be on its way"),
    ] = 30.0
    decision_patience: Annotated[
        Seconds,
        about("seconds of one decision where SWF tells no timeout"),
    ] = 300.0
    stop_patience: Annotated[
        Seconds,
        about("seconds between asking to stop now and killing: enough to close files"),
    ] = 1.0
    leave_patience: Annotated[
        Seconds,
        about("seconds from the last thing to do to the exit: exit handlers may run"),
    ] = 10.0
    report_patience: Annotated[
        Seconds,
        about("seconds of one report to SWF: its client retries within them"),
    ] = 60.0
    stacks_grace: Annotated[
        Seconds,
        about(
            "seconds from asking a late worker for its stacks to KILL: writing takes milliseconds,"
            " and who is stopped never writes"
        ),
    ] = 0.5
    reap_patience: Annotated[
        Seconds,
        about("seconds from KILL to the end: a big process takes some to fall apart"),
    ] = 10.0
    attendant_patience: Annotated[
        Seconds,
        about(
            "seconds for an attendant to end when asked: one may have a lifecycle hook to complete,"
            " a call that is tried twice"
        ),
    ] = 20.0

    # --- how the instance's metadata are read
    notice_interval: Annotated[
        Seconds,
        about("seconds between two looks for notices: as the EC2 user guide advises"),
    ] = 5.0
    metadata_token_ttl: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=21600)],
        about("seconds that a metadata token lasts: six hours are the most there is"),
    ] = 21600
    maintenance_lead: Annotated[
        Seconds,
        about(
            "seconds before scheduled maintenance at which a drain begins: it is known for days,"
            " and the host shall serve them"
        ),
    ] = 600.0

    # --- rests: how soon a dead worker's seat is filled again (the first time: at once)
    rest_initial: Annotated[
        Seconds, about("seconds of the first rest: about what a bad import costs")
    ] = 0.5
    rest_factor: Annotated[
        float, msgspec.Meta(ge=1), about("growth of rests: twice is the custom")
    ] = 2.0
    rest_cap: Annotated[Seconds, about("longest rest in seconds: a repair is seen within it")] = (
        30.0
    )
    lasting: Annotated[
        Seconds,
        about("seconds of service that clear a seat's rests: longer than a start"),
    ] = 5.0
    intensity_deaths: Annotated[
        Count,
        about("early deaths per seat within the period that trip a task list"),
    ] = 5
    intensity_period: Annotated[Seconds, about("seconds over which early deaths are counted")] = (
        60.0
    )
    generation_tries: Annotated[
        Count,
        about("zygotes that may be lost in a row before the pool is given up"),
    ] = 5
    report_tries: Annotated[
        Count,
        about(
            "reporters for a task without timeout: at a minute and a rest each, they outlive half"
            " an hour without SWF (a task with a timeout is tried until then)"
        ),
    ] = 20

    # --- new code
    proving_deaths: Annotated[
        Count,
        about(
            "deaths of its first workers that a new generation is forgiven: a third is no accident"
        ),
    ] = 2
    trial_failures: Annotated[
        OneOrMore,
        about(
            "failed tasks of one list before new code is judged by them: one is an accident, two"
            " may be"
        ),
    ] = 3
    trial_deviations: Annotated[
        float,
        msgspec.Meta(gt=0),
        about(
            "standard deviations by which new code must fail more tasks than the code before:"
            " chance alone exceeds three about once in a thousand"
        ),
    ] = 3.0

    # --- sizes of pools
    most_workers: Annotated[
        OneOrMore,
        about("workers of one list beyond which a request is a slip of the finger"),
    ] = 1000
    scale_samples: Annotated[
        OneOrMore,
        about(
            "counts in a row that want fewer workers before a pool shrinks: SWF's are estimates,"
            " and work comes in waves"
        ),
    ] = 3

    # --- chance
    seed: Annotated[int, about("seed of the jitter: a run can be repeated")] = 0
