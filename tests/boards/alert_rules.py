"""Prometheus' alerting rules, from the table of alarms."""

from __future__ import annotations

from typing import Any

import yaml

from tests.boards.alarms import ALARMS, Alarm

HEADER = """\
# Alerting rules for a pool that is scraped (--http). Name this file in prometheus.yml:
#   rule_files: [garcon-alerts.yaml]
# docs/prometheus.md has the reasons for the thresholds. Made by: python -m tests.boards
"""


def text() -> str:
    """The file."""
    groups = {"groups": [{"name": "garcon", "rules": [_rule(each) for each in ALARMS]}]}
    return HEADER + yaml.safe_dump(groups, sort_keys=False, width=96)


def _rule(alarm: Alarm) -> dict[str, Any]:
    waits = {"for": f"{alarm.minutes}m"} if alarm.minutes else {}
    return {
        "alert": alarm.name,
        "expr": alarm.expression,
        **waits,
        "labels": {"severity": alarm.severity},
        "annotations": {"summary": alarm.summary, "description": f"First look: {alarm.look}."},
    }
