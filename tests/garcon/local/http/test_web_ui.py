"""The page in a real browser: executions and their histories as a person sees them."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from garcon.local.service.clock import VirtualClock
from tests import browser
from tests.garcon.local.conformance.account import (
    MOMENT,
    Account,
    complete,
    decision,
    over_http,
    schedule,
)
from tests.garcon.local.conftest import client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        browser.PROGRAM is None, reason="no browser is installed: the page is tested in chromium"
    ),
]  # a browser for each test

BUDGET = 3000
"""Milliseconds of the page's own time before it is read: two of its requests for the state."""


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """An account at a server of its own, which the tests of this module share."""
    with over_http() as running:
        made = Account(client_of(running.endpoint), "cafe")
        made.register()
        yield made


def page_of(account: Account, browser_home: Path, run_id: str = "") -> str:
    """The page as built by the browser, tags and all, with one execution selected."""
    return page_at(account.client.meta.endpoint_url, browser_home, run_id)


def page_at(endpoint: str, browser_home: Path, run_id: str = "") -> str:
    """The same, of a server."""
    return browser.dom_of(f"{endpoint}/#{quote(run_id, safe='')}", browser_home, BUDGET)


def text_of(page: str) -> str:
    """The readable text of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def fail_activity(account: Account, identity: str, reason: str) -> None:
    """Take an activity task and fail it."""
    token = account.activity_task(identity=identity)["taskToken"]
    account.call("respond_activity_task_failed", taskToken=token, reason=reason)


def test_an_empty_page_has_the_first_step(tmp_path: Path) -> None:
    """Before the first execution, the page has the line that points clients to the service."""
    with over_http() as running:
        text = text_of(page_at(running.endpoint, tmp_path))
        assert "No executions yet." in text
        assert f"export AWS_ENDPOINT_URL_SWF={running.endpoint}" in text


def test_a_server_that_has_ended_is_said_in_red() -> None:
    """What is drawn stays, and the line above says that it is not the latest."""
    with browser.browser() as window:
        with over_http() as running:
            window.go(running.endpoint)
            window.wait_for_text("No executions yet.", "#execution")
            assert not window.evaluate("Boolean(document.querySelector('#facts.bad'))")
        window.wait_for_text("Is it still running?", "#facts.bad")
        assert "No executions yet." in window.text("#execution")


def test_an_execution_is_read_out_when_it_is_asked_for(account: Account) -> None:
    """It is drawn anew at each look, so no region that is read out at each change holds it."""
    with browser.browser() as window:
        window.go(account.client.meta.endpoint_url)
        window.wait_for_element("#execution p, #execution h2")
        assert not window.evaluate("Boolean(execution.closest('[aria-live], [role=status]'))")


def test_durations_on_the_page_are_rounded_before_they_are_split(tmp_path: Path) -> None:
    """No hour has sixty minutes, and no minute sixty seconds."""
    clock = VirtualClock(MOMENT)
    with over_http(clock) as running:
        account = Account(client_of(running.endpoint), "cafe")
        account.register()
        for ago in (7170, 3599.7, 59.7, 0):
            clock.move_to(MOMENT + 7200 - ago)
            account.start(f"ago-{ago}", executionStartToCloseTimeout="86400")
        text = text_of(page_at(running.endpoint, tmp_path))
    for duration in ("0.00 s", "59.7 s", "1 h", "1 h 59 min"):
        assert f" · {duration} " in f"{text} "


def test_a_list_that_no_worker_serves_is_marked(tmp_path: Path) -> None:
    """Its tasks wait for ever; a moment of grace keeps the mark from flickering at a start."""
    clock = VirtualClock(MOMENT)
    with over_http(clock) as running:
        account = Account(client_of(running.endpoint), "cafe")
        account.register()
        account.start()
        clock.move_to(MOMENT + 5)
        assert "1 waiting · 0 polling" in text_of(page_at(running.endpoint, tmp_path))
        clock.move_to(MOMENT + 6)
        page = page_at(running.endpoint, tmp_path)
    assert '<b class="bad">no workers</b>' in page
    assert "1 waiting · no workers" in text_of(page)


def test_executions_are_listed_with_their_status(account: Account, tmp_path: Path) -> None:
    """The list has each execution with its type, and whether it is open or how it closed."""
    account.start("listed-open")
    account.start("listed-ended")
    account.in_domain("terminate_workflow_execution", workflowId="listed-ended")
    text = text_of(page_of(account, tmp_path))
    assert "listed-ended terminated order 1.0 · cafe" in text
    assert "listed-open open order 1.0 · cafe" in text
    assert "Select an execution" in text
    account.in_domain("terminate_workflow_execution", workflowId="listed-open")


def test_an_execution_is_shown_as_a_timeline(account: Account, tmp_path: Path) -> None:
    """Each activity is a row of attempts with worker and failure; timers and signals show, too."""
    run_id = account.start("shown")
    timer = decision("StartTimer", timerId="patience", startToFireTimeout="60")
    account.decide(schedule("brew-1"), timer)
    fail_activity(account, "barista-1", "the machine is cold")
    account.signal("hurry", "shown")
    account.decide(schedule("brew-1"))
    account.activity_task(identity="barista-2")
    page = page_of(account, tmp_path, run_id)
    text = text_of(page)
    assert "brew-1 2 attempts the machine is cold barista-2" in text
    assert "patience timer · 1 min" in text
    assert "ActivityTaskFailed brew-1 · the machine is cold" in text
    assert 'title="signal hurry"' in page
    assert 'class="bar activity failed"' in page
    assert 'class="bar activity running"' in page
    account.in_domain("terminate_workflow_execution", workflowId="shown")


def test_a_redrive_and_the_run_before_it_lead_to_each_other(
    account: Account, tmp_path: Path
) -> None:
    """By the tag of the redrive."""
    first = account.start("redriven")
    account.in_domain("terminate_workflow_execution", workflowId="redriven")
    second = account.start("redriven", tagList=[f"garcon-redrive-of={first}"])
    account.in_domain("terminate_workflow_execution", workflowId="redriven")
    assert f"redrive of redriven run {first}" in text_of(page_of(account, tmp_path, second))
    assert f"redriven as redriven run {second}" in text_of(page_of(account, tmp_path, first))


def test_nothing_runs_in_a_closed_execution(account: Account, tmp_path: Path) -> None:
    """A bar still open at the close is unfinished, in the word of SVG and terminal."""
    run_id = account.start("cut")
    account.decide(schedule("brew-1"))
    account.activity_task(identity="barista-1")
    account.in_domain("terminate_workflow_execution", workflowId="cut")
    page = page_of(account, tmp_path, run_id)
    assert 'class="bar activity canceled"' in page
    assert "unfinished" in page
    assert "running" not in page.replace('class="running"', "").replace("running</span>", "")


def test_a_failure_comes_before_the_timeline(account: Account, tmp_path: Path) -> None:
    """The reason of a failed execution is at the top of the page."""
    run_id = account.start("failed")
    account.decide(decision("FailWorkflowExecution", reason="no beans", details="none at all"))
    text = text_of(page_of(account, tmp_path, run_id))
    assert text.index("no beans none at all") < text.index("Timeline")


def test_text_of_workflows_is_never_markup(account: Account, tmp_path: Path) -> None:
    """Any text of a workflow is shown as text."""
    nasty = "<img src=x onerror=alert(1)>"
    run_id = account.start(nasty, input=nasty, tagList=[])
    account.decide(complete(result=nasty))
    page = page_of(account, tmp_path, run_id)
    assert nasty not in page
    assert nasty in unescape(page)


def test_a_link_to_an_unknown_execution_has_a_sentence(account: Account, tmp_path: Path) -> None:
    """A link outlives its execution, so the page names the cause."""
    text = text_of(page_of(account, tmp_path, "none"))
    assert "This execution does not exist, or its retention period is over." in text
