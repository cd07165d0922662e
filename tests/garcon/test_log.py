"""Loggers named after the execution at work."""

from __future__ import annotations

import contextvars
import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from garcon.log import GarconLogger, get_logger_namespace

if TYPE_CHECKING:
    import pytest

PLACE = {
    "execution.domain": "dom",
    "execution.workflow_id": "wf",
    "execution.run_id": "run",
}


def test_namespace_is_domain_workflow_run() -> None:
    """The documented form of the logger's name."""
    assert get_logger_namespace(PLACE) == "garcon.dom.wf.run"


def test_namespace_leaves_out_what_is_unknown() -> None:
    """A context without an execution gives the prefix alone."""
    assert get_logger_namespace({}) == "garcon"


def test_logger_follows_set_and_unset() -> None:
    """Between set and unset the logger has the execution's name, else the prefix."""
    logger = GarconLogger()
    assert logger.logger.name == "garcon"
    logger.set_log_context(PLACE)
    assert logger.logger.name == "garcon.dom.wf.run"
    logger.unset_log_context()
    assert logger.logger.name == "garcon"


def test_handlers_of_the_prefix_are_inherited(caplog: pytest.LogCaptureFixture) -> None:
    """A handler set up on garcon gets what an execution's logger says."""

    def work() -> None:
        logger = GarconLogger()
        logger.set_log_context(PLACE)
        logger.logger.info("hello")

    with caplog.at_level(logging.INFO, "garcon"):
        contextvars.copy_context().run(work)
    assert [record.name for record in caplog.records] == ["garcon.dom.wf.run"]


def test_threads_do_not_overwrite_each_other() -> None:
    """Two threads that share an activity each log under their own execution."""
    shared, both = GarconLogger(), Barrier(2, timeout=10)

    def work(run_id: str) -> str:
        shared.set_log_context({**PLACE, "execution.run_id": run_id})
        both.wait()
        return shared.logger.name

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, "ab")) == ["garcon.dom.wf.a", "garcon.dom.wf.b"]


def test_executions_do_not_pile_up_in_logging() -> None:
    """A worker that sees many executions keeps no logger of theirs."""
    contextvars.copy_context().run(lambda: GarconLogger().set_log_context(PLACE))
    assert "garcon.dom.wf.run" not in logging.Logger.manager.loggerDict
