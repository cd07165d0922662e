"""``status --healthy``: the reasons against a host, and the exit code."""

from __future__ import annotations

import json
from argparse import Namespace

import msgspec
import pytest

from supervisor.cli.commands import status
from supervisor.ipc import health
from supervisor.ipc.messages import ListState, Role, Status, TaskList
from supervisor.ipc.messages.status import GenerationStatus

ALBUM = TaskList("album", Role.DECIDER, "decider")
RESIZE = TaskList("album_resize", Role.ACTIVITY, "resize")

HEALTHY = Status(
    leaving=None,
    lists=(ListState(ALBUM, desired=1, ready=1, working=0), ListState(RESIZE, 2, 0, 1)),
    generations=(
        GenerationStatus(1, "active", "ready", ()),
        GenerationStatus(2, "candidate", "starting", ("album",)),
    ),
    workers=(),
    empty_slots=(),
    sidecars=(),
    pending_reports=0,
    deaths={},
)


def with_list(state: ListState) -> Status:
    """The healthy status with this second list."""
    return msgspec.structs.replace(HEALTHY, lists=(HEALTHY.lists[0], state))


@pytest.mark.parametrize(
    "serving",
    [
        HEALTHY,
        with_list(ListState(RESIZE, desired=2, ready=1, working=0)),
        with_list(ListState(RESIZE, desired=0, ready=0, working=0, quiet=True)),
    ],
    ids=["busy", "idle", "quiet"],
)
def test_a_host_that_serves_is_healthy(serving: Status) -> None:
    """A busy, idle or quiet list is well, and a candidate's trouble is not the host's."""
    assert list(health.problems(serving)) == []


@pytest.mark.parametrize(
    ("status_now", "problem"),
    [
        (msgspec.structs.replace(HEALTHY, leaving="SIGTERM"), "leaving: SIGTERM"),
        (msgspec.structs.replace(HEALTHY, generations=HEALTHY.generations[1:]), "No generation"),
        (
            msgspec.structs.replace(
                HEALTHY, generations=(GenerationStatus(1, "active", "ready", ("album_resize",)),)
            ),
            "album_resize is degraded",
        ),
        (with_list(ListState(RESIZE, desired=2, ready=0, working=0)), "No worker of the task list"),
    ],
    ids=["leaving", "starting", "degraded", "no worker"],
)
def test_each_reason_has_its_sentence(status_now: Status, problem: str) -> None:
    """Exactly the one reason is given, with its object."""
    (found,) = health.problems(status_now)
    assert problem in found


def test_a_probe_has_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 and one word for a healthy host, 1 and the reasons for another; JSON has the same."""
    monkeypatch.setattr(status, "fetch", lambda _given: HEALTHY)
    assert status.run(Namespace(healthy=True, json=False)) == 0
    assert capsys.readouterr().out == "healthy\n"
    leaving = msgspec.structs.replace(HEALTHY, leaving="SIGTERM")
    monkeypatch.setattr(status, "fetch", lambda _given: leaving)
    assert status.run(Namespace(healthy=True, json=True)) == 1
    assert json.loads(capsys.readouterr().out) == {
        "healthy": False,
        "problems": ["The supervisor is leaving: SIGTERM."],
    }
