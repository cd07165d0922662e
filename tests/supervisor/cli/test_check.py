"""``--check`` shows the settings without their secrets."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor import exit_codes
from supervisor.cli import check, checked_replay, options, sources
from supervisor.cli.checked_releases import CheckedRelease
from supervisor.config import ec2_detection
from supervisor.config.setting_types import HistorySource, PollBounds
from supervisor.config.settings import Settings
from supervisor.ipc import messages


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("https://ann:geheim@swf.example.org", "https://ann:[redacted]@swf.example.org"),
        (('{"token": "geheim"}',), '{"token": "[redacted]"}'),
        (60.0, "60"),
        (None, "-"),
    ],
)
def test_values_lose_what_looks_like_a_secret(value: object, shown: str) -> None:
    """An endpoint's address and an input may hold one."""
    assert check._value(value) == shown


@pytest.mark.parametrize(
    ("settings", "warned"),
    [({}, False), ({"hosts": 2}, True), ({"ec2": "on"}, True), ({"asg_group": "pool"}, True)],
)
def test_activities_that_an_interruption_fails_are_named(
    settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    warned: bool,
) -> None:
    """Where the flow is to run on EC2, or on several hosts."""
    lists = (messages.TaskList("flow", messages.Role.DECIDER),)
    loaded = messages.Loaded("domain", "flow", "1.0", lists, restart_unset=("resize",))
    monkeypatch.setattr(check, "_load", lambda *_: (loaded, None))
    monkeypatch.setattr(ec2_detection, "is_ec2", lambda _sys: False)
    chosen = Settings(flow="flow", **settings)
    origins = dict.fromkeys((each.name for each in options.OPTIONS), options.DEFAULT)
    assert check.run(sources.ParsedOptions(chosen, origins)) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert ("ends the workflow in resize: retry=0" in text) is warned


def polls_of(out: str) -> str:
    """The demand of idle polls."""
    (row,) = (line for line in out.splitlines() if line.startswith("activity polls, idle"))
    return row.split()[3]


@pytest.mark.parametrize(("polls", "demand"), [("2..8", "6.7"), ("3..3", "10.0"), ("all", "26.7")])
def test_idle_polls_are_those_that_the_settings_keep_open(
    polls: str,
    demand: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At least MIN on each list, or one for each worker."""
    lists = (messages.TaskList("flow_resize", messages.Role.ACTIVITY, "resize"),)
    monkeypatch.setattr(
        check, "_load", lambda *_: (messages.Loaded("d", "flow", "1.0", lists), None)
    )
    origins = dict.fromkeys((each.name for each in options.OPTIONS), options.DEFAULT)
    bounds = {"resize": PollBounds.parse(polls)}
    chosen = Settings(flow="flow", workers=8, hosts=200, polls=bounds, ec2="off")
    assert check.run(sources.ParsedOptions(chosen, origins)) == 0
    assert polls_of(capsys.readouterr().out) == demand


def test_several_hosts_have_a_table_of_demands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One row a budget, with the settings and heartbeat timeouts of this flow."""
    lists = (
        messages.TaskList("flow", messages.Role.DECIDER),
        messages.TaskList("flow_resize", messages.Role.ACTIVITY, "resize"),
    )
    loaded = messages.Loaded("d", "flow", "1.0", lists, heartbeat_timeouts={"flow_resize": 30.0})
    monkeypatch.setattr(check, "_load", lambda *_: (loaded, None))
    origins = dict.fromkeys((each.name for each in options.OPTIONS), options.DEFAULT)
    for hosts in (1, 200):
        chosen = Settings(flow="flow", workers=8, hosts=hosts, ec2="off")
        assert check.run(sources.ParsedOptions(chosen, origins)) == 0
        out = capsys.readouterr().out
        assert ("beside the account's budgets" in out) is (hosts == 200)
    (row,) = (line for line in out.splitlines() if line.startswith("heartbeats, all busy"))
    assert row.split()[3:] == ["85.3", "160", "a", "second", "53%", "375"]
    assert polls_of(out) == "3.3"
    assert "with tasks of 8.0 s or more on average" in out


@pytest.mark.parametrize(
    ("gate", "given", "wanted"),
    [("open:20", False, False), ("open:20", True, True), ("off", True, False)],
)
def test_check_replays_only_what_was_asked_for(gate: str, *, given: bool, wanted: bool) -> None:
    """It calls SWF, and images are built without credentials."""
    chosen = Settings(flow="flow", gate_replay=HistorySource(gate))
    origins = dict.fromkeys((each.name for each in options.OPTIONS), options.DEFAULT)
    parsed = sources.ParsedOptions(
        chosen, {**origins, "gate_replay": "--gate-replay"} if given else origins
    )
    assert checked_replay.is_wanted(parsed) is wanted


@pytest.mark.parametrize(
    ("verdict", "text", "code"),
    [
        (messages.Replayed(1, 3, 9), "3 executions (9 decisions) replayed", 0),
        (
            messages.NonDeterministic(1, "w", 4, ("A",), ()),
            "event 4 of workflow w",
            exit_codes.FLOW,
        ),
        (messages.FlowRefused(1, "No such folder.", exit_codes.USAGE), "No such", exit_codes.USAGE),
        (None, "SWF was not reached", exit_codes.GAVE_UP),
    ],
)
def test_the_exit_code_is_that_of_a_start(
    verdict: checked_replay.Verdict, text: str, code: int
) -> None:
    """A script checks before it deploys."""
    said, found = checked_replay.answer(verdict)
    assert text in said
    assert found == code


@pytest.mark.parametrize(
    ("builds", "code"), [((), exit_codes.FLOW), (("a",), 0), (("a", "c"), exit_codes.FLOW)]
)
def test_executions_that_kept_releases_serve_are_not_harmed(
    builds: tuple[str, ...], code: int
) -> None:
    """The replay gate of a check asks the same as that of a start."""
    verdict = messages.NonDeterministic(1, "w", 4, (), (), builds=builds, report="1 differs.")
    kept = [CheckedRelease("v1", "a"), CheckedRelease("v0", "b")]
    text, found = checked_replay.answer(verdict, kept)
    assert found == code
    assert ("1 differs. Kept releases serve them." in text) is (code == 0)
