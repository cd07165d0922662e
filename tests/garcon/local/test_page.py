"""The page in a real browser: what a person sees of executions and their histories."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from garcon.local.clock import VirtualClock
from tests.garcon.local.conformance import (
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

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no browser is installed: the page is tested in chromium"
)

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

BUDGET = 3000
"""Milliseconds of the page's own time before it is looked at: two of its looks at the service."""


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """An account at a server of its own, with some stories in it."""
    with over_http() as running:
        made = Account(client_of(running.endpoint), "cafe")
        made.register()
        yield made


def seen(account: Account, browser_home: Path, run_id: str = "") -> str:
    """The page as the browser has built it, tags and all, with one execution chosen."""
    return seen_at(account.client.meta.endpoint_url, browser_home, run_id)


def seen_at(endpoint: str, browser_home: Path, run_id: str = "") -> str:
    """The same, of a server."""
    done = subprocess.run(
        [
            str(BROWSER),
            *QUIET,
            f"--user-data-dir={browser_home}",
            f"--virtual-time-budget={BUDGET}",
            "--dump-dom",
            f"{endpoint}/#{quote(run_id, safe='')}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def words(page: str) -> str:
    """What can be read on a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def fail_activity(account: Account, identity: str, reason: str) -> None:
    """Take an activity task and fail it."""
    token = account.activity_task(identity=identity)["taskToken"]
    account.call("respond_activity_task_failed", taskToken=token, reason=reason)


def test_an_empty_page_says_how_to_begin(tmp_path: Path) -> None:
    """Before anything was started, the line that leads clients here is told."""
    with over_http() as running:
        told = words(seen_at(running.endpoint, tmp_path))
        assert "No execution yet." in told
        assert f"export AWS_ENDPOINT_URL_SWF={running.endpoint}" in told


def test_no_hour_has_sixty_minutes(tmp_path: Path) -> None:
    """Durations are rounded before they are parted into hours, minutes and seconds."""
    clock = VirtualClock(MOMENT)
    with over_http(clock) as running:
        account = Account(client_of(running.endpoint), "cafe")
        account.register()
        for ago in (7170, 3599.7, 59.7, 0):
            clock.move_to(MOMENT + 7200 - ago)
            account.start(f"ago-{ago}", executionStartToCloseTimeout="86400")
        told = words(seen_at(running.endpoint, tmp_path))
    for duration in ("0 ms", "1 min 0 s", "1 h 0 min", "2 h 0 min"):
        assert f" · {duration} " in f"{told} "


def test_executions_are_listed_with_their_state(account: Account, tmp_path: Path) -> None:
    """Each execution is in the list with its type and whether it is open or how it closed."""
    account.start("listed-open")
    account.start("listed-ended")
    account.in_domain("terminate_workflow_execution", workflowId="listed-ended")
    told = words(seen(account, tmp_path))
    assert "listed-ended terminated order 1.0 · cafe" in told
    assert "listed-open open order 1.0 · cafe" in told
    assert "Choose an execution" in told
    account.in_domain("terminate_workflow_execution", workflowId="listed-open")


def test_an_execution_is_a_timeline_of_who_did_what(account: Account, tmp_path: Path) -> None:
    """Activities are rows with their tries, who made them, what failed; timers and signals too."""
    run_id = account.start("told")
    timer = decision("StartTimer", timerId="patience", startToFireTimeout="60")
    account.decide(schedule("brew-1"), timer)
    fail_activity(account, "barista-1", "the machine is cold")
    account.signal("hurry", "told")
    account.decide(schedule("brew-1"))
    account.activity_task(identity="barista-2")
    page = seen(account, tmp_path, run_id)
    told = words(page)
    assert "brew-1 2 tries the machine is cold barista-2" in told
    assert "patience timer · 60 s" in told
    assert "ActivityTaskFailed brew-1 · the machine is cold" in told
    assert 'title="signal hurry"' in page
    assert 'class="bar activity failed"' in page
    assert 'class="bar activity running"' in page
    account.in_domain("terminate_workflow_execution", workflowId="told")


def test_a_failure_stands_on_top(account: Account, tmp_path: Path) -> None:
    """Why an execution failed is told before its timeline."""
    run_id = account.start("failed")
    account.decide(decision("FailWorkflowExecution", reason="no beans", details="none at all"))
    told = words(seen(account, tmp_path, run_id))
    assert told.index("no beans none at all") < told.index("Timeline")


def test_text_of_workflows_is_never_markup(account: Account, tmp_path: Path) -> None:
    """Whatever a workflow holds is shown as the text it is."""
    nasty = "<img src=x onerror=alert(1)>"
    run_id = account.start(nasty, input=nasty, tagList=[])
    account.decide(complete(result=nasty))
    page = seen(account, tmp_path, run_id)
    assert nasty not in page
    assert nasty in unescape(page)


def test_an_execution_that_is_gone_is_told(account: Account, tmp_path: Path) -> None:
    """A link to an execution that is not remembered says so."""
    assert "This execution is not known here." in words(seen(account, tmp_path, "none"))
