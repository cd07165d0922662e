"""Metrics, health and the pool's page of a real supervisor."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests import browser
from tests.processes import flow, swf
from tests.processes.harness import (
    LIMIT,
    MONITOR,
    Supervisor,
    local_swf,
    monitor_url,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY = ("polling", "parked")

CALLS = "garcon_swf_calls_total"
ANSWERS = {
    "ActivityTaskCompleted": "RespondActivityTaskCompleted",
    "DecisionTaskCompleted": "RespondDecisionTaskCompleted",
}

SHOWN_PIDS = "[...document.querySelectorAll('#workers td:first-child')].map((e) => e.textContent)"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second, so that drains are short."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


@pytest.fixture
def changeable(endpoint: str, tmp_path: Path) -> Iterator[Supervisor]:
    """A pool whose page may change it."""
    control = str(tmp_path / "control.sock")
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--http", "127.0.0.1:0")
    with Supervisor(*argv, "--http-actions", GARCON_CONTROL=control) as made:
        yield made


@pytest.fixture
def pool(endpoint: str, tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor with a monitor on a free port."""
    control = str(tmp_path / "control.sock")
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--http", "127.0.0.1:0")
    with Supervisor(*argv, "--workers", "2", GARCON_CONTROL=control) as made:
        yield made


def address(pool: Supervisor) -> str:
    """The URL of the monitor that starts next."""
    return monitor_url(pool.wait_for_message(MONITOR))


def get(url: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """The status and the body of an answer; a request with a body is a POST."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:  # noqa: S310 - same
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def metric(url: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples with these labels; the whole text must be valid."""
    code, text = get(f"{url}/metrics")
    assert code == 200, text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_metrics_stay_valid_while_workers_die(endpoint: str, pool: Supervisor) -> None:
    """Under kills every scrape can be parsed, and no count of a killed worker is lost."""
    url = pool.ready_at()
    swf.start(endpoint, flow).wait_closed()
    # SWF closes the execution before its workers have reported their ends.
    ended = until(
        lambda: metric(url, "garcon_tasks_total", role="activity", result="completed"), "tasks"
    )
    assert metric(url, "garcon_task_duration_seconds_count", role="activity") >= ended

    before = metric(url, CALLS)
    assert before > 0

    def deaths() -> float:
        nonlocal before
        for victim in pool.titled("garcon: activity")[:1]:
            victim.kill()
        calls = metric(url, CALLS)
        assert calls >= before
        before = calls
        return metric(url, "garcon_worker_deaths_total")

    until(lambda: deaths() >= 10, "ten deaths are counted")
    assert metric(url, "garcon_events_total", event="worker_died") >= 10


def test_calls_decisions_and_waits_are_counted(tmp_path: Path) -> None:
    """The counts are those of a history, also of processes that have ended; samples follow."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as endpoint:
        argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--http", "0")
        more = {"GARCON_SAMPLE_EXECUTIONS": "5", "GARCON_SAMPLE_INTERVAL": "0.5"}
        with Supervisor(*argv, GARCON_CONTROL=str(tmp_path / "control.sock"), **more) as pool:
            url = address(pool)
            pool.ready()
            execution = swf.start(endpoint, flow)
            execution.wait_closed()
            check_counts(url, execution.kinds())
            gate = tmp_path / "gate"
            os.mkfifo(gate)
            swf.start(endpoint, flow, gate=str(gate), then="return")
            until(lambda: metric(url, "garcon_sampled_executions") == 1, "it is looked at")
            until(lambda: metric(url, "garcon_open_executions") == 1, "it is counted")
            assert metric(url, "garcon_sampled_standstills") == 0
            gate.write_text("")


def check_counts(url: str, events: list[str]) -> None:
    """Compare the counts with the kinds of a history's events."""
    for event, operation in ANSWERS.items():
        expected, labels = events.count(event), {"operation": operation, "result": "accepted"}
        # SWF closes the execution before the worker has its response.
        until(lambda: metric(url, CALLS, **labels) >= expected, f"{expected} {operation}")  # noqa: B023 - called here
        assert metric(url, CALLS, **labels) == expected
    assert metric(url, CALLS, operation="RegisterDomain") == 1
    spent = metric(url, "garcon_swf_budget_seconds_total", operation="RegisterDomain")
    assert spent == pytest.approx(1 / 6)
    decisions = metric(url, "garcon_decision_duration_seconds_count")
    assert decisions == events.count("DecisionTaskCompleted")  # counted before they are answered
    assert metric(url, "garcon_decision_states_total") == decisions
    assert metric(url, "garcon_decision_events_total") >= decisions
    waits = metric(url, "garcon_task_wait_seconds_count")
    assert waits == events.count("ActivityTaskStarted") > 0


def test_health_follows_the_pool(endpoint: str, pool: Supervisor, tmp_path: Path) -> None:
    """Ready once all lists have workers, no longer from the beginning of a drain; alive to it."""
    url = pool.ready_at()
    assert get(f"{url}/ready") == (200, "ready\n")
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    swf.start(endpoint, flow, gate=str(gate), then="return").wait_for("ActivityTaskStarted")
    pool.signal(signal.SIGTERM)
    pool.wait_for("draining")
    code, why = get(f"{url}/ready")
    assert (code, why) == (503, "The supervisor is leaving: SIGTERM.\n")
    assert get(f"{url}/live")[0] == 200
    gate.write_text("")
    assert pool.wait() == 0


def test_a_lost_monitor_is_started_again(pool: Supervisor) -> None:
    """The pool does not notice, and the counts are the supervisor's own."""
    pool.ready_at()
    (monitor,) = pool.titled("garcon: monitor")
    monitor.kill()
    pool.wait_for("sidecar_lost", sidecar="monitor")
    url = address(pool)
    assert metric(url, "garcon_events_total", event="sidecar_lost") == 1


def test_new_code_polls_the_same_swf_beside_a_monitor(endpoint: str, pool: Supervisor) -> None:
    """The monitor's own address is never taken for that of SWF."""
    pool.ready_at()
    pool.signal(signal.SIGHUP)
    pool.wait_for("full_strength", generation=2)
    swf.start(endpoint, flow).wait_closed()


def test_other_sites_may_not_read_the_pool(pool: Supervisor) -> None:
    """A Host that is not this machine and a foreign Origin are refused."""
    url = address(pool)
    assert get(f"{url}/metrics", Host="pool.example.org")[0] == 403
    assert get(f"{url}/metrics", Origin="http://pool.example.org")[0] == 403
    assert get(f"{url}/live") == (200, "alive\n")


def test_a_socket_of_the_file_system_serves_too(endpoint: str, tmp_path: Path) -> None:
    """With unix:PATH the same answers come over a socket that its user and group may use."""
    path = tmp_path / "http.sock"
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--http", f"unix:{path}")
    with Supervisor(*argv, GARCON_CONTROL=str(tmp_path / "control.sock")) as pool:
        address(pool)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(LIMIT)
            client.connect(str(path))
            client.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200")


def test_metrics_are_appended_for_cloudwatch(endpoint: str, tmp_path: Path) -> None:
    """With --emf a file has a line for the host and one for each task list."""
    path = tmp_path / "metrics.json"
    argv = ("--flow", "tests.processes.flow", "--endpoint-url", endpoint, "--emf", str(path))
    with Supervisor(*argv, GARCON_CONTROL=str(tmp_path / "control.sock")).ready():
        text = str(until(lambda: path.exists() and path.read_text(), "lines"))
    lines = [json.loads(line) for line in text.splitlines()]
    assert all("_aws" in line for line in lines)
    assert "HealthyHosts" in lines[0]


def ready_pids(url: str) -> list[str]:
    """The pids of all workers; none as long as one is not ready."""
    status = json.loads(get(f"{url}/api/pool")[1])["status"]
    workers = [each for each in status["workers"] if each["stage"] in READY]
    is_full = len(workers) == sum(each["desired"] for each in status["lists"])
    return [str(each["pid"]) for each in workers] if is_full else []


@pytest.mark.skipif(browser.PROGRAM is None, reason="no browser is installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_shows_a_death_and_its_replacement(pool: Supervisor, width: int) -> None:
    """An open page shows both live, and the cause, and no text is wider than a telephone."""
    url = pool.ready_at()
    with browser.browser(width) as window:
        window.go(url)
        window.wait_for_text("healthy", "#health")
        pool.titled("garcon: activity")[0].kill()
        pool.wait_for("worker_died")
        window.wait_for_text("was killed by SIGKILL", "#notes")
        window.wait_for_text("1 death", "#facts")
        window.wait_for_text("1 death; last: ", "#remarks")
        new = until(lambda: ready_pids(url), "a replacement")
        window.wait_for(f"{json.dumps(new)}.every((pid) => {SHOWN_PIDS}.includes(pid))")
        assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")


RESTART = b'{"v": 1, "request": "restart"}'


def test_only_the_holder_of_the_key_changes_the_pool(
    changeable: Supervisor, tmp_path: Path
) -> None:
    """Other pages and names are refused even with it, and a changed key is refused, too."""
    url = changeable.ready_at()
    key = (tmp_path / "control.sock.key").read_text(encoding="ascii").strip()
    actions = f"{url}/api/actions"
    assert get(actions, RESTART)[0] == 403
    assert get(actions, RESTART, x_garcon_token=key[::-1])[0] == 403
    assert get(actions, RESTART, x_garcon_token=key, Origin="http://127.0.0.1:1")[0] == 403
    assert get(actions, RESTART, x_garcon_token=key, Host="127.0.0.1:1")[0] == 403
    assert get(actions, RESTART, x_garcon_token=key, Host="pool.example.org")[0] == 403
    assert get(actions, b'{"v": 1, "request": "stop"}', x_garcon_token=key)[0] == 400
    code, body = get(actions, b'{"v": 1, "request": "quiet", "list": "none"}', x_garcon_token=key)
    assert (code, "no such task list" in body) == (409, True)
    assert metric(url, "garcon_events_total", event="restart_requested") == 0
    assert get(actions, RESTART, x_garcon_token=key, Origin=url)[0] == 200
    changeable.wait_for("full_strength", generation=2)
    assert changeable.titled("garcon: monitor")
    changeable.signal(signal.SIGTERM)
    assert changeable.wait() == 0
    assert not (tmp_path / "control.sock.key").exists()


@pytest.mark.skipif(browser.PROGRAM is None, reason="no browser is installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_carries_changes_out(changeable: Supervisor, tmp_path: Path, width: int) -> None:
    """Each with the command that does the same; the key is asked for once."""
    url = changeable.ready_at()
    with browser.browser(width) as window:
        window.go(url)
        window.wait_for_text("healthy", "#health")
        press(window, "Scale gates_gate")
        window.fill("dialog [name=size]", "+2")
        command = f"scale --control={tmp_path}/control.sock -- gates_gate=+2"
        assert window.text("dialog .command") == f"python -m supervisor {command}"
        window.fill("dialog [name=key]", "guess")
        window.click("Scale", "dialog [type=submit]")
        window.wait_for_text("The key is not the one in", "dialog [role=status]")
        window.fill("dialog [name=key]", (tmp_path / "control.sock.key").read_text().strip())
        window.click("Scale", "dialog [type=submit]")
        window.wait_for_text("gates_gate is scaled from", "dialog [role=status]")
        window.click("Close", "dialog button")
        changeable.wait_for("scaled", task_list="gates_gate")
        old = changeable.titled("garcon: activity gates gates_end ")[0].pid
        press(window, f"Recycle worker {old}")
        window.click("Recycle", "dialog [type=submit]")
        window.wait_for_text("leaves once its replacement is ready", "dialog [role=status]")
        changeable.wait_for("worker_recycled")
        window.wait_for(f"!{SHOWN_PIDS}.includes('{old}')")
        assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert window.console == []


@pytest.mark.skipif(browser.PROGRAM is None, reason="no browser is installed")
def test_a_page_without_changes_shows_the_commands(pool: Supervisor) -> None:
    """A button stays the same while the page is live, and its dialog names the option."""
    url = pool.ready_at()
    with browser.browser() as window:
        window.go(url)
        window.wait_for_text("healthy", "#health")
        window.evaluate("window.kept = document.querySelector('#lists button')")
        window.evaluate("window.kept.focus()")
        age = window.text("#workers td:nth-child(4)")
        window.wait_for(
            f"document.querySelector('#workers td:nth-child(4)').innerText !== {json.dumps(age)}"
        )
        assert window.evaluate("document.activeElement === window.kept")
        window.click("Drain…")
        window.wait_for_text("--http-actions", "dialog")
        assert "python -m supervisor drain --control=" in window.text("dialog .command")
        assert not window.evaluate("Boolean(document.querySelector('dialog [type=submit]'))")


def press(window: browser.Browser, label: str) -> None:
    """Press the button with this label, once it is there."""
    found = f"document.querySelector('[aria-label={json.dumps(label)}]')"
    window.wait_for(f"{found} && ({found}.click(), true)")
