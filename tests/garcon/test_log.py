"""Loggers named after the execution in progress."""

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
    """The logger's name has the documented form."""
    assert get_logger_namespace(PLACE) == "garcon.dom.wf.run"


def test_namespace_leaves_out_missing_members() -> None:
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
    """A handler on the logger garcon receives the records of an execution's logger."""

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
    """``logging`` keeps no logger of an execution for the life of the process."""

    def work() -> None:
        made = GarconLogger()
        made.set_log_context(PLACE)
        assert made.logger is logging.getLogger("garcon.dom.wf.run")
        made.unset_log_context()

    contextvars.copy_context().run(work)
    assert "garcon.dom.wf.run" not in logging.Logger.manager.loggerDict


def test_a_logger_that_was_configured_stays() -> None:
    """A handler of one execution's logger is there for its next task."""
    logger = logging.getLogger("garcon.dom.wf.run")
    logger.addHandler(logging.NullHandler())
    made = GarconLogger()
    made.set_log_context(PLACE)
    made.unset_log_context()
    assert logging.getLogger("garcon.dom.wf.run") is logger
    logger.handlers.clear()


def test_handlers_of_every_name_above_receive_an_execution(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One may listen to a domain, or to one workflow."""
    made, heard = GarconLogger(), logging.getLogger("garcon.dom.wf")
    heard.addHandler(caplog.handler)
    try:
        made.set_log_context(PLACE)
        made.logger.warning("ready")
    finally:
        made.unset_log_context()
        heard.removeHandler(caplog.handler)
    assert [each.name for each in caplog.records] == ["garcon.dom.wf.run"] * 2


def test_each_object_has_its_own_logger_in_every_thread() -> None:
    """Two objects in one thread, and one object in a thread that a task starts."""
    one, other = GarconLogger(), GarconLogger()
    one.set_log_context({**PLACE, "execution.run_id": "a"})
    other.set_log_context({**PLACE, "execution.run_id": "b"})
    with ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(lambda: one.logger.name).result()
    names = (one.logger.name, other.logger.name, elsewhere)
    assert names == ("garcon.dom.wf.a", "garcon.dom.wf.b", "garcon.dom.wf.a")
    one.unset_log_context()
    other.unset_log_context()


def test_a_new_object_has_no_name_of_one_that_is_gone() -> None:
    """A new object may be where an old one was that never unset its execution."""

    def work() -> set[str]:
        for _ in range(20):
            GarconLogger().set_log_context(PLACE)
        return {GarconLogger().logger.name for _ in range(20)}

    assert contextvars.copy_context().run(work) == {"garcon"}
