"""Hosts with different builds of a flow in one domain: no execution is harmed.

``python -m tests.benchmarks.fleet_deploys --full`` is the roll-out with more of everything.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from supervisor import exit_codes
from tests.fakes.auto_scaling import COMPLETE, HOOK, Scaling
from tests.fakes.metadata_service import Metadata
from tests.processes.fleet import CUSTOM, REQUIRES, Fleet, notes
from tests.processes.harness import local_swf, until
from tests.processes.instance import on_instance
from tests.processes.rollout import PATIENCE, OldCode, Rollout, Size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF; open polls of dead workers may get a task."""
    with local_swf("--poll-seconds", "2") as url:
        yield url


BOTH = pytest.mark.parametrize("code", [CUSTOM, REQUIRES], ids=["custom", "requires"])


@BOTH
def test_a_build_that_fits_no_execution_ends_at_its_first_start(
    tmp_path: Path, endpoint: str, code: str
) -> None:
    """Exit code 3, with the difference and the executions' build; it has decided nothing."""
    fleet = Fleet(tmp_path, endpoint, code)
    with fleet.host(1):
        fleet.start(2)
        with fleet.started(2, "open:20") as host:
            assert host.wait(SOON) == exit_codes.FLOW
            log = host.err.rest()
        with fleet.started(2, "open:20", "--check") as check:
            assert check.wait() == exit_codes.FLOW
            assert "stay with build v1" in " ".join(check.err.rest().split())
        with fleet.started(1, "open:20", "--check") as check:
            assert check.wait() == 0
            assert "2 executions (" in check.out.rest()
    assert "stay with build v1" in log
    assert "full_strength" not in log
    for each in fleet.executions.values():
        # As a text of its own: the ids of runs may have any two characters.
        assert not re.search(r"\bv2\b", json.dumps(each.history(), default=str))


SOON = 30.0
"""Seconds within which a host whose code fits nothing has to end; it takes a few."""

LAUNCH = ("--asg-launch-hook", "launched")


def test_a_misfit_is_abandoned_at_its_launch_hook(tmp_path: Path, endpoint: str) -> None:
    """An instance refresh stops: exit code 3, ABANDON, once, and nothing is decided by it."""
    fleet = Fleet(tmp_path, endpoint, CUSTOM)
    with fleet.host(1), Metadata() as metadata, Scaling(HOOK) as scaling:
        fleet.start(2)
        variables = on_instance(metadata, scaling)
        with fleet.started(2, "open:20", *LAUNCH, **variables) as host:
            assert host.wait(SOON) == exit_codes.FLOW
        assert launch_results(scaling) == ["ABANDON"]
    assert all(note.build == "v1" for each in fleet.of(1) for note in notes(each.history()))


def test_a_build_that_fits_goes_on_at_its_launch_hook(tmp_path: Path, endpoint: str) -> None:
    """An instance refresh goes on: CONTINUE, once."""
    fleet = Fleet(tmp_path, endpoint, CUSTOM)
    with fleet.host(1), Metadata() as metadata, Scaling(HOOK) as scaling:
        fleet.start(2)
        variables = on_instance(metadata, scaling)
        with fleet.started(1, "open:20", *LAUNCH, **variables) as host:
            host.ready()
            scaling.wait_for(COMPLETE)
            fleet.drain(host)
        assert launch_results(scaling) == ["CONTINUE"]


def launch_results(scaling: Scaling) -> list[str]:
    """The results that the group got at its launch hook."""
    return [
        members["LifecycleActionResult"]
        for action, members in scaling.calls
        if action == COMPLETE and members["LifecycleHookName"] == "launched"
    ]


@BOTH
def test_hosts_of_two_builds_decide_side_by_side(tmp_path: Path, endpoint: str, code: str) -> None:
    """Each execution is decided from start to end by code that fits it; none waits."""
    fleet = Fleet(tmp_path, endpoint, code)
    with fleet.host(1):
        fleet.start(5)
        began = fleet.of(1)
        with fleet.host(2):
            fleet.go()
            until(lambda: fleet.have_completed(began), "the executions completed", PATIENCE)
    fleet.ensure_whole()


SMALL = Size(versions=2, hosts=2, executions=8, keepers=2)


@BOTH
def test_retired_code_completes_what_it_began(tmp_path: Path, endpoint: str, code: str) -> None:
    """On hosts of its own: none gets stuck, fails, or is decided by other code."""
    fleet = Fleet(tmp_path, endpoint, code)
    with Rollout(fleet, SMALL) as rollout:
        rollout.go_with_old_code(OldCode.RETIRED)


@BOTH
def test_releases_that_hosts_keep_complete_what_they_began(
    tmp_path: Path, endpoint: str, code: str
) -> None:
    """Each host serves the earlier release beside its own, and lets its gate pass for that."""
    fleet = Fleet(tmp_path, endpoint, code)
    with Rollout(fleet, SMALL) as rollout:
        rollout.go_with_old_code(OldCode.KEPT)


def test_executions_of_builds_that_left_wait_and_a_roll_back_completes_them(
    tmp_path: Path, endpoint: str
) -> None:
    """Those of the last version complete; the others are stuck, listed and counted, none fails."""
    fleet = Fleet(tmp_path, endpoint, CUSTOM)
    with Rollout(fleet, SMALL) as rollout:
        rollout.go_and_come_back()


def test_executions_of_builds_that_left_wait_for_retired_code(
    tmp_path: Path, endpoint: str
) -> None:
    """As before; code that was forgotten, or had died, wakes what it fits when it is there."""
    fleet = Fleet(tmp_path, endpoint, REQUIRES)
    with Rollout(fleet, SMALL) as rollout:
        rollout.go_and_come_back(OldCode.RETIRED)
