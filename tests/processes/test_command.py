"""``python -m supervisor`` as people meet it: its messages and its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from supervisor.cli.help_text import COMMANDS, UNIT
from tests.processes import swf
from tests.processes.harness import LIMIT, ROOT, Program, Supervisor, environment, local_swf

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "http://127.0.0.1:1"
"""Nothing listens there."""


def run(*argv: str, **variables: str) -> tuple[int, str, str]:
    """Run the command to its end: exit code, output, errors."""
    with Program("-m", "supervisor", *argv, **variables) as program:
        return program.wait(), program.out.rest(), program.err.rest()


def write(folder: Path, text: str) -> dict[str, str]:
    """Write a flow that can be named ``mine``; returns the environment that finds it."""
    (folder / "mine.py").write_text(text)
    return {"PYTHONPATH": str(folder)}


SHOP = """
from garcon import activity, runner
domain, name = "shop", "orders"
make = activity.create(domain, name)(name="make", run=runner.Sync(lambda context, activity: None))
"""


def test_the_main_job_serves_an_order_and_exits_0() -> None:
    """--local --start --once runs the coffee shop on an SWF of its own to the end, without AWS."""
    code, out, err = run(
        *("--flow", "examples.coffee", "--local", "--once"),
        *("--start", '{"order": "Ann", "items": ["latte", "scone"]}'),
    )
    assert code == 0, err
    assert "Ann: latte and scone, enjoy!" in out
    assert "1 of 1 executions completed" in out
    assert "http://127.0.0.1:" in out


def test_twenty_orders_at_once_on_eight_workers_a_list() -> None:
    """Twenty orders started together all complete."""
    orders = [f'{{"order": "guest {n}", "items": ["latte", "tea"]}}' for n in range(20)]
    starts = [word for each in orders for word in ("--start", each)]
    code, out, err = run(
        *("--flow", "examples.coffee", "--local", "--once", "--workers", "8", "--deciders", "2"),
        *starts,
    )
    assert code == 0, err
    assert "20 of 20 executions completed" in out


def test_once_exits_1_when_an_execution_fails(tmp_path: Path) -> None:
    """With --once an execution that does not complete is exit code 1, and its reason is shown."""
    text = SHOP.replace("lambda context, activity: None", "lambda context, activity: 1 / 0")
    code, out, _ = run(
        *("--flow", "mine", "--local", "--once", "--start", "{}"), **write(tmp_path, text)
    )
    assert code == 1
    assert "failed" in out
    assert "0 of 1 executions completed" in out


def test_the_exit_code_holds_when_the_log_is_not_read(tmp_path: Path) -> None:
    """Lines that cannot be written make no 120 of it, which is Python's own code for that."""
    reader, writer = os.pipe()
    os.close(reader)
    variables = environment(**write(tmp_path, SHOP))
    variables.pop("PYTHONUNBUFFERED", None)  # it would leave nothing to be flushed
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "supervisor", "--flow", "mine"),
            *("--local", "--once", "--start", "{}"),
        ],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=writer,
    ) as program:
        os.close(writer)
        assert program.wait(LIMIT) == 0


@pytest.mark.parametrize(
    ("argv", "code", "sentence"),
    [
        (["--workers", "2"], 2, "--flow is missing"),
        (["--flow", "mine", "--workers", "x"], 2, "--workers: expected a whole number"),
        (["--flow", "no_such_module"], 3, "there is no module 'no_such_module'"),
        (["--flow", "mine:nothing"], 3, "has no 'nothing'"),
        (["--flow", "mine", "--pool", "mkae=2"], 2, "--pool mkae: the flow has no such task list"),
        (["--flow", "mine", "--workers", "0", "--deciders", "0"], 2, "every pool has zero slots"),
        (["--flow", "mine", "--name", "a:b"], 3, "SWF refuses the name 'a:b'"),
        (["--flow", "mine", "--profile", "nobody"], 2, "nobody"),
        (
            ["--flow", "mine", "--endpoint-url", "there"],
            2,
            "expected a URL such as https://swf.example:8000, not 'there'",
        ),
        (["--flow", "mine", "--config", "/nowhere.toml"], 2, "cannot be read"),
    ],
)
def test_bad_input_gets_a_sentence_and_a_code(
    tmp_path: Path, argv: list[str], code: int, sentence: str
) -> None:
    """An invalid command gets a sentence and the documented exit code, without a traceback."""
    endpoint = () if "--endpoint-url" in argv else ("--endpoint-url", NOWHERE)
    ended, _, err = run(*endpoint, *argv, **write(tmp_path, SHOP))
    assert sentence in err
    assert "Traceback" not in err
    assert ended == code


def test_a_flow_that_fails_shows_its_own_traceback(tmp_path: Path) -> None:
    """An import that raises ends with exit code 3, and shows the user's frames only."""
    code, _, err = run("--flow", "mine", **write(tmp_path, "def f():\n    1 / 0\nf()\n"))
    assert code == 3
    assert "ZeroDivisionError" in err
    assert "supervisor/child/flow_loader.py" not in err


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    """Without credentials the sentence says so, and the code is that of settings."""
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    code, _, err = run(
        *("--flow", "mine", "--endpoint-url", NOWHERE), **write(tmp_path, SHOP), **nothing
    )
    assert "credentials" in err
    assert "Traceback" not in err
    assert code == 2


def test_a_missing_region_is_named(tmp_path: Path) -> None:
    """Without a region the sentence says so, and the code is that of settings."""
    code, _, err = run("--flow", "mine", **write(tmp_path, SHOP), AWS_DEFAULT_REGION="")
    assert "region" in err
    assert code == 2


def test_an_endpoint_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """A silent endpoint is logged at once, attempted again, and given up with code 4."""
    code, _, err = run("--flow", "mine", "--endpoint-url", NOWHERE, **write(tmp_path, SHOP))
    assert NOWHERE in err
    assert "Trying again." in err
    assert "Traceback" not in err
    assert code == 4


def test_an_unknown_domain_on_a_host_without_deciders_is_named(tmp_path: Path) -> None:
    """A host that registers nothing still names a missing domain."""
    with local_swf() as endpoint:
        code, _, err = run(
            *("--flow", "mine", "--deciders", "0", "--endpoint-url", endpoint),
            **write(tmp_path, SHOP),
        )
    assert "shop" in err
    assert code == 2


BROKEN = """
import sys

class Shadow:
    def find_spec(self, name, path=None, target=None):
        if name == "supervisor.child.launch":
            raise ImportError("a module of the flow stands in its place")

sys.meta_path.insert(0, Shadow())
"""
"""Children cannot import what they are made of; the supervisor does not need it."""


def test_once_ends_if_its_zygotes_cannot_be_imported(tmp_path: Path) -> None:
    """The first one has died before the local SWF is ready: code 4, and the error is shown."""
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    code, _, err = run(
        *("--flow", "mine", "--local", "--once", "--start", "{}"), **write(tmp_path, SHOP)
    )
    assert "ImportError: a module of the flow stands in its place" in err
    assert "Stopping: its zygote exited 1; what it wrote last stands above in the log." in err
    assert code == 4


def test_a_pool_that_cannot_be_kept_alive_is_given_up(tmp_path: Path) -> None:
    """Workers that die at their start, again and again, end the program with code 4."""
    text = SHOP + "import os\nos.register_at_fork(after_in_child=lambda: os._exit(7))\n"
    quick = {
        "GARCON_CRASH_LOOP_DEATHS": "3",
        "GARCON_BACKOFF_CAP": "0.1",
        "GARCON_BACKOFF_INITIAL": "0.1",
    }
    code, _, err = run(
        "--flow", "mine", "--endpoint-url", NOWHERE, **write(tmp_path, text), **quick
    )
    assert "Traceback" not in err
    assert code == 4


def test_check_shows_what_would_run_and_the_settings_that_were_given(tmp_path: Path) -> None:
    """``--check`` loads the flow; the answer stands first, then the settings with their origins."""
    code, out, err = run(
        *("--check", "--flow", "mine", "--workers", "3"),
        *("--start", '{"user": "ann", "password": "geheim"}'),
        **write(tmp_path, SHOP),
        GARCON_DECIDERS="2",
        GARCON_WORKER="4",
    )
    rows = [line.split() for line in out.splitlines()]
    assert out.startswith("The flow mine can be served: 2 task lists, 5 workers.\n")
    assert rows.index(["orders_make", "activity", "3"]) < rows.index(["setting", "value", "from"])
    assert ["orders", "decider", "2"] in rows
    assert ["workers", "3", "--workers"] in rows
    assert ["deciders", "2", "GARCON_DECIDERS"] in rows
    assert not [row for row in rows if row[:1] == ["surge"]]
    assert "other settings have their defaults" in out
    assert '"user": "ann"' in out
    assert "geheim" not in out
    assert "GARCON_WORKER is not a setting and has no effect. Did you mean GARCON_WORKERS?" in err
    assert code == 0


def test_a_verbose_check_shows_all_settings(tmp_path: Path) -> None:
    """``--check --verbose`` lists the defaults too; ``--verbose`` alone is an error."""
    code, out, _ = run("--check", "--verbose", "--flow", "mine", **write(tmp_path, SHOP))
    rows = [line.split() for line in out.splitlines()]
    assert ["surge", "100%", "default"] in rows
    assert ["poll-timeout", "90", "default"] in rows
    assert code == 0
    code, _, err = run("--verbose", "--flow", "mine", **write(tmp_path, SHOP))
    assert (code, "--verbose goes with --check" in err) == (2, True)


def test_check_reports_errors_like_a_start(tmp_path: Path) -> None:
    """``--check`` fails where a start would, with the same exit code, and shows the settings."""
    code, out, err = run("--check", "--flow", "mine", "--pool", "x=1", **write(tmp_path, SHOP))
    assert "no such task list" in err
    assert ["pools", "x=1", "--pool"] in [line.split() for line in out.splitlines()]
    assert code == 2
    code, _, err = run("--check", "--flow", "mine", **write(tmp_path, "1 / 0"))
    assert "ZeroDivisionError" in err
    assert code == 3


def test_the_reference_of_settings_can_be_printed() -> None:
    """``--help-settings`` needs no flow, and prints ``docs/configuration.md``."""
    code, out, _ = run("--help-settings")
    assert f"{out}\n" == (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert code == 0


def test_version_and_help_are_printed() -> None:
    """--version names it; --help names the exit codes, and every first word there is."""
    assert run("--version")[1].startswith("garcon supervisor ")
    _, out, _ = run("--help")
    assert "exit codes:" in out
    for word, what in {**COMMANDS, UNIT: "print a systemd unit"}.items():
        assert re.search(rf"^  {word} +{what}", out, re.MULTILINE)


@pytest.mark.parametrize("word", [None, UNIT, *COMMANDS])
def test_every_help_fits_a_terminal(word: str | None) -> None:
    """It has at most 80 columns, and its usage line is that of the command."""
    code, out, _ = run(*filter(None, [word]), "--help", COLUMNS="80")
    assert code == 0
    assert out.startswith(f"usage: python -m supervisor {word or '--flow'} ")
    assert max(len(line) for line in out.splitlines()) < 80


@pytest.mark.parametrize("words", [["--check"], ["unit"]])
def test_a_reader_may_leave_early(words: list[str], tmp_path: Path) -> None:
    """An answer that is not read to its end is not an error, and has no traceback."""
    (tmp_path / "mine.py").write_text(SHOP)
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "supervisor", *words, "--flow", "mine"],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(tmp_path)),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_quit_stops_now(tmp_path: Path) -> None:
    """QUIT ends an idle pool without waiting for its polls, and nothing was abandoned."""
    with (
        local_swf() as endpoint,
        Supervisor("--flow", "mine", "--endpoint-url", endpoint, **write(tmp_path, SHOP)) as pool,
    ):
        pool.wait_for("full_strength")
        pool.signal(signal.SIGQUIT)
        assert pool.wait() == 0


def test_every_line_of_the_json_log_is_an_object(tmp_path: Path) -> None:
    """With --log-format json each line is one object with time, level, message and pid."""
    with (
        local_swf("--poll-seconds", "1") as endpoint,
        Supervisor("--flow", "mine", "--endpoint-url", endpoint, **write(tmp_path, SHOP)) as pool,
    ):
        pool.wait_for("full_strength")
        pool.signal(signal.SIGTERM)
        assert pool.wait() == 0
        lines = [json.loads(line) for line in pool.err.rest().splitlines()]
    assert all({"timestamp", "level", "message", "pid"} <= line.keys() for line in lines)


def test_an_endpoint_that_closes_at_once_ends_the_start(tmp_path: Path) -> None:
    """An endpoint that accepts and closes at once is transient: logged, attempted again, code 4."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(None)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with Program(
            *("-m", "supervisor", "--flow", "mine", "--endpoint-url", url),
            **write(tmp_path, SHOP),
        ) as program:
            while program.process.poll() is None:
                listening.settimeout(1)
                try:
                    listening.accept()[0].close()
                except TimeoutError:
                    continue
            assert program.wait() == 4
            assert url in program.err.rest()


def test_deciders_can_be_left_to_other_hosts(tmp_path: Path) -> None:
    """With --deciders 0 no decider polls; a second supervisor with --workers 0 decides."""
    with local_swf("--poll-seconds", "1") as endpoint:
        common = ("--flow", "mine", "--endpoint-url", endpoint)
        environment = write(tmp_path, SHOP)
        with Supervisor(*common, "--workers", "0", **environment) as deciding:
            deciding.wait_for("full_strength")
            with Supervisor(*common, "--deciders", "0", **environment) as working:
                working.wait_for("full_strength")
                assert not working.titled("garcon: decider")
                assert not deciding.titled("garcon: activity")
                execution = swf.start(endpoint, Shop)
                assert execution.wait_closed() == "WorkflowExecutionCompleted"


class Shop:
    """The members of ``SHOP``."""

    domain, name = "shop", "orders"


def test_inputs_may_be_long_and_many() -> None:
    """Ten inputs of 30,000 characters reach SWF whole: they do not travel in packets."""
    guest = "x" * 30_000
    starts = [word for _ in range(10) for word in ("--start", f'{{"order": "{guest}"}}')]
    code, out, err = run("--flow", "examples.coffee", "--local", "--once", *starts)
    assert code == 0, err[-2000:]
    assert "10 of 10 executions completed" in out


def test_a_flow_with_more_lists_than_a_packet_holds_is_refused(tmp_path: Path) -> None:
    """A flow of thousands of activities gets a sentence, not a traceback."""
    text = SHOP + (
        "create = activity.create(domain, name)\n"
        "for n in range(4000):\n"
        "    globals()[f'made_{n}'] = create(name=f'{n}', run=runner.Sync(lambda c, a: None))\n"
    )
    code, _, err = run("--flow", "mine", "--endpoint-url", NOWHERE, **write(tmp_path, text))
    assert "more than one supervisor can serve" in err
    assert "Traceback" not in err
    assert code == 3
