"""Options of the tests with real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the chaos test's length and seed, and of the number of deploys under load."""
    group = parser.getgroup("chaos")
    group.addoption(
        "--chaos-minutes",
        type=float,
        help="minutes that the chaos test may last, with all of its 500 workflows (default: two"
        " minutes, with fewer)",
    )
    group.addoption("--chaos-seed", type=int, default=1, help="whom it kills, and when")
    parser.getgroup("deploys").addoption(
        "--deploys", type=int, default=3, help="how many deploys of each kind happen under load"
    )
