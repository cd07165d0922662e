"""Every setting, once: its name, type, default, unit and reason.

Rules of this file:

1. ``Settings`` is the only list. The command line, the environment (``GARCON_*``), the TOML file
   and ``--help`` are made from it (``options.py``), so that no setting can be in one and not in
   another.
2. A number says its unit and the reason for its default. Durations are seconds.
3. A setting that no flag sets (``Hidden``) can still be set by file and environment: tests and the
   odd host need it, the reader of ``--help`` does not.
4. Pure: nothing here reads a file, the environment or the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec

from supervisor.histories import Histories
from supervisor.sizes import Size
from supervisor.spans import Span
from supervisor.surges import Surge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.messages import TaskList

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class SettingsError(ValueError):
    """The settings cannot be served; the message is one sentence for the person who set them."""


def about(text: str, *, metavar: str = "", hidden: bool = False) -> msgspec.Meta:
    """What a setting means, for ``--help`` and for the reader of this file."""
    return msgspec.Meta(description=text, extra={"metavar": metavar, "hidden": hidden})


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one supervisor runs on. Sources and precedence: ``options.py``."""

    # --- which flow, where
    flow: Annotated[
        Text, about("the flow: a module, module:object, or module:Class", metavar="MODULE[:NAME]")
    ] = ""
    domain: Annotated[Text | None, about("SWF domain, over what the flow says", metavar="NAME")] = (
        None
    )
    name: Annotated[Text | None, about("flow name, over what the flow says", metavar="NAME")] = None
    region: Annotated[Text | None, about("AWS region, over boto3's own chain", metavar="NAME")] = (
        None
    )
    profile: Annotated[
        Text | None, about("AWS profile, over boto3's own chain", metavar="NAME")
    ] = None
    endpoint_url: Annotated[Text | None, about("SWF endpoint, over boto3's own", metavar="URL")] = (
        None
    )

    # --- how many
    workers: Annotated[
        Count, about("activity workers for each activity task list (default 1)", metavar="N")
    ] = 1
    deciders: Annotated[
        Count, about("decider workers (default 1; 0 leaves decisions to other hosts)", metavar="N")
    ] = 1
    pools: Annotated[
        dict[str, Count],
        about(
            "workers for one list, by activity name or full task list; 0 leaves it to other hosts;"
            " repeatable",
            metavar="LIST=N",
        ),
    ] = {}

    scale: Annotated[
        dict[str, Span],
        about(
            "size one activity list's pool by the tasks that wait for it, within these bounds;"
            " repeatable",
            metavar="LIST=MIN..MAX",
        ),
    ] = {}
    scale_interval: Annotated[
        Seconds,
        about(
            "seconds between two counts of the waiting tasks of --scale: each list takes one of"
            " the 6 such calls a second that an account has for all of its hosts (default 30)",
            metavar="SECONDS",
        ),
    ] = 30.0

    # --- who may ask
    control: Annotated[
        Text | None,
        about(
            "unix socket that the commands (status, restart, ...) speak to; 'none' for none"
            " (default: garcon-FLOW.sock in /run for root, else in $XDG_RUNTIME_DIR)",
            metavar="PATH",
        ),
    ] = None
    # --- how new code takes over
    surge: Annotated[
        Surge,
        about(
            "processes that a restart may run beside the pool, or a share of it (default 100%:"
            " all seats at once); canaries come on top",
            metavar="N|PERCENT",
        ),
    ] = Surge("100%")
    probation: Annotated[
        Annotated[float, msgspec.Meta(ge=0)],
        about(
            "seconds that the code before is kept, to return to if the new one trips (default 60:"
            " what trips a list does so within them; 0 keeps none)",
            metavar="SECONDS",
        ),
    ] = 60.0
    gate_replay: Annotated[
        Histories | None,
        about(
            "stop new code that decides otherwise than these histories show: a folder of files, or"
            " the N latest executions",
            metavar="DIR|last:N",
        ),
    ] = None
    late_tasks: Annotated[
        Literal["run", "hand-back"],
        about(
            "activity tasks that the last poll of a leaving worker still brings: done here"
            " (default), or handed back unbegun, which costs no try"
        ),
    ] = "run"

    # --- how it ends
    drain_timeout: Annotated[
        Seconds | None,
        about(
            "seconds that a drain may take before what is left is abandoned (default: as long as"
            " the tasks in hand may, by their own timeouts)",
            metavar="SECONDS",
        ),
    ] = None

    # --- at home on EC2
    ec2: Annotated[
        Literal["auto", "on", "off"],
        about(
            "heed the notices of the EC2 instance that this is (default auto: if it is one); never"
            " with --local, nor where AWS_EC2_METADATA_DISABLED is true"
        ),
    ] = "auto"
    notice_margin: Annotated[
        Seconds,
        about(
            "seconds before the instance's end at which what is still in hand is handed back: SWF"
            " has to be told of each task (default 30, of the two minutes that spot gives)",
            metavar="SECONDS",
        ),
    ] = 30.0
    on_rebalance: Annotated[
        Literal["log", "drain"],
        about(
            "what a rebalance recommendation does (default log: it may come hours too early, or"
            " without an end)"
        ),
    ] = "log"
    asg_group: Annotated[
        Text | None, about("auto scaling group, over what describing tells", metavar="NAME")
    ] = None
    asg_hook: Annotated[
        Text | None, about("its termination hook, over what describing tells", metavar="NAME")
    ] = None
    protect_busy: Annotated[
        bool,
        about("protect the instance from scale-in while tasks are in hand (SetInstanceProtection)"),
    ] = False

    # --- what is let go, and what is kept
    cancel_grace: Annotated[
        Seconds,
        about(
            "seconds that a task may go on when SWF no longer wants it, before its worker is"
            " killed: a cooperative one sees it at its next heartbeat (default 30)",
            metavar="SECONDS",
        ),
    ] = 30.0
    poison_deaths: Annotated[
        Annotated[int, msgspec.Meta(ge=1)],
        about(
            "deaths of its workers after which a task fails for good: two may be bad luck"
            " (default 3)",
            metavar="N",
        ),
    ] = 3
    spool: Annotated[
        Text | None,
        about(
            "folder where tokens and results of tasks in hand outlive even the supervisor, to be"
            " delivered at its next start",
            metavar="DIR",
        ),
    ] = None

    # --- when a worker is replaced by a fresh one
    max_tasks: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        about("replace a worker after about so many tasks", metavar="N"),
    ] = None
    max_memory: Annotated[
        Size | None,
        about("replace a worker that is bigger than this between tasks", metavar="SIZE"),
    ] = None
    max_memory_hard: Annotated[
        Size | None,
        about("kill a worker that is bigger than this in a task; the task fails", metavar="SIZE"),
    ] = None

    # --- how it decides
    no_sticky: Annotated[
        bool,
        about(
            "have deciders poll one list and read the whole history at each decision; by default"
            " an execution comes back to the process that knows it, which reads what is new"
        ),
    ] = False
    sticky_schedule_to_start: Annotated[
        Seconds,
        about(
            "seconds that a decision may wait for the process that knows its execution: a living"
            " one takes it in milliseconds, so after five it has gone or hangs",
            hidden=True,
        ),
    ] = 5.0
    sticky_executions: Annotated[
        Count,
        about(
            "executions that a decider keeps in mind: some 2 kB an activity, so 50 MB for 500 of"
            " 50 activities",
            hidden=True,
        ),
    ] = 500
    sticky_check: Annotated[
        float,
        msgspec.Meta(ge=0),
        about(
            "events that are read again to check what is kept, as a share of those read anyway:"
            " one in twenty finds a flow that changes its results, and costs no more than that",
            hidden=True,
        ),
    ] = 0.05

    # --- what is said
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], about("least level that is logged")
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], about("a line for people, or one JSON object a line")
    ] = "text"

    log_payloads: Annotated[
        bool,
        about(
            "log inputs and results of activities, what looks like a secret left out (default: no;"
            " SWF's history has them)"
        ),
    ] = False

    # --- who it runs as, and what its processes leave behind
    allow_root: Annotated[
        bool,
        about("run as root all the same: every task of the flow does, too (not asked of --local)"),
    ] = False
    core_dumps: Annotated[
        bool,
        about(
            "let workers that crash leave core files, as far as the host's limits go: they hold"
            " credentials and payloads (default: no; the Python stack is logged either way)"
        ),
    ] = False

    # --- trying it out
    local: Annotated[
        bool, about("run against an Amazon SWF of our own on 127.0.0.1, started for the purpose")
    ] = False
    start: Annotated[
        tuple[str, ...],
        about("start one execution with this input; repeatable", metavar="JSON"),
    ] = ()
    once: Annotated[
        bool,
        about("exit when the executions of --start have closed: 0 if all completed, else 1"),
    ] = False

    # --- patience: how long each stage may last before the worker counts as hung
    import_patience: Annotated[
        Seconds,
        about("seconds for importing the flow: big scientific stacks need most of it", hidden=True),
    ] = 120.0
    boot_patience: Annotated[
        Seconds,
        about("seconds from fork to first poll: no import is left, so far too many", hidden=True),
    ] = 30.0
    register_patience: Annotated[
        Seconds,
        about("seconds to register all types: one call each, throttled at 60/s", hidden=True),
    ] = 120.0
    replay_patience: Annotated[
        Seconds,
        about(
            "seconds of the replay gate: a hundred histories of a thousand events take half a"
            " minute, and reading them from SWF some seconds more",
            hidden=True,
        ),
    ] = 120.0
    poll_patience: Annotated[
        Seconds,
        about("seconds of a poll: SWF ends it after 60, the client after 75", hidden=True),
    ] = 90.0
    work_margin: Annotated[
        Seconds,
        about("seconds past a task's own timeout: its answer may be on its way", hidden=True),
    ] = 30.0
    decision_patience: Annotated[
        Seconds,
        about("seconds of one decision where SWF tells no timeout", hidden=True),
    ] = 300.0
    stop_patience: Annotated[
        Seconds,
        about("seconds between asking to stop now and killing: enough to close files", hidden=True),
    ] = 1.0
    leave_patience: Annotated[
        Seconds,
        about("seconds from the last thing to do to the exit: exit handlers may run", hidden=True),
    ] = 10.0
    report_patience: Annotated[
        Seconds,
        about("seconds of one report to SWF: its client retries within them", hidden=True),
    ] = 60.0
    stacks_grace: Annotated[
        Seconds,
        about(
            "seconds from asking a late worker for its stacks to KILL: writing takes milliseconds,"
            " and who is stopped never writes",
            hidden=True,
        ),
    ] = 0.5
    reap_patience: Annotated[
        Seconds,
        about("seconds from KILL to the end: a big process takes some to fall apart", hidden=True),
    ] = 10.0
    attendant_patience: Annotated[
        Seconds,
        about(
            "seconds for an attendant to end when asked: one may have a lifecycle hook to complete,"
            " a call that is tried twice",
            hidden=True,
        ),
    ] = 20.0

    # --- how the instance's metadata are read
    notice_interval: Annotated[
        Seconds,
        about("seconds between two looks for notices: as the EC2 user guide advises", hidden=True),
    ] = 5.0
    metadata_token_ttl: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=21600)],
        about("seconds that a metadata token lasts: six hours are the most there is", hidden=True),
    ] = 21600
    maintenance_lead: Annotated[
        Seconds,
        about(
            "seconds before scheduled maintenance at which a drain begins: it is known for days,"
            " and the host shall serve them",
            hidden=True,
        ),
    ] = 600.0

    # --- rests: how soon a dead worker's seat is filled again (the first time: at once)
    rest_initial: Annotated[
        Seconds, about("seconds of the first rest: about what a bad import costs", hidden=True)
    ] = 0.5
    rest_factor: Annotated[
        float, msgspec.Meta(ge=1), about("growth of rests: twice is the custom", hidden=True)
    ] = 2.0
    rest_cap: Annotated[
        Seconds, about("longest rest in seconds: a repair is seen within it", hidden=True)
    ] = 30.0
    lasting: Annotated[
        Seconds,
        about("seconds of service that clear a seat's rests: longer than a start", hidden=True),
    ] = 5.0
    intensity_deaths: Annotated[
        Count,
        about("early deaths per seat within the period that trip a task list", hidden=True),
    ] = 5
    intensity_period: Annotated[
        Seconds, about("seconds over which early deaths are counted", hidden=True)
    ] = 60.0
    generation_tries: Annotated[
        Count,
        about("zygotes that may be lost in a row before the pool is given up", hidden=True),
    ] = 5
    proving_deaths: Annotated[
        Count,
        about(
            "deaths of its first workers that a new generation is forgiven: a third is no accident",
            hidden=True,
        ),
    ] = 2
    trial_failures: Annotated[
        Annotated[int, msgspec.Meta(ge=1)],
        about(
            "failed tasks of one list before new code is judged by them: one is an accident, two"
            " may be",
            hidden=True,
        ),
    ] = 3
    trial_deviations: Annotated[
        Seconds,
        about(
            "standard deviations by which new code must fail more tasks than the code before:"
            " chance alone exceeds three about once in a thousand",
            hidden=True,
        ),
    ] = 3.0
    report_tries: Annotated[
        Count,
        about(
            "reporters for a task without timeout: at a minute and a rest each, they outlive half"
            " an hour without SWF (a task with a timeout is tried until then)",
            hidden=True,
        ),
    ] = 20

    most_workers: Annotated[
        Annotated[int, msgspec.Meta(ge=1)],
        about("workers of one list beyond which a request is a slip of the finger", hidden=True),
    ] = 1000
    scale_samples: Annotated[
        Annotated[int, msgspec.Meta(ge=1)],
        about(
            "counts in a row that want fewer workers before a pool shrinks: SWF's are estimates,"
            " and work comes in waves",
            hidden=True,
        ),
    ] = 3

    seed: Annotated[int, about("seed of the jitter: a run can be repeated", hidden=True)] = 0


def pool_sizes(settings: Settings, task_lists: Iterable[TaskList]) -> dict[TaskList, int]:
    """Seats wanted on each task list, in the flow's order.

    Raises ``SettingsError`` as ``spans`` does, for ``--pool`` too, and when no seat is left at all.
    """
    lists = tuple(task_lists)
    asked, bounds = _by_list("--pool", settings.pools, lists), spans(settings, lists)
    sizes = {each: asked.get(each, _usual_size(settings, each)) for each in lists}
    sizes |= {each: span.within(sizes[each]) for each, span in bounds.items()}
    if not any(sizes.values()) and not bounds:
        raise SettingsError(
            "No worker would run: every pool has zero seats. Raise --workers, --deciders or --pool."
        )
    return sizes


def spans(settings: Settings, task_lists: Iterable[TaskList]) -> dict[TaskList, Span]:
    """The bounds of the lists that are sized by their backlog.

    Raises ``SettingsError`` for a list that the flow has not, or that is given twice, and for the
    decider's: how many decisions wait says little, for each takes milliseconds.
    """
    found = _by_list("--scale", settings.scale, tuple(task_lists))
    for each in found:
        if each.role != "activity":
            raise SettingsError(f"--scale {each.name}: it is the decider's list; use --deciders.")
    return found


def named(name: str, lists: Iterable[TaskList]) -> list[TaskList]:
    """The lists that people mean by a name: a full name, else an activity's own.

    A full one wins: the short ones of two activities may be alike.
    """
    known = tuple(lists)
    return [each for each in known if each.name == name] or [
        each for each in known if each.short == name
    ]


def _usual_size(settings: Settings, task_list: TaskList) -> int:
    return settings.deciders if task_list.role == "decider" else settings.workers


def _by_list(flag: str, given: dict[str, T], lists: tuple[TaskList, ...]) -> dict[TaskList, T]:
    by_list: dict[TaskList, T] = {}
    for name, value in given.items():
        found = named(name, lists)
        if len(found) != 1:
            raise SettingsError(f"{flag} {name}: {no_list(lists)}")
        if found[0] in by_list:
            raise SettingsError(f"The list {found[0].name} is given twice in {flag}.")
        by_list[found[0]] = value
    return by_list


def no_list(lists: Iterable[TaskList]) -> str:
    """What to say of a name that is not one list's."""
    known = ", ".join(each.short or each.name for each in lists) or "none"
    return f"the flow has no such task list; it has: {known}."
