"""The catalogue of events against the code that writes them, and the documentation's table."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.logs.event_catalogue import EVENTS
from supervisor.sidecars.monitor import metrics_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent.parent

PAGE = ROOT / "docs" / "observing.md"

PASSED_ON = {"_drop": 3, "note": 1, "NoticeLine": 1}
"""The functions that take an event's name, and the position of it."""


def written() -> Iterator[str]:
    """Every name of an event in the supervisor's code."""
    for path in (ROOT / "supervisor").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                position = PASSED_ON.get(ast.unparse(node.func).rpartition(".")[2])
                if position is not None and len(node.args) > position:
                    yield from texts(node.args[position])
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "event":
                        yield from texts(value)


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be: one, or those of both branches."""
    branches = (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,)
    for branch in branches:
        if isinstance(branch, ast.Constant) and isinstance(branch.value, str):
            yield branch.value


def test_the_catalogue_has_every_event_and_no_other() -> None:
    """A new event needs its meaning, and one that is gone leaves the documentation."""
    assert set(written()) == set(EVENTS)


def test_the_page_has_both_tables() -> None:
    """``docs/observing.md`` is what the catalogues say."""
    page = PAGE.read_text(encoding="utf-8")
    assert "\n".join(metrics_reference.metric_lines()) in page
    assert "\n".join(metrics_reference.event_lines()) in page
