"""The alarms of a pool: one table for Prometheus' rules, CloudWatch's alarms and the documentation.

Rules:

1. An alarm asks a person to act. What heals by itself has none, or waits until it should have.
2. Each has a reason for its threshold and a first look, so that it can be changed with a reason.
3. ``page`` is for what harms executions now; ``ticket`` for what can wait for the morning.
4. Expressions keep ``job``, so that several flows in one Prometheus stay apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Scope = Literal["host", "list", "operation"]
"""The subject of a CloudWatch alarm: the flow's hosts together, each task list, each call of SWF's
interface."""


@dataclass(frozen=True)
class Statistic:
    """A metric of ``--emf`` in a CloudWatch alarm.

    Attributes:
        metric: Its name.
        statistic: How a period's values of all hosts become one.
    """

    metric: str
    statistic: Literal["Sum", "Maximum"]


@dataclass(frozen=True)
class Watch:
    """The CloudWatch form of an alarm.

    Attributes:
        scope: What one alarm is for.
        values: The metrics by the name that the expression uses.
        expression: What is compared.
        above: The threshold; or the name of the template's parameter that holds it.
        is_below: Whether less than the threshold is bad, not more.
        period: Seconds of one value.
        periods: Bad values in a row until the alarm.
        is_missing_bad: Whether no values at all are bad, too.
    """

    scope: Scope
    values: dict[str, Statistic]
    expression: str
    above: float | str = 0
    is_below: bool = False
    period: int = 60
    periods: int = 5
    is_missing_bad: bool = False


@dataclass(frozen=True)
class Alarm:
    """One alarm.

    Attributes:
        name: Its name in both systems.
        severity: Whom it is for, see above.
        summary: What has happened; ``{{ $labels.x }}`` is filled in by Prometheus.
        expression: PromQL.
        minutes: How long that must hold.
        reason: Why this threshold.
        look: Where to look first.
        watch: The CloudWatch form; ``None`` where ``--emf`` has no such metric.
    """

    name: str
    severity: Literal["page", "ticket"]
    summary: str
    expression: str
    minutes: int
    reason: str
    look: str
    watch: Watch | None = None


_ENDED = {
    "completed": Statistic("TasksCompleted", "Sum"),
    "failed": Statistic("TasksFailed", "Sum"),
    "lost": Statistic("TasksLost", "Sum"),
}

ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "HostDoesNotServe",
        "page",
        "The host {{ $labels.instance }} does not serve.",
        "garcon_healthy == 0 and garcon_draining == 0",
        5,
        "Dead workers are replaced within seconds, and a deploy keeps the old code until the new"
        " one serves: five minutes are not a transition.",
        "`/ready` of the host, or `status --healthy`, has the reason",
        Watch(
            "host",
            {"healthy": Statistic("HealthyHosts", "Sum")},
            "healthy",
            "MinHosts",
            is_below=True,
            is_missing_bad=True,
        ),
    ),
    Alarm(
        "NoHostReports",
        "page",
        "No supervisor has been scraped.",
        "absent(garcon_healthy)",
        5,
        "A rule over metrics that are gone is silent. A host that is replaced is gone for less.",
        "the scraper's targets, then the unit's log",
    ),
    Alarm(
        "WorkersDieAtStart",
        "page",
        "The workers of {{ $labels.task_list }} die as soon as they start.",
        "max by (job, task_list) (garcon_degraded) == 1",
        1,
        "The supervisor calls a list degraded after five early deaths in a row: that is not"
        " chance.",
        "the log's `list_degraded`, with the last death",
    ),
    Alarm(
        "TasksFail",
        "page",
        "More than a tenth of the tasks of {{ $labels.task_list }} fail.",
        '(sum by (job, task_list) (increase(garcon_tasks_total{result="failed"}[10m])) >'
        " 0.1 * sum by (job, task_list) (increase(garcon_tasks_total[10m])))"
        " and sum by (job, task_list) (increase(garcon_tasks_total[10m])) > 10",
        5,
        "Retries hide single failures; a tenth means a common cause. At most ten tasks in ten"
        " minutes are too few for a share.",
        "`python -m garcon list --status FAILED`",
        Watch(
            "list",
            _ENDED,
            "IF(completed + failed + lost > 10, failed / (completed + failed + lost), 0)",
            0.1,
            period=600,
            periods=1,
        ),
    ),
    Alarm(
        "TasksKillWorkers",
        "ticket",
        "A worker of {{ $labels.task_list }} died with its task.",
        'sum by (job, task_list) (increase(garcon_tasks_total{result="lost"}[10m])) > 0',
        0,
        "A task that ends its process is a fault of code or memory. Its retry may do the same.",
        "the log's `worker_died` has the cause and the task",
        Watch("list", {"lost": _ENDED["lost"]}, "lost", period=600, periods=1),
    ),
    Alarm(
        "WorkersDie",
        "ticket",
        "Workers die ({{ $labels.kind }}).",
        "sum by (job, kind) (increase(garcon_worker_deaths_total[30m])) > 5",
        0,
        "A dead worker is replaced at once. More than five deaths of one kind in half an hour have"
        " a common cause, such as too little memory.",
        "the log's `worker_died`; `garcon_worker_memory_bytes`",
    ),
    Alarm(
        "NewCodeWasStopped",
        "page",
        "New code failed a gate or its probation ({{ $labels.event }}).",
        "sum by (job, event) (increase(garcon_events_total"
        '{event=~"generation_failed|generation_rolled_back"}[1h])) > 0',
        0,
        "The old code goes on, so nothing is broken; but the person who deployed believes"
        " otherwise.",
        "the deploy report in the log, or `status`",
    ),
    Alarm(
        "ExecutionsAreStuck",
        "page",
        "Executions wait for code that fits.",
        "sum by (job) (garcon_stuck_executions) > 0",
        15,
        "While a fleet is replaced, executions wait for hosts of their build for some minutes."
        " After that no host will come.",
        "`python -m garcon list --stuck`",
    ),
    Alarm(
        "ReportsAreLate",
        "page",
        "Tasks of dead workers are not reported to SWF.",
        "sum by (job) (garcon_pending_reports) > 0",
        5,
        "A report takes one call. Later ones mean an outage or a missing permission, and the tasks"
        " stand still until their timeout.",
        "the log's `report_lost`",
        Watch("host", {"pending": Statistic("PendingReports", "Maximum")}, "pending"),
    ),
    Alarm(
        "BacklogIsLong",
        "ticket",
        "More than ten tasks for each worker wait in {{ $labels.task_list }}.",
        "max by (job, task_list) (garcon_backlog_tasks) >"
        " 10 * sum by (job, task_list) (garcon_workers_desired)",
        15,
        "The last task waits ten times as long as a task takes. Choose the wait that your flow"
        " bears; fifteen minutes let `--scale` and the group grow first.",
        "`garcon_workers`: are all busy? Then more workers, or hosts",
        Watch(
            "list",
            {
                "waiting": Statistic("TasksWaiting", "Maximum"),
                "desired": Statistic("WorkersDesired", "Sum"),
            },
            "IF(desired > 0, waiting / desired, waiting)",
            "BacklogPerWorker",
            periods=15,
        ),
    ),
    Alarm(
        "NoWorkerIsFree",
        "ticket",
        "All workers of {{ $labels.task_list }} are busy.",
        '(sum by (job, task_list) (garcon_workers{state="working"}) >='
        ' 0.95 * sum by (job, task_list) (garcon_workers{state=~"idle|working"})) > 0',
        30,
        "Short peaks are what a pool is for. Half an hour without a free worker means that the next"
        " task waits.",
        "the tasks' durations: are they longer than yesterday? Then `scale`",
        Watch(
            "list",
            {
                "busy": Statistic("WorkersBusy", "Sum"),
                "ready": Statistic("WorkersReady", "Sum"),
            },
            "IF(ready > 0, busy / ready, 0)",
            0.95,
            period=300,
            periods=6,
        ),
    ),
    Alarm(
        "TasksWaitLong",
        "ticket",
        "One in twenty tasks of {{ $labels.task_list }} waits for more than five minutes.",
        "histogram_quantile(0.95, sum by (job, task_list, le)"
        " (rate(garcon_task_wait_seconds_bucket[15m]))) > 300",
        15,
        "Five minutes are longer than a host needs to start. Choose the wait that your flow bears.",
        "`garcon_workers`: are all busy? Then more workers, or hosts",
        Watch(
            "list",
            {
                "waited": Statistic("WaitSeconds", "Sum"),
                "started": Statistic("TasksStarted", "Sum"),
            },
            "IF(started > 0, waited / started, 0)",
            300,
            period=300,
            periods=3,
        ),
    ),
    Alarm(
        "ExecutionsWait",
        "ticket",
        "More than a tenth of the sampled executions wait for a worker.",
        'sum by (job) (garcon_sampled_standstills{cause="waiting"}) >'
        " 0.1 * sum by (job) (garcon_sampled_executions)",
        15,
        "With `--sample-executions`: a task that no worker takes for ten minutes is in a list"
        " without workers, or with too few. One may be chance, a tenth of the sample is not.",
        "`python -m garcon list --waiting 10min`: which lists? Does another program serve them?",
        Watch(
            "host",
            {
                "waiting": Statistic("SampledWaiting", "Sum"),
                "sampled": Statistic("SampledExecutions", "Sum"),
            },
            "IF(sampled > 0, waiting / sampled, 0)",
            0.1,
            period=300,
            periods=3,
        ),
    ),
    Alarm(
        "SwfThrottles",
        "ticket",
        "SWF throttles {{ $labels.operation }}.",
        'sum by (operation) (increase(garcon_swf_calls_total{result="throttled"}[15m])) >'
        " 0.05 * sum by (operation) (increase(garcon_swf_calls_total[15m]))",
        15,
        "Workers repeat single throttled calls unnoticed. One in twenty for a quarter of an hour"
        " means that the account's budget is spent: polls and heartbeats come late.",
        "`garcon_swf_budget_seconds_total` by operation, and the account's other programs",
        Watch(
            "operation",
            {"calls": Statistic("Calls", "Sum"), "throttled": Statistic("CallsThrottled", "Sum")},
            "IF(calls > 0, throttled / calls, 0)",
            0.05,
            period=300,
            periods=3,
        ),
    ),
    Alarm(
        "BudgetIsShort",
        "ticket",
        "The fleet spends 70% of the account's budget of {{ $labels.operation }}.",
        "sum by (operation) (rate(garcon_swf_budget_seconds_total[15m])) > 0.7",
        15,
        "At 100% SWF throttles. Bursts and the account's other programs come on top, and a higher"
        " quota takes time.",
        "`--check --hosts N` has what the fleet demands: fewer polls or counts, or a higher quota",
        Watch(
            "operation",
            {"used": Statistic("BudgetUsed", "Sum")},
            "used",
            70,
            periods=15,
        ),
    ),
    Alarm(
        "SwfDoesNotAnswer",
        "page",
        "Half of the calls to SWF get no answer.",
        'sum by (job) (increase(garcon_swf_calls_total{result="failed"}[10m])) >'
        " 0.5 * sum by (job) (increase(garcon_swf_calls_total[10m]))",
        5,
        "Workers wait and go on by themselves when SWF answers again. Until then nothing happens,"
        " and heartbeats are missed.",
        "the network, and the region's health page of AWS",
    ),
    Alarm(
        "DrainDoesNotEnd",
        "ticket",
        "The host {{ $labels.instance }} has drained for two hours.",
        "garcon_draining == 1",
        120,
        "A host that drains costs money and takes no tasks. Two hours are the longest that a group"
        " waits for a heartbeat of its lifecycle hook.",
        "`python -m supervisor tasks` on the host; `drain-timeout`",
    ),
    Alarm(
        "SidecarIsLost",
        "ticket",
        "The sidecar {{ $labels.sidecar }} of {{ $labels.instance }} does not work.",
        "garcon_sidecar_ready == 0",
        10,
        "A sidecar is started again with growing waits. Tasks go on without it; notices of the"
        " instance's end and the backlog do not arrive.",
        "the log's `sidecar_lost`",
    ),
)
"""All alarms, the most urgent subject first."""


_NAMES = {"host": "flow", "list": "list", "operation": "operation"}


def table_lines() -> Iterator[str]:
    """The documentation's table of alarms."""
    yield "| alarm | for | expression | why so | first look |"
    yield "|---|---|---|---|---|"
    for each in ALARMS:
        expression = each.expression.replace("|", r"\|")
        yield (
            f"| `{each.name}` ({each.severity}) | {each.minutes} min | `{expression}` |"
            f" {each.reason} | {each.look} |"
        )


def cloudwatch_lines() -> Iterator[str]:
    """The documentation's table of CloudWatch's alarms, but for those of SWF's own metrics."""
    yield "| alarm | for each | bad values | why so |"
    yield "|---|---|---|---|"
    for each in ALARMS:
        if watch := each.watch:
            names = {id_: f"{one.metric}" for id_, one in watch.values.items()}
            values = watch.expression
            for id_, metric in names.items():
                values = re.sub(rf"\b{id_}\b", metric, values)
            sign = "<" if watch.is_below else ">"
            times = f"{watch.periods} times {watch.period // 60} min"
            missing = ", or none at all" if watch.is_missing_bad else ""
            yield (
                f"| `{each.name}` ({each.severity}) | {_NAMES[watch.scope]}"
                f" | `{values} {sign} {watch.above}`, {times}{missing} | {each.reason} |"
            )
