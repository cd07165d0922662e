"""The files that are made, and where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.boards import alert_rules, cloudwatch_alarms, grafana_board

if TYPE_CHECKING:
    from collections.abc import Callable

KIT = Path(__file__).parent.parent.parent / "examples" / "deploy"

FILES: dict[str, Callable[[], str]] = {
    "garcon-alerts.yaml": alert_rules.text,
    "grafana-board.json": grafana_board.text,
    "cloudwatch-alarms.yaml": cloudwatch_alarms.text,
}
