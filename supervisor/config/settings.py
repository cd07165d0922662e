"""Settings of one supervisor: name, type, default, unit, meaning and reason of each.

Rules of this file, and of those whose classes ``Settings`` continues:

1. ``Settings`` is the only list. The flags, the environment variables (``GARCON_*``), the keys of
   the TOML file, ``--help`` and ``docs/configuration.md`` are derived from it (``cli/options.py``),
   so that no setting is missing in one of them.
2. Settings inherited from ``AdvancedSettings`` have no flag.
3. Nothing here reads a file, the environment or the clock.
4. The list is cut by subject: ``FlowSettings``, ``DeploySettings``, and the rest here. msgspec
   takes a chain of classes only, so each continues the one before, in the order of ``--help``.
"""

from typing import Annotated, Literal

from supervisor.config.advanced import Count, OneOrMore, Seconds, Text, about
from supervisor.config.deploy_settings import DeploySettings
from supervisor.config.setting_types import HttpAddress, MemorySize


class SettingsError(ValueError):
    """Invalid settings; the message says which, where they were given and what to do."""


class Settings(DeploySettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All settings of one supervisor. Sources and precedence: ``cli/sources.py``."""

    # --- tasks and workers that go wrong
    cancel_grace: Annotated[
        Seconds,
        about(
            "time that a task cancelled or closed at SWF may continue; then its worker is killed",
            why="A task learns of it at its next heartbeat, and may have to clean up.",
            unit="seconds",
        ),
    ] = 30.0
    poison_deaths: Annotated[
        OneOrMore,
        about(
            "worker deaths after which a task fails for good, or an execution is parked",
            why="Two may be bad luck, such as two choices of the OOM killer.",
            metavar="N",
        ),
    ] = 3
    on_poison_decision: Annotated[
        Literal["park", "fail"],
        about(
            "park or fail an execution whose decisions end their deciders",
            why="A parked one is attempted again, within an hour; it goes on once the code is"
            " mended.",
            metavar="HOW",
        ),
    ] = "park"
    spool: Annotated[
        Text | None,
        about(
            "folder that keeps tokens and results of tasks across a crash of the supervisor",
            why="The next supervisor reports them at once; without a spool SWF waits for the tasks'"
            " timeouts. The folder is created with mode 0700.",
            metavar="DIR",
            default="no spool",
        ),
    ] = None
    claims: Annotated[
        Text | None,
        about(
            "store for inputs and results too long for SWF: file:/a/directory or s3://bucket/prefix",
            why="All hosts of a flow need the same: one without it returns the tasks that need it.",
            metavar="URL",
            default="no claim store",
        ),
    ] = None
    max_tasks: Annotated[
        OneOrMore | None,
        about(
            "replace a worker after about this many tasks",
            why="It bounds the cost of a leak. The number varies, so that not all end at once.",
            metavar="N",
            default="never",
        ),
    ] = None
    max_memory: Annotated[
        MemorySize | None,
        about(
            "replace a worker with more resident memory than this after a task",
            why="Python seldom returns memory to the system. Resident memory (RSS) is quick to"
            " read, and the OOM killer ranks processes by it. It includes the pages that a worker"
            " shares with its zygote: the limit must be well above the size of a new worker."
            " `status` shows unique memory, without the shared pages.",
            metavar="SIZE",
            default="never",
        ),
    ] = None
    max_memory_hard: Annotated[
        MemorySize | None,
        about(
            "kill a worker with more resident memory than this during a task; the task fails",
            why="Without it the OOM killer chooses which process ends. Memory is checked"
            " once a second; shared pages count, as for --max-memory.",
            metavar="SIZE",
            default="never",
        ),
    ] = None

    # --- decisions
    sticky: Annotated[
        bool,
        about(
            "fetch only new events for a decision, or (--no-sticky) the full history",
            why="A decider remembers its executions: that costs memory, and saves most reading.",
            default="sticky",
        ),
    ] = True

    # --- log
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        about(
            "least severe level that is logged: debug, info, warning or error",
            why="info has the events of the pool; debug adds what helps to find a fault.",
            metavar="LEVEL",
        ),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"],
        about(
            "one line per event, or one JSON object",
            why="Text is for people, on a terminal with colour; JSON is for log collectors.",
        ),
    ] = "text"
    log_payloads: Annotated[
        bool,
        about(
            "log inputs and results of activities, except what looks like a secret",
            why="They may be confidential, and the SWF history has them anyway.",
        ),
    ] = False

    # --- observing
    http: Annotated[
        HttpAddress | None,
        about(
            "serve metrics, health and a page of the pool over HTTP: PORT, ADDRESS:PORT or"
            " unix:PATH",
            why="A process of its own reads them from the control socket when it is asked. A port"
            " alone is on 127.0.0.1: anyone who reaches it may read.",
            metavar="ADDRESS",
            default="not served",
        ),
    ] = None

    http_actions: Annotated[
        bool,
        about(
            "let the page of --http change the pool; a change needs its key",
            why="It scales, recycles, quiets, restarts and drains. The key is in a file beside the"
            " control socket, and would cross a network in clear: --http must be a loopback"
            " address or unix:PATH.",
        ),
    ] = False

    emf: Annotated[
        Text | None,
        about(
            "append metrics to this file once a minute, in CloudWatch's embedded metric format",
            why="The CloudWatch agent turns the lines into metrics: a host needs no scraper. - is"
            " standard output, which a container's log driver sends to CloudWatch.",
            metavar="FILE",
            default="not written",
        ),
    ] = None

    sample_executions: Annotated[
        Count,
        about(
            "open executions to read every five minutes, for metrics of those that do not go on",
            why="0 reads none. They are chosen at random, and all hosts share the reads. Each is"
            " one GetWorkflowExecutionHistory, and an account has 60 a second: 50 reads are 0.3%.",
            metavar="N",
        ),
    ] = 0
    otel: Annotated[
        bool,
        about(
            "trace with OpenTelemetry if OTEL_TRACES_EXPORTER or an OTEL_EXPORTER_OTLP_ENDPOINT is"
            " set; --no-otel: never",
            why="These variables set the collector that receives the spans. It needs garcon[otel].",
            default="otel",
        ),
    ] = True
    otel_metrics: Annotated[
        bool,
        about(
            "export metrics with OpenTelemetry, as its OTEL_* variables say",
            why="For a collector that takes metrics by OTLP. A process of its own sends them once"
            " a minute; it needs garcon[otel].",
        ),
    ] = False

    # --- permissions
    user: Annotated[
        Text | None,
        about(
            "run as this user, if started as root; socket and spool become the user's",
            why="Tasks seldom need root. Root is given up before the flow is imported.",
            metavar="NAME",
            default="the user who starts it",
        ),
    ] = None
    core_dumps: Annotated[
        bool,
        about(
            "let crashed workers write core files, which contain credentials and payloads",
            why="The Python stack is logged without them. The host's limits apply.",
        ),
    ] = False

    # --- trying a flow
    local: Annotated[
        bool,
        about(
            "run against a local SWF on 127.0.0.1 that starts and ends with the supervisor",
            why="No account, no network, no cost.",
        ),
    ] = False
    start: Annotated[
        tuple[str, ...],
        about(
            "start one execution with this input; repeatable",
            why="It saves a second terminal.",
            metavar="JSON",
        ),
    ] = ()
    once: Annotated[
        bool,
        about(
            "exit when the executions of --start have closed: 0 if all completed, else 1",
            why="A script can use the exit code.",
        ),
    ] = False

    @property
    def release(self) -> str:
        """The name of the folder that holds the flow; empty for the working folder."""
        return (self.folder or "").rpartition("/")[2]
