"""The board, the rules and the alarms of the kit, checked by the tools of their formats."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from supervisor.sidecars import emf_lines
from supervisor.sidecars.monitor.exposition import METRICS, registry
from tests.boards import alarms, cloudwatch_alarms, grafana_board
from tests.boards.kit import FILES, KIT
from tests.supervisor.sidecars.monitor.test_exposition import SEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent

CFN_LINT = Path(sys.executable).with_name("cfn-lint")

SCRAPED = list(text_string_to_metric_families(generate_latest(registry(SEEN)).decode()))
"""The metrics of a scrape, read by the official client's parser."""

OF_THE_SCRAPER = {"job", "instance"}
"""Labels that Prometheus adds to each metric."""


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_those_that_are_made(name: str) -> None:
    """The kit has what the metric table and the table of alarms give."""
    remedy = "write them again: python -m tests.boards"
    assert (KIT / name).read_text(encoding="utf-8") == FILES[name](), remedy


@pytest.mark.parametrize(
    ("page", "lines"),
    [("prometheus.md", alarms.table_lines), ("cloudwatch.md", alarms.cloudwatch_lines)],
)
def test_the_pages_have_the_tables_of_alarms(page: str, lines: Callable[[], Iterator[str]]) -> None:
    """The documentation states each alarm with its threshold and its reason."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert "\n".join(lines()) in text, "python -m tests.boards prints the tables"


# --- PromQL ---------------------------------------------------------------------------------------


def expressions() -> Iterator[str]:
    """Every expression of the rules and of the board, as it stands in the files."""
    rules = yaml.safe_load((KIT / "garcon-alerts.yaml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    board = json.loads((KIT / "grafana-board.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from (each["expr"] for each in panel.get("targets", ()))


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """The selectors in an expression; it must be valid."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression.replace("$__rate_interval", "5m")), visit)
    return found


def aggregated_labels(expression: str) -> set[str]:
    """The labels that an expression keeps by name."""
    lists = re.findall(r"\bby \(([^)]*)\)", expression)
    return {label.strip() for each in lists for label in each.split(",")}


def test_every_expression_asks_for_metrics_that_exist() -> None:
    """A parser of PromQL takes each, and a scrape has each name, each label and each value."""
    families = {each.name: each for each in SCRAPED}
    names = {sample.name: each for each in SCRAPED for sample in each.samples} | families
    labels = {each.name.removesuffix("_total"): {*each.labels, "le"} for each in METRICS}
    asked = {each: selectors(each) for each in expressions()}
    assert len(asked) > 30
    for expression, found in asked.items():
        assert found, expression
        known = set(OF_THE_SCRAPER)
        for selector in found:
            assert selector.name in names, f"{selector.name} in {expression}"
            family = names[str(selector.name)]
            known |= labels[family.name]
            for matcher in selector.matchers.matchers:
                assert matcher.name in labels[family.name] | OF_THE_SCRAPER, expression
                if "$" not in matcher.value:
                    values = {each.labels.get(matcher.name) for each in family.samples}
                    assert set(matcher.value.split("|")) <= values, expression
        assert aggregated_labels(expression) <= known, expression


def test_every_metric_is_on_the_board() -> None:
    """A new metric of the table gets a panel by itself."""
    shown = {str(each.name) for one in expressions() for each in selectors(one)}
    shown |= {re.sub("_(bucket|sum|count)$", "", each) for each in shown}
    assert {each.name for each in METRICS} <= shown


def test_a_metric_that_does_not_exist_stops_the_board() -> None:
    """The generator refuses a name or a label that the table has not."""
    with pytest.raises(KeyError):
        grafana_board.of("garcon_unknown")
    with pytest.raises(AssertionError):
        grafana_board.of("garcon_healthy", state="idle")


def test_the_board_is_one_of_grafanas_model() -> None:
    """Grafana's own classes read the file and write the same; no panel covers another."""
    members = json.loads((KIT / "grafana-board.json").read_text(encoding="utf-8"))
    read = Dashboard.from_json(members)
    assert json.loads(JSONEncoder(sort_keys=True).encode(read)) == members
    taken: set[tuple[int, int]] = set()
    for panel in members["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < grafana_board.WIDTH
        taken |= cells


# --- CloudWatch -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cloudwatch() -> dict[str, dict[str, Any]]:
    """The alarms that CloudFormation makes for the lists of the default, by their ids."""
    # A second to import; the tests that need it are slow for that.
    from cfnlint import decode  # noqa: PLC0415
    from cfnlint.template import Template  # noqa: PLC0415
    from cfnlint.template.transforms import _language_extensions as extensions  # noqa: PLC0415

    made, problems = decode.decode(str(KIT / "cloudwatch-alarms.yaml"))
    assert not problems
    expanded = extensions.language_extension(Template("alarms", made, ["us-east-1"]))[1]
    resources: dict[str, dict[str, Any]] = json.loads(json.dumps(expanded))["Resources"]
    return {name: each["Properties"] for name, each in resources.items()}


@pytest.mark.slow
def test_the_template_of_alarms_is_sound() -> None:
    """cfn-lint finds nothing, not even a warning."""
    command = (CFN_LINT, "--include-checks", "I", "W", "--", KIT / "cloudwatch-alarms.yaml")
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_each_list_has_its_alarms(cloudwatch: dict[str, dict[str, Any]]) -> None:
    """Those of hosts are made once, those of lists and operations for each of them."""
    for each in alarms.ALARMS:
        if each.watch:
            of_each = {
                "host": ("",),
                "list": ("myflow", "myflowresize"),
                "operation": cloudwatch_alarms.OPERATIONS,
            }
            assert {each.name + one for one in of_each[each.watch.scope]} <= cloudwatch.keys()


@pytest.mark.slow
def test_every_alarm_asks_for_metrics_that_are_written(
    cloudwatch: dict[str, dict[str, Any]],
) -> None:
    """Each metric has the namespace, name and dimensions of a line of ``--emf``."""
    written: set[tuple[str, str, tuple[str, ...]]] = set()
    for line in emf_lines.lines(SEEN, None, "myflow", 0.0):
        (directive,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                written.add((directive["Namespace"], metric["Name"], tuple(dimensions)))
    for properties in cloudwatch.values():
        statistics = [
            each["MetricStat"]
            for each in properties.get("Metrics", ())
            if "Metric" in each.get("MetricStat", {})
        ]
        for each in (one["Metric"] for one in statistics):
            dimensions = tuple(one["Name"] for one in each["Dimensions"])
            assert (each["Namespace"], each["MetricName"], dimensions) in written


@pytest.mark.slow
def test_every_value_of_an_alarm_is_compared(cloudwatch: dict[str, dict[str, Any]]) -> None:
    """An expression names exactly the metrics that its alarm fetches."""
    for properties in cloudwatch.values():
        if "Metrics" in properties:
            *fetched, compared = properties["Metrics"]
            words = set(re.findall(r"[a-z]\w*", compared["Expression"]))
            assert words == {each["Id"] for each in fetched}
