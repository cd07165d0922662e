"""list, show, history."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from garcon import client as clients
from garcon.decider import return_task
from garcon.executions import commands, presentation
from garcon.executions.commands import inspect
from garcon.history.decision_deaths import DecisionDeaths
from garcon.history.returned_tasks import ReturnedTask
from tests.garcon.executions.commands.conftest import FLOW, CommandLine
from tests.garcon.executions.served_flow import START

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

    import pytest


def test_list_is_a_table_or_json(line: CommandLine) -> None:
    """The latest comes first, in 80 columns."""
    assert line.run("list")[0] == "No executions match.\n"
    line.run("start", '{"beans": "b"}', "--wait", "--id", "order-17", "--tag", "vip")
    line.run("start", "--id", "order-18")
    out, _ = line.run("list")
    head, later, earlier = out.splitlines()
    assert (later.split()[-2:], earlier.split()[-2:]) == (
        ["OPEN", "order-18"],
        ["COMPLETED", "order-17"],
    )
    assert max(map(presentation.cells, (head, later, earlier))) <= 80
    (summary,) = line.json("list", "--status", "completed", "--tag", "vip")["executions"]
    assert summary["execution"]["workflow_id"] == "order-17"
    assert summary["started"].startswith("2023-11-14T22:13:20")


def test_days_leave_older_executions_out(line: CommandLine) -> None:
    """The virtual start lies years back: within a day there is none, within a lifetime it is."""
    line.run("start", "--id", "order-17")
    assert line.run("list", "--days", "1")[0] == "No executions match.\n"
    for days in ("36500", "1e12"):
        assert "order-17" in line.run("list", "--days", days)[0]


def park(line: CommandLine, workflow_id: str, answer: DecisionDeaths | ReturnedTask) -> None:
    """Answer a new execution's decision task as a process that cannot decide it."""
    line.run("start", "--id", workflow_id)
    swf: Any = clients.calling()
    task = swf.poll_for_decision_task(domain="cafe", taskList={"name": "coffee"})
    swf.respond_decision_task_completed(
        taskToken=task["taskToken"],
        decisions=return_task(60, str(answer)),
        executionContext=str(answer),
    )


def test_stuck_executions_are_listed_with_the_reason(line: CommandLine) -> None:
    """Parked ones and those that no host could read; not those that go on."""
    assert line.run("list", "--stuck")[0] == "No open execution is known to be stuck.\n"
    park(line, "order-1", DecisionDeaths(3, "WorkerDied: exited 3", 60))
    park(line, "order-2", ReturnedTask(2, "This host has no claim store.", 60))
    line.run("start", "--id", "order-3")
    out, _ = line.run("list", "--stuck")
    assert max(map(presentation.cells, out.splitlines())) <= 80
    text = " ".join(out.split())
    assert "order-3" not in text
    assert "order-1 parked after 3 attempts, the last: WorkerDied: exited 3; next" in text
    assert "next attempt at 2023-11-14 22:14:20 UTC. Deploy code that can decide it" in text
    assert "order-2 returned after 2 attempts, the last: This host has no claim store;" in text
    later, earlier = line.json("list", "--stuck")["executions"]
    assert later["standstill"]["cause"] == "returned"
    assert earlier["execution"]["workflow_id"] == "order-1"
    assert earlier["standstill"]["next_attempt"] == "2023-11-14T22:14:20+00:00"
    assert len(line.json("list", "--stuck", "--limit", "1")["executions"]) == 1


def test_show_says_why_an_execution_does_not_go_on(line: CommandLine) -> None:
    """From SWF as from a file; a closed one is over."""
    park(line, "order-1", DecisionDeaths(3, "WorkerDied: exited 3", 60))
    assert "parked after 3 attempts" in line.run("show", "order-1")[0]
    assert line.json("show", "order-1")["standstill"]["attempts"] == 3
    line.run("terminate", "order-1")
    assert line.json("show", "order-1")["standstill"] is None
    assert "parked" not in line.run("show", "order-1")[0]


def test_only_open_executions_are_stuck(line: CommandLine) -> None:
    """Another status beside ``--stuck`` is a mistake."""
    words = ("list", "--flow", FLOW, "--stuck", "--status", "failed")
    assert "--stuck is for open executions, not those FAILED" in line.refused(*words)


def test_a_domain_is_enough_to_inspect(line: CommandLine) -> None:
    """Without a flow, all executions of the domain are listed, shown and terminated."""
    line.run("start", "--id", "order-17")
    assert "order-17" in line.run("list", "--domain", "cafe", flow="")[0]
    assert "has been open for" in line.run("show", "order-17", "--domain", "cafe", flow="")[0]
    line.run("terminate", "order-17", "--domain", "cafe", flow="")


def test_show_draws_in_80_columns_and_as_a_picture(line: CommandLine, tmp_path: Path) -> None:
    """The drawing is the same from SWF and from a file."""
    line.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    path, picture = tmp_path / "order-17.json", tmp_path / "order-17.svg"
    path.write_text(line.run("history", "order-17")[0])
    drawn, _ = line.run("show", "order-17", "--svg", str(picture))
    assert drawn.startswith("order-17 completed after")
    assert max(map(presentation.cells, drawn.splitlines())) <= 80
    assert line.run("show", str(path), flow="")[0] == drawn
    assert picture.read_text().startswith("<svg ")
    answer = line.json("show", "order-17")
    assert answer["timeline"]["rows"][1]["label"] == "coffee_grind-1"


def test_a_picture_that_cannot_be_written_is_refused(line: CommandLine) -> None:
    """The sentence names the file and the reason."""
    line.run("start", "--id", "order-17")
    words = ("show", "order-17", "--flow", FLOW, "--svg", "/nowhere/a.svg")
    assert "/nowhere/a.svg cannot be written: No such file" in line.refused(*words)


def test_show_on_a_terminal_has_colours(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words and columns are those of the plain drawing, which has no escape codes."""

    class Tty(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    line.run("start", '{"beans": "b"}', "--id", "order-17", "--wait")
    plain, _ = line.run("show", "order-17")
    assert "\x1b" not in plain
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "80")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    tty = Tty()
    monkeypatch.setattr(sys, "stdout", tty)
    assert commands.main(["show", "order-17", "--flow", FLOW]) == 0
    coloured = tty.getvalue()
    assert "\x1b[32m" in coloured
    without_codes = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [each.rstrip() for each in without_codes.splitlines()] == plain.splitlines()


def test_an_open_execution_is_shown_until_now(line: CommandLine, tmp_path: Path) -> None:
    """An open execution at SWF lasts until now; a file ends with its last event."""
    line.run("start", "--id", "order-17")
    assert re.search(r"open for \d+ d", line.run("show", "order-17")[0])
    path = tmp_path / "order-17.json"
    path.write_text(line.run("history", "order-17")[0])
    assert "open for 0.00 s" in line.run("show", str(path))[0]


def test_an_id_may_be_longer_than_a_file_s_name(line: CommandLine) -> None:
    """An id of 256 characters is looked for among files, which cannot have such names."""
    long_id = "x" * 256
    line.run("start", "--id", long_id)
    assert "has been open for" in line.run("show", long_id)[0]


def test_a_list_is_of_chosen_columns_and_of_any_length(line: CommandLine) -> None:
    """Without a limit, as one table, one object, or one object an execution."""
    for number in range(120):
        line.run("start", "--id", f"order-{number}", "--tag", "vip" if number % 2 else "new")
    assert len(line.run("list")[0].splitlines()) == 51
    assert len(line.run("list", "--all")[0].splitlines()) == 121
    out, _ = line.run("list", "--where", "tag=vip", "--all", "--columns", "id,tags")
    head, latest, *_ = out.splitlines()
    assert (head.split(), latest.split()) == (["WORKFLOW", "ID", "TAGS"], ["order-119", "vip"])
    out, _ = line.run("list", "--where", "id=order-11", "--json-lines")
    found = [json.loads(each)["execution"]["workflow_id"] for each in out.splitlines()]
    assert found == [*(f"order-{number}" for number in range(119, 109, -1)), "order-11"]
    assert "there are started, closed" in line.refused(
        "list", "--columns", "colour", "--flow", FLOW
    )


def test_count_is_a_number(line: CommandLine) -> None:
    """The criteria are those of the list."""
    assert line.run("count")[0] == "0\n"
    line.run("start", '{"beans": "b"}', "--wait", "--id", "order-17", "--tag", "vip")
    line.run("start", "--id", "order-18", "--tag", "vip")
    assert line.run("count", "--tag", "vip")[0] == "2\n"
    assert line.json("count", "--where", "tag=vip", "--status", "completed") == {
        "count": 1,
        "truncated": False,
    }


def test_slow_executions_are_listed_with_the_reason(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that no worker takes, and an execution in which nothing happens."""
    line.served.idle = True
    for number in (1, 2, 3):
        line.run("start", "--id", f"order-{number}")
    line.served.run_decider()
    line.served.run_decider()
    line.served.workers["coffee_grind"]()
    monkeypatch.setattr(inspect, "datetime", Later)
    assert "No open execution meets --waiting" in line.run("list", "--waiting", "3h")[0]
    out, _ = line.run("list", "--waiting", "1h")
    text = " ".join(out.split())
    assert max(map(presentation.cells, out.splitlines())) <= 80
    assert "activity coffee_grind-1 waits since 2 h for a worker of coffee_grind" in text
    assert "order-3 decision waits since 2 h for a worker of coffee" in text
    found = line.json("list", "--quiet", "1h", "--stuck")["executions"]
    assert len(found) == 3
    assert found[0]["quiet"] == "nothing has happened since 2 h; open: decision"
    assert "standstill" not in found[0]
    assert "is not a span such as 90s" in line.refused("list", "--quiet", "1x", "--flow", FLOW)
    line.run("terminate", "--where", "id=order", "--yes")
    assert line.json("list", "--quiet", "1h")["executions"] == []


class Later(datetime):
    """A clock that is two hours ahead of the local SWF's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Later:
        return cls.fromtimestamp(START + 7200, tz)
