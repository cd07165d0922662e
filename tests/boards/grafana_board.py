"""The Grafana board of a pool, built with Grafana's own SDK.

Rules:

1. A panel answers a question that people ask; the rows go from the whole to the parts.
2. A metric of the table that no panel mentions gets one of its own in the last row, by its kind. So
   a new metric is on the board without a change here.
3. Every selector is made from the metric's labels in the table: a name that does not exist is an
   error here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    VariableRefresh,
)

from supervisor.sidecars.monitor.exposition import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.sidecars.monitor.metric_kinds import Metric

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

BY_NAME = {each.name: each for each in METRICS}

NAME = re.compile(r"garcon_\w+")

RATE = "[$__rate_interval]"

WIDTH = 24  # of the grid


@dataclass(frozen=True)
class Query:
    """One expression of a panel.

    Attributes:
        expression: PromQL.
        legend: The name of each line, with ``{{label}}``.
    """

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class View:
    """One panel.

    Attributes:
        title: The question, in a few words.
        help: What it means, and what to do.
        unit: A unit of Grafana.
        queries: Its lines.
        is_number: Whether it shows the present value alone.
    """

    title: str
    help: str
    unit: str
    queries: tuple[Query, ...]
    is_number: bool = False


def of(name: str, **labels: str) -> str:
    """The selector of a metric for what the board's viewer has chosen.

    Args:
        name: A metric of the table, with ``_bucket``, ``_sum`` or ``_count`` for a histogram.
        labels: Further labels; a value that ends in ``~`` is a regular expression.
    """
    metric = BY_NAME[re.sub("_(bucket|sum|count)$", "", name)]
    matchers = ['job=~"$job"', 'instance=~"$instance"']
    if "task_list" in metric.labels:
        matchers.append('task_list=~"$task_list"')
    for label, value in labels.items():
        assert label in metric.labels, (name, label)
        matchers.append(f'{label}=~"{value[:-1]}"' if value[-1] == "~" else f'{label}="{value}"')
    return f"{name}{{{','.join(matchers)}}}"


def _number(title: str, expression: str, meaning: str) -> View:
    return View(title, meaning, "short", (Query(expression),), is_number=True)


def _line(title: str, unit: str, expression: str, legend: str, meaning: str) -> View:
    return View(title, meaning, unit, (Query(expression, legend),))


def _durations(quantile: float, name: str = "garcon_task_duration_seconds") -> Query:
    buckets = f"rate({of(f'{name}_bucket')}{RATE})"
    legend = "{{task_list}} median" if quantile == 0.5 else f"{{{{task_list}}}} {quantile:.0%}"
    expression = f"histogram_quantile({quantile}, sum by (task_list, le) ({buckets}))"
    return Query(expression, legend)


_BUSY = of("garcon_workers", state="working")
_THERE = of("garcon_workers", state="idle|working~")
_FAILED = of("garcon_tasks_total", result="failed|lost~")
_THROTTLED = of("garcon_swf_calls_total", result="throttled")
_DEPLOYS = "generation_active|generation_failed|generation_rolled_back~"

ROWS: tuple[tuple[str, tuple[View, ...]], ...] = (
    (
        "Hosts",
        (
            _number("Hosts", f"count({of('garcon_healthy')})", "Supervisors that are scraped."),
            _number(
                "Hosts that serve",
                f"sum({of('garcon_healthy')})",
                "No drain has begun, and no list is degraded or without workers.",
            ),
            _number("Tasks in progress", f"sum({_BUSY})", "Workers that are busy now."),
            _number(
                "Tasks waiting",
                f"sum(max by (task_list) ({of('garcon_backlog_tasks')}))",
                "Of the lists that --scale counts.",
            ),
            _number(
                "Pending reports",
                f"sum({of('garcon_pending_reports')})",
                "Tasks of dead workers that SWF does not know to be lost. They should be 0 within"
                " seconds.",
            ),
            _number(
                "Stuck executions",
                f"sum({of('garcon_stuck_executions')})",
                "They wait for code that fits: roll back, or guard the change.",
            ),
        ),
    ),
    (
        "Tasks",
        (
            _line(
                "Ended tasks",
                "ops",
                f"sum by (task_list, result) (rate({of('garcon_tasks_total')}{RATE}))",
                "{{task_list}} {{result}}",
                "A second, by result.",
            ),
            _line(
                "Failed and lost tasks",
                "percentunit",
                f"sum by (task_list) (rate({_FAILED}{RATE})) /"
                f" sum by (task_list) (rate({of('garcon_tasks_total')}{RATE}))",
                "{{task_list}}",
                "Share of the ended tasks. A tenth is a common cause.",
            ),
            View(
                "Durations",
                "From the poll's response to the end of the task.",
                "s",
                (_durations(0.5), _durations(0.95)),
            ),
            View(
                "Waits for a worker",
                "From the scheduling of an activity task to its start, as deciders see it.",
                "s",
                (
                    _durations(0.5, "garcon_task_wait_seconds"),
                    _durations(0.95, "garcon_task_wait_seconds"),
                ),
            ),
            _line(
                "Oldest task in progress",
                "s",
                f"max by (task_list) ({of('garcon_oldest_task_seconds')})",
                "{{task_list}}",
                "A task that is much older than its list's 95% may hang.",
            ),
            View(
                "Waiting tasks",
                "At the last count; its age shows how much it is worth.",
                "short",
                (
                    Query(f"max by (task_list) ({of('garcon_backlog_tasks')})", "{{task_list}}"),
                    Query(
                        f"min by (task_list) ({of('garcon_backlog_age_seconds')})",
                        "{{task_list}}: seconds since the count",
                    ),
                ),
            ),
            _line(
                "Busy workers",
                "percentunit",
                f"sum by (task_list) ({_BUSY}) / sum by (task_list) ({_THERE})",
                "{{task_list}}",
                "Share of the ready workers. At 100% the next task waits.",
            ),
        ),
    ),
    (
        "Workers",
        (
            View(
                "Workers",
                "By state, and how many there should be.",
                "short",
                (
                    Query(
                        f"sum by (task_list, state) ({of('garcon_workers')})",
                        "{{task_list}} {{state}}",
                    ),
                    Query(
                        f"sum by (task_list) ({of('garcon_workers_desired')})",
                        "{{task_list}} desired",
                    ),
                ),
            ),
            View(
                "Deaths",
                "Workers that ended without being asked, by kind; lists whose workers die at once.",
                "short",
                (
                    Query(
                        f"sum by (kind) (increase({of('garcon_worker_deaths_total')}{RATE}))",
                        "{{kind}}",
                    ),
                    Query(
                        f"max by (task_list) ({of('garcon_degraded')}) > 0",
                        "{{task_list}} degraded",
                    ),
                ),
            ),
            _line(
                "Memory",
                "bytes",
                f"sum by (task_list) ({of('garcon_worker_memory_bytes')})",
                "{{task_list}}",
                "Unique memory of the workers: what their end would give back.",
            ),
            _line(
                "Memory of retired code",
                "bytes",
                f"sum by (release) ({of('garcon_retired_memory_bytes')})",
                "{{release}}",
                "Unique memory of each kept release with all its processes.",
            ),
        ),
    ),
    (
        "Calls to SWF",
        (
            _line(
                "Budget",
                "percentunit",
                f"sum by (operation) (rate({of('garcon_swf_budget_seconds_total')}{RATE}))",
                "{{operation}}",
                "Share of the account's default rate; at 100% SWF throttles.",
            ),
            _line(
                "Throttled calls",
                "percentunit",
                f"sum by (operation) (rate({_THROTTLED}{RATE})) /"
                f" sum by (operation) (rate({of('garcon_swf_calls_total')}{RATE}))",
                "{{operation}}",
                "Share of the calls. Workers repeat single ones unnoticed.",
            ),
            _line(
                "Calls",
                "ops",
                f"sum by (operation, result) (rate({of('garcon_swf_calls_total')}{RATE}))",
                "{{operation}} {{result}}",
                "Attempts a second by result; failed means no answer of SWF.",
            ),
            _line(
                "Heartbeats",
                "ops",
                f"sum by (task_list, result) (rate({of('garcon_heartbeats_total')}{RATE}))",
                "{{task_list}} {{result}}",
                "Those that are not accepted are sent again, until the timeout of the task.",
            ),
            _line(
                "Decisions, 95%",
                "s",
                "histogram_quantile(0.95, sum by (le)"
                f" (rate({of('garcon_decision_duration_seconds_bucket')}{RATE})))",
                "read and decide",
                "Time to read the history and decide, without the poll and the answer.",
            ),
            _line(
                "States of sticky deciders",
                "ops",
                f"sum by (state) (rate({of('garcon_decision_states_total')}{RATE}))",
                "{{state}}",
                "Many that are read: too few sticky-executions, or hosts that come and go.",
            ),
        ),
    ),
    (
        "Deploys and the host",
        (
            _line(
                "Generations",
                "short",
                of("garcon_generation"),
                "{{instance}} {{status}}",
                "A step is a deploy. Two lines of a host are a restart, or the probation after it.",
            ),
            _line(
                "Ends of deploys",
                "short",
                f"sum by (event) (increase({of('garcon_events_total', event=_DEPLOYS)}{RATE}))",
                "{{event}}",
                "generation_failed and generation_rolled_back: the old code goes on.",
            ),
            View(
                "Drains and sidecars",
                "Hosts that drain, and sidecars that do not work.",
                "short",
                (
                    Query(f"sum({of('garcon_draining')})", "hosts that drain"),
                    Query(
                        f"{of('garcon_sidecar_ready')} == 0",
                        "{{instance}} without {{sidecar}}",
                    ),
                ),
            ),
        ),
    ),
)
"""The rows and their panels; `_further` adds the metrics that they leave out."""


def further() -> Iterator[View]:
    """A panel for each metric that no other panel mentions."""
    said = "".join(each.expression for _, row in ROWS for view in row for each in view.queries)
    known = {re.sub("_(bucket|sum|count)$", "", name) for name in NAME.findall(said)} | set(
        NAME.findall(said)
    )
    for metric in METRICS:
        if metric.name not in known:
            yield _by_kind(metric)


def _by_kind(metric: Metric) -> View:
    title = metric.name.removeprefix("garcon_").removesuffix("_total").replace("_", " ")
    labels = [each for each in metric.labels if each != "role"]
    total = f"sum by ({', '.join(labels)})" if labels else "sum"
    legend = " ".join(f"{{{{{each}}}}}" for each in labels)
    unit = _unit(metric.name)
    if metric.kind == "histogram":
        buckets = f"rate({of(f'{metric.name}_bucket')}{RATE})"
        expression = f"histogram_quantile(0.95, sum by ({', '.join([*labels, 'le'])}) ({buckets}))"
        title += ", 95%"
    elif metric.kind == "counter":
        expression = f"{total} (rate({of(metric.name)}{RATE})) > 0"
        title += ", a second"
    else:
        expression = f"{total} ({of(metric.name)})"
    return _line(title.capitalize(), unit, expression, legend, metric.help)


def _unit(name: str) -> str:
    for ending, unit in (("_seconds", "s"), ("_bytes", "bytes"), ("_total", "ops")):
        if name.endswith(ending):
            return unit
    return "short"


def text() -> str:
    """The file."""
    return JSONEncoder(sort_keys=True, indent=2).encode(_board().build()) + "\n"


def _board() -> boards.Dashboard:
    board = (
        boards.Dashboard("SWF workers (garcon)")
        .uid("garcon-pool")
        .description("Hosts, tasks, workers and deploys of the pools that are scraped.")
        .tags(["garcon", "swf"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(boards.DatasourceVariable("datasource").label("source").type("prometheus"))
    )
    for label, within in (("job", ""), ("instance", 'job=~"$job"'), ("task_list", 'job=~"$job"')):
        board.with_variable(_choice(label, within))
    for title, views in (*ROWS, ("Further metrics", tuple(further()))):
        board.with_row(boards.Row(title))
        for view in views:
            board.with_panel(_panel(view, WIDTH // (6 if view.is_number else 3)))
    return board


def _choice(label: str, within: str) -> boards.QueryVariable:
    name = "garcon_workers" if label == "task_list" else "garcon_healthy"
    return (
        boards.QueryVariable(label)
        .label(label.replace("_", " "))
        .datasource(SOURCE)
        .query(f"label_values({name}{{{within}}}, {label})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
    )


def _panel(view: View, width: int) -> stat.Panel | timeseries.Panel:
    panel = stat.Panel() if view.is_number else timeseries.Panel()
    panel.title(view.title).description(view.help).datasource(SOURCE).unit(view.unit).min(0)
    panel.span(width).height(4 if view.is_number else 8)
    for number, each in enumerate(view.queries):
        query = prometheus.Dataquery().expr(each.expression).ref_id("ABCDEF"[number])
        query.legend_format(each.legend or view.title)
        panel.with_target(query.instant() if view.is_number else query.range())
    if isinstance(panel, stat.Panel):
        panel.graph_mode(BigValueGraphMode.NONE)
    else:
        legend = VizLegendOptions().show_legend(show_legend=True)
        legend.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
        panel.legend(legend).fill_opacity(10)
    return panel
