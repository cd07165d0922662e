"""Options and arguments: their values, their help, and the sentences that refuse them."""

from __future__ import annotations

import pytest

from garcon.executions import commands
from garcon.executions.commands import target
from supervisor.cli.options import OPTIONS
from tests.garcon.executions.commands.conftest import FLOW, CommandLine

COMMANDS = (
    "start",
    "result",
    "signal",
    "cancel",
    "terminate",
    "redrive",
    "complete",
    "fail",
    "heartbeat",
    "list",
    "count",
    "show",
    "state",
    "history",
    "replay",
    "rerun",
)


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--flow", ""],
        ["list", "--domain", ""],
        ["list", "--name", ""],
        ["list", "--region", ""],
        ["list", "--profile", ""],
        ["list", "--endpoint-url", ""],
        ["list", "--tag", ""],
        ["list", "--status", ""],
        ["start", "--id", ""],
        ["start", "--tag", ""],
        ["start", ""],
        ["result", ""],
        ["cancel", "order-17", "--run-id", ""],
        ["terminate", "order-17", "--reason", ""],
        ["signal", "order-17", ""],
        ["show", "order-17", "--svg", ""],
        ["rerun", "order-17", "--activity", ""],
    ],
    ids=" ".join,
)
def test_an_empty_value_is_refused(line: CommandLine, words: list[str]) -> None:
    """A shell variable that is not set must not change what a command acts on."""
    flow = [] if "--flow" in words else ["--flow", FLOW]
    sentence = line.refused(*words, *flow)
    assert "the value is empty" in sentence or "invalid choice: ''" in sentence
    before = words[words.index("") - 1]
    names = [before] if before.startswith("--") else ["COMMAND", "INPUT", "WORKFLOW_ID", "SIGNAL"]
    assert any(f"garcon: {name}: " in sentence for name in names)
    assert ("garcon: COMMAND: " in sentence) is (words == [""])
    assert line.served.client.list() == ()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["list", "--days", "nan"], "--days: 'nan' is not a number of days above 0"),
        (["list", "--days", "inf"], "--days: 'inf' is not a number of days above 0"),
        (["list", "--days", "-1"], "--days: '-1' is not a number of days above 0"),
        (["list", "--limit", "0"], "--limit: '0' is not a whole number from 1 on"),
        (["list", "--limit", "-1"], "--limit: '-1' is not a whole number from 1 on"),
        (["list", "--status", "done"], "status 'done' is unknown: use one of OPEN, COMPLETED"),
        (["start", "--timeout", "nan"], "--timeout: 'nan' is not a number of seconds above 0"),
        (["start", "--timeout", "inf"], "--timeout: 'inf' is not a number of seconds above 0"),
        (["start", "--decision-timeout", "0"], "'0' is not a number of seconds above 0"),
        (["start", "--wait", "inf"], "--wait: 'inf' is not a number of seconds above 0"),
        (["start", "--priority", "2147483648"], "is not a whole number from -2147483648 to"),
        (["start", "--child-policy", "KILL"], "--child-policy: invalid choice: 'KILL'"),
        (["start", "--id", "a:b"], "The workflow id 'a:b' is invalid"),
        (["result", "o", "--timeout", "1e999"], "'1e999' is not a number of seconds above 0"),
        (["show", "o", "--rows", "-1"], "--rows: '-1' is not a whole number from 1 on"),
        (
            ["rerun", "o", "--activity", "a", "--attempt", "0"],
            "'0' is not a whole number from 1 on",
        ),
        (["rerun", "o"], "the following arguments are required: --activity"),
        (["list", "--endpoint-url", "http://[::1"], "'http://[::1' is not an address such as"),
        (["list", "--endpoint-url", "http://127.0.0.1:99999"], "is not an address such as"),
        (["list", "--endpoint-url", "http://127.0.0.1:x"], "is not an address such as"),
        (["list", "--endpoint-url", "127.0.0.1:8042"], "is not an address such as"),
        (["list", "--endpoint-url", "nonsense"], "is not an address such as"),
        (["list", "--endpoint-url", "file:///etc/passwd"], "is not an address such as"),
        (["list", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["brew"], "invalid choice: 'brew'"),
        ([], "the following arguments are required: COMMAND"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_invalid_value_is_one_sentence(
    line: CommandLine, words: list[str], sentence: str
) -> None:
    """The sentence names the option and the value, and no class of the program."""
    flow = ["--flow", FLOW] if words[:1] != ["brew"] and words else []
    message = line.refused(*words, *flow)
    assert sentence in message
    assert "Status." not in message
    assert line.served.client.list() == ()


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--flow", FLOW, "--flow", "another"],
        ["list", "--flow", FLOW, "--limit", "1", "--limit", "2"],
        ["list", "--flow", FLOW, "--tag", "a", "--tag", "a"],
        ["start", "--flow", FLOW, "--wait", "--wait", "5"],
        ["cancel", "order-17", "--domain", "a", "--domain", "b"],
    ],
    ids=" ".join,
)
def test_the_second_of_an_option_is_refused(line: CommandLine, words: list[str]) -> None:
    """Only one of the two can count; an option that is a list may come again."""
    repeated = next(each for each in words if words.count(each) == 2 and each.startswith("--"))
    assert f"{repeated} is given twice" in line.refused(*words)
    line.run("start", "--id", "order-17", "--tag", "a", "--tag", "b")
    assert line.served.client.describe("order-17").summary.tags == ("a", "b")


@pytest.mark.parametrize("page", [[], *([each] for each in COMMANDS)], ids=" ".join)
def test_help_fits_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, page: list[str]
) -> None:
    """Every page fits; the first one lists the commands and the exit codes."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stopped:
        commands.main([*page, "--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "GARCON_FLOW" in out
    if not page:
        assert "exit codes:" in out
        assert all(f"\n    {each} " in out for each in COMMANDS)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["list", "--flowe", "x"], "unrecognized arguments: --flowe x; did you mean --flow."),
        (["start", "--deciison-timeout=5"], "did you mean --decision-timeout."),
        (["list", "--zzz"], "unrecognized arguments: --zzz. Options: python -m garcon list --help"),
        (["list", "more"], "unrecognized arguments: more"),
        (["start", "--id", "\udcff"], "is not UTF-8 text"),
        (["signal", "o", "s", "NaN"], "JSON has neither NaN nor infinity"),
        (
            ["signal", "o", "s", "[1e999]"],
            "JSON has neither NaN nor infinity",
        ),
        (["signal", "o", "s", '"\\ud800"'], "The input of the signal s cannot be sent"),
        (["start", '{"a": -Infinity}'], "cannot be sent as JSON (key 'a'): JSON has neither NaN"),
    ],
)
def test_a_mistake_is_named(line: CommandLine, words: list[str], sentence: str) -> None:
    """A mistyped option with the one that it resembles, a value with what is wrong with it."""
    assert sentence in line.refused(*words, "--flow", FLOW)
    assert line.served.client.list() == ()


def test_a_mistyped_variable_is_named(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor's own variables are no mistakes."""
    for option in OPTIONS:
        for variable in option.variables:
            if variable.removeprefix(target.ENVIRONMENT).lower() not in target.OPTIONS:
                monkeypatch.setenv(variable, "1")
    assert line.run("list")[1] == ""
    monkeypatch.setenv("GARCON_DOMIAN", "test")
    note = line.run("list")[1]
    assert note == "garcon: GARCON_DOMIAN has no effect. Did you mean GARCON_DOMAIN?\n"
