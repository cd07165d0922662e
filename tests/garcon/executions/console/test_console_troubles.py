"""The console in a browser while SWF, or the way to the console, has a trouble."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from garcon.local import LocalSWF
from tests import browser
from tests.garcon.executions.console.console_stage import Album, served_console

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser import Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.PROGRAM is None, reason="no browser is installed"),
]


@pytest.fixture
def swf() -> Iterator[LocalSWF]:
    """A local SWF, a few minutes behind the wall's time."""
    with LocalSWF(start=time.time() - 300) as made:
        yield made


@pytest.fixture
def window() -> Iterator[Browser]:
    """A window, in which no script fails."""
    with browser.browser() as opened:
        yield opened
        assert opened.console == []


def test_a_list_that_cannot_be_read_says_why(
    swf: LocalSWF, tmp_path: Path, window: Browser
) -> None:
    """The sentence stands above, no reading is promised, and the list comes with the next look."""
    Album.of(swf).completed("order-1")
    swf.inject("error", "ListOpenWorkflowExecutions")
    with served_console(swf, tmp_path / "file") as url:
        window.go(url)
        window.wait_for_element("#facts.bad")
        window.wait_for_text("The list is not known.", "#executions")
        swf.clear_faults()
        window.wait_for_text("1 shown, 1 in all", "#facts:not(.bad)")


def test_a_reader_keeps_what_is_drawn(swf: LocalSWF, tmp_path: Path, window: Browser) -> None:
    """Neither a history nor a count that SWF refuses takes the execution away, or its place."""
    Album.of(swf).waiting("order-1")
    swf.inject("throttle", "CountPendingActivityTasks")
    with served_console(swf, tmp_path / "file") as url:
        window.go(url)
        window.click("order-1")
        window.wait_for_text("Rate exceeded", "#lists")
        window.wait_for_text("Pending", "#execution")
        window.evaluate("document.querySelector('#execution').scrollTop = 90")
        swf.inject("error", "GetWorkflowExecutionHistory")
        window.wait_for_text("InternalFailure", "#facts.bad")
        window.wait_for_text("Pending", "#execution")
        swf.clear_faults()
        window.wait_for_element("#facts:not(.bad)")
        assert window.evaluate("document.querySelector('#execution').scrollTop") == 90


def test_an_execution_that_no_longer_meets_the_filter_goes(
    swf: LocalSWF, tmp_path: Path, window: Browser
) -> None:
    """One that closes leaves the list of the open ones; those of later pages stay in it."""
    album = Album.of(swf)
    for number in range(60):
        album.account.start(f"other-{number:02}", executionStartToCloseTimeout="31536000")
        swf.advance(1)
    with served_console(swf, tmp_path / "file") as url:
        window.go(url)
        window.fill("#filters [name=status]", "OPEN")
        window.click("Load more")
        window.wait_for_text("60 shown", "#facts")
        album.account.in_domain("terminate_workflow_execution", workflowId="other-59")
        window.wait_for_text("59 shown", "#facts")
        assert "other-00" in window.evaluate("document.querySelector('#executions').textContent")
        assert "other-59" not in window.text("#executions")


def test_an_id_may_begin_with_the_name_of_a_status(
    swf: LocalSWF, tmp_path: Path, window: Browser
) -> None:
    """Stuck is a status of the page, and a text like any other in the other fields."""
    album = Album.of(swf)
    album.completed("order-1")
    album.completed("stuck-1")
    with served_console(swf, tmp_path / "file") as url:
        window.go(url)
        window.fill("#filters [name=id]", "stuck")
        window.wait_for_text("1 shown", "#facts")
        assert "stuck-1" in window.text("#executions")


def test_a_change_through_a_tunnel_of_another_port_is_refused_with_the_reason(
    swf: LocalSWF, tmp_path: Path, window: Browser
) -> None:
    """The page can be read there; the dialog shows the sentence with the port that may change."""
    Album.of(swf).waiting("order-1")
    own = 8043
    with served_console(swf, tmp_path / "file", allow_actions=True, own_port=own) as url:
        window.go(url)
        window.click("order-1")
        window.click("Cancel…")
        window.click("Cancel", "dialog [type=submit]")
        port = urlsplit(url).port
        window.wait_for_text(
            f"The header Host is '127.0.0.1:{port}'; the address of this service is "
            f"http://127.0.0.1:{own}.",
            "dialog [role=status]",
        )
