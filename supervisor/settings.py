"""Every setting, once: its name, type, default, unit and reason.

Rules of this file:

1. ``Settings`` is the only list. The command line, the environment (``GARCON_*``), the TOML file
   and ``--help`` are made from it (``options.py``), so that no setting can be in one and not in
   another.
2. A number says its unit and the reason for its default. Durations are seconds.
3. What is inherited of ``Tuning`` has no flag, and is set by file and environment alone.
4. Pure: nothing here reads a file, the environment or the clock.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from supervisor.histories import Histories
from supervisor.sizes import Size
from supervisor.spans import Span
from supervisor.surges import Surge
from supervisor.tuning import Count, OneOrMore, Seconds, Tuning, about

Text = Annotated[str, msgspec.Meta(min_length=1)]


class SettingsError(ValueError):
    """The settings cannot be served; the message is one sentence for the person who set them."""


class Settings(Tuning, frozen=True, forbid_unknown_fields=True, kw_only=True):
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
    ] = msgspec.field(default_factory=dict)
    scale: Annotated[
        dict[str, Span],
        about(
            "size one activity list's pool by the tasks that wait for it, within these bounds;"
            " repeatable",
            metavar="LIST=MIN..MAX",
        ),
    ] = msgspec.field(default_factory=dict)
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
        OneOrMore,
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
        OneOrMore | None,
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
