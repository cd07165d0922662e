"""Notices of EC2, with real processes: every timeline ends as the table in ``docs/ec2.md`` says."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

import pytest

from tests.fakes.auto_scaling import COMPLETE, DESCRIBE_HOOKS, HOOK, PROTECT, Scaling
from tests.fakes.metadata_service import INSTANCE, TARGET, Metadata
from tests.processes import flow, swf
from tests.processes.harness import ROOT, Program, local_swf, parsed, until
from tests.processes.instance import pool
from tests.processes.timelines import HEAD, TIMELINES, Timeline, run
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.processes.harness import Supervisor


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF with polls of a second that hands no task to the killed."""
    with local_swf("--poll-seconds", "1", "--no-ghosts") as url:
        yield url


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    """An instance of the tests' own."""
    with Metadata() as made:
        yield made


@pytest.mark.parametrize("timeline", TIMELINES, ids=lambda each: each.name)
def test_a_timeline_ends_as_the_table_says(
    timeline: Timeline, endpoint: str, tmp_path: Path
) -> None:
    """Tasks in progress are finished or returned, and the program is gone before the instance."""
    assert run(timeline, endpoint, tmp_path) == timeline.outcome


def test_the_table_lists_the_timelines() -> None:
    """The document has a row for each, and no other; each name is there once."""
    text = (ROOT / "docs" / "ec2.md").read_text(encoding="utf-8")
    lines = text[text.index(HEAD) :].splitlines()
    table = lines[2 : lines.index("")]
    assert table == [each.row for each in TIMELINES]
    assert len({each.name for each in TIMELINES}) == len(TIMELINES)


# --- who it is ------------------------------------------------------------------------------------


def wait_until_known(supervisor: Supervisor) -> None:
    """Wait until the supervisor knows its instance: any line names it then, such as a signal's."""

    def is_named() -> bool:
        supervisor.signal(signal.SIGUSR1)
        return "instance" in supervisor.wait_for_message("SIGUSR1 has no meaning here")

    until(is_named, "a line that names the instance")


def test_history_and_logs_name_the_instance(endpoint: str, metadata: Metadata) -> None:
    """Id, zone and life cycle are in the identity of workers that are forked once they are known.

    And on every line from then on, a task's own included.
    """
    with pool(endpoint, metadata) as supervisor:
        supervisor.ready()
        wait_until_known(supervisor)
        victim = supervisor.titled("garcon: activity gates gates_gate")[0]
        victim.kill()
        died = supervisor.wait_for("worker_died", pid=victim.pid)
        assert (died["instance"], died["zone"]) == (INSTANCE, "eu-west-1a")
        execution = swf.start(endpoint, flow, gate="", then="return")
        event = execution.wait_for("ActivityTaskStarted")[0]
        identity = event["activityTaskStartedEventAttributes"]["identity"]
        assert identity.rsplit(":", 3)[0] == f"{INSTANCE}/eu-west-1a/spot"
        execution.wait_closed()


def test_the_status_names_the_instance(endpoint: str, metadata: Metadata, tmp_path: Path) -> None:
    """In a line of its own."""
    control = ("--control", str(tmp_path / "control"))
    with pool(endpoint, metadata, None, *control) as supervisor:
        supervisor.ready()
        wait_until_known(supervisor)
        with Program("-m", "supervisor", "status", *control) as status:
            line = status.out.wait_for(lambda line: line.startswith("instance "), "instance")
            assert line == f"instance {INSTANCE}, eu-west-1a, spot"


def test_a_dead_workers_report_names_the_instance(
    endpoint: str, metadata: Metadata, tmp_path: Path
) -> None:
    """Its host is the instance's id."""
    with pool(endpoint, metadata) as supervisor:
        supervisor.ready()
        wait_until_known(supervisor)
        trial = Trial(supervisor, endpoint, tmp_path, "return")
        trial.worker().kill()
        _, details = trial.failure()
        assert details["host"] == INSTANCE


# --- off ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "variables"),
    [
        (("--ec2", "off"), {}),
        (("--ec2", "on"), {"AWS_EC2_METADATA_DISABLED": "true"}),
        ((), {"AWS_EC2_METADATA_DISABLED": "true"}),
    ],
)
def test_metadata_that_are_not_wanted_are_not_read(
    endpoint: str, metadata: Metadata, argv: tuple[str, ...], variables: dict[str, str]
) -> None:
    """No sidecar is there; ``on`` against the variable is a warning."""
    with pool(endpoint, metadata, None, *argv, **variables) as supervisor:
        if "on" in argv:
            supervisor.wait_for_message("--ec2 on has no effect")
        supervisor.ready()
        assert supervisor.titled("garcon: ec2") == []
    assert metadata.requests == []


# --- scale-in protection --------------------------------------------------------------------------


def test_a_busy_instance_is_protected_until_the_program_ends(
    endpoint: str, metadata: Metadata, tmp_path: Path
) -> None:
    """One call when a task is in progress, one at the end; none in between for another task."""
    with contextlib.ExitStack() as stack:
        scaling = stack.enter_context(Scaling(HOOK))
        started = pool(endpoint, metadata, scaling, "--protect-busy")
        supervisor = stack.enter_context(started).ready()
        trial = Trial(supervisor, endpoint, tmp_path, "return")
        trial.worker()
        supervisor.wait_for("protection", protected=True)
        assert scaling.protected()
        trial.open()
        trial.completes()
        supervisor.process.terminate()
        assert supervisor.wait() == 0
        assert not scaling.protected()
        assert scaling.count(PROTECT) == 2


# --- the end --------------------------------------------------------------------------------------


def test_the_end_looks_once_more(endpoint: str, metadata: Metadata) -> None:
    """A group that began to wait between two looks is not left waiting."""
    with Scaling(HOOK) as scaling:
        seldom = {"GARCON_NOTICE_INTERVAL": "600"}
        with pool(endpoint, metadata, scaling, **seldom) as supervisor:
            supervisor.ready()
            scaling.wait_for(DESCRIBE_HOOKS)
            metadata.put(TARGET, "Terminated")
            supervisor.signal(signal.SIGTERM)
            assert supervisor.wait() == 0
            assert scaling.count(COMPLETE) == 1


def test_the_sidecar_leaves_with_the_supervisor(endpoint: str, metadata: Metadata) -> None:
    """After kill -9 of the supervisor it ends by itself, without any call."""
    with pool(endpoint, metadata) as supervisor:
        supervisor.ready()
        sidecar = until(lambda: supervisor.titled("garcon: ec2"), "the sidecar")[0]
        supervisor.process.kill()
        until(lambda: not sidecar.is_running(), "the sidecar is gone")
        assert not [each for each in supervisor.err.seen if "Traceback" in str(parsed(each))]
