"""External activities, answered by the token of their task, or by execution and id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from garcon import client as clients
from garcon.executions import NotAnswerable
from tests.garcon.executions.commands.conftest import FLOW, CommandLine

if TYPE_CHECKING:
    from pathlib import Path


def scheduled(line: CommandLine, *ids: str) -> None:
    """Executions whose first activity is scheduled; no worker runs."""
    line.served.idle = True
    for each in ids:
        line.run("start", '{"beans": "b"}', "--id", each)
        line.served.run_decider()


def token(line: CommandLine) -> str:
    """The token of the oldest task, as the program that does the activity gets it."""
    swf: Any = clients.calling()
    task = swf.poll_for_activity_task(domain="cafe", taskList={"name": "coffee_grind"})
    return str(task["taskToken"])


def events(line: CommandLine, id_: str) -> list[str]:
    """The types of an execution's events."""
    return [each["eventType"] for each in line.served.swf.history(id_)]


def test_a_token_is_enough(line: CommandLine, tmp_path: Path) -> None:
    """To complete, fail, or send a heartbeat; given, in a file, or on standard input."""
    scheduled(line, "a", "b")
    path = tmp_path / "token"
    path.write_text(token(line) + "\n")
    assert line.run("heartbeat", "--token", f"@{path}", "--details", "half")[0] == "Sent.\n"
    out, _ = line.run("complete", "--token", f"@{path}", '{"powder": "fine"}')
    assert out == "Completed the task.\n"
    members = line.served.swf.history("a")[-2]["activityTaskCompletedEventAttributes"]
    assert json.loads(members["result"]) == {"powder": "fine"}
    second = token(line)
    assert line.json("heartbeat", "--token", second) == {"cancel_requested": False}
    assert line.json("fail", "--token", second, "--reason", "No beans.") == {"answered": True}
    assert "ActivityTaskFailed" in events(line, "b")
    _, err = line.run("complete", "--token", second, code=1)
    assert "it was answered, has timed out, or its execution has closed" in err


def test_an_activity_that_no_worker_took_is_answered_by_its_id(line: CommandLine) -> None:
    """SWF gives the token to the poller; so a task that a worker has cannot be answered."""
    scheduled(line, "a")
    words = ("--workflow", "a", "--activity", "grind")
    line.run("complete", *words, '{"powder": "fine"}')
    assert events(line, "a")[-3:-1] == ["ActivityTaskStarted", "ActivityTaskCompleted"]
    _, err = line.run("complete", *words, code=1)
    assert "No open activity begins with 'grind'; there are: none." in err
    line.served.run_decider()
    scheduled(line, "b")
    token(line)
    _, err = line.run("fail", "--workflow", "b", "--activity", "grind-1", "--reason", "x", code=1)
    assert "coffee_grind-1 was taken by" in err


def test_no_task_is_taken_while_others_wait_before_it(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that comes all the same is given back, at the cost of no retry."""
    scheduled(line, "a", "b")
    with pytest.raises(NotAnswerable, match="2 tasks wait in coffee_grind"):
        line.served.client.take("b", "grind")
    monkeypatch.setattr(line.served.client, "backlog", lambda *_: 1)
    with pytest.raises(NotAnswerable, match="another task of coffee_grind, which was given back"):
        line.served.client.take("b", "grind")
    failed = line.served.swf.history("a")[-2]["activityTaskFailedEventAttributes"]
    assert failed["reason"].startswith("NotStarted: ")
    line.served.run_decider()
    assert events(line, "a").count("ActivityTaskScheduled") == 2


def test_a_task_is_named_in_one_way(line: CommandLine) -> None:
    """By its token, or by execution and activity."""
    for words in (
        [],
        ["--workflow", "a"],
        ["--activity", "a"],
        ["--token", "t", "--workflow", "a"],
    ):
        sentence = line.refused("heartbeat", *words, "--flow", FLOW)
        assert "heartbeat needs --token TOKEN, or --workflow ID and --activity ID" in sentence
    _, err = line.run("heartbeat", "--token", "none", code=1)
    assert "Invalid token" in err
