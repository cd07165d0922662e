"""The order of deploys in a fleet: each paragraph of ``docs/deploying.md`` is run."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from garcon.history.reserved_timers import RETURN_TIMER
from tests.processes import swf
from tests.processes.fleet import CUSTOM, REQUIRES, Fleet, decisions
from tests.processes.harness import ROOT, local_swf, until
from tests.processes.rollout import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

FLEET, ORDER = "test_fleet_deploys", "test_fleet_order"

RUN_BY = {
    "## Ways to deploy": {
        "By hand": {"test_commands": ["test_restart_waits_for_the_outcome"]},
        "Under systemd": {
            "test_real_systemd": ["test_systemd_starts_reloads_watches_and_stops_it"],
            "test_systemd": ["test_a_broken_deploy_is_a_reload_that_ends"],
        },
        # CodeDeploy's agent runs the command of the hook, and reads its exit code, as this does.
        "With CodeDeploy, in place": {"test_commands": ["test_restart_waits_for_the_outcome"]},
        "With an instance refresh": {
            "test_notices": ["test_a_timeline_ends_as_the_table_says"],
            FLEET: [
                "test_a_misfit_is_abandoned_at_its_launch_hook",
                "test_a_build_that_fits_goes_on_at_its_launch_hook",
            ],
        },
        "A fleet whose new code does not fit all open executions": {},  # the section below
        "Files that change while old workers run.": {
            "test_kept_releases": ["test_the_release_that_a_restart_replaces_becomes_retired"]
        },
    },
    "## A fleet, in order": {
        "It fits.": {ORDER: ["test_a_build_that_fits_adopts_what_another_began"]},
        "It does not fit, by mistake.": {
            FLEET: [
                "test_a_build_that_fits_no_execution_ends_at_its_first_start",
                "test_a_misfit_is_abandoned_at_its_launch_hook",
            ]
        },
        "It does not fit, on purpose.": {
            FLEET: [
                "test_hosts_of_two_builds_decide_side_by_side",
                "test_releases_that_hosts_keep_complete_what_they_began",
                "test_retired_code_completes_what_it_began",
            ]
        },
        "Retired code is forgotten, or dies.": {
            FLEET: ["test_executions_of_builds_that_left_wait_for_retired_code"]
        },
        "The way back.": {
            FLEET: ["test_executions_of_builds_that_left_wait_and_a_roll_back_completes_them"]
        },
        "Deciders apart from workers.": {ORDER: ["test_workers_are_deployed_before_deciders"]},
        "Types that vanish.": {ORDER: ["test_a_deprecated_type_fails_the_executions_that_need_it"]},
    },
}
"""The paragraphs of two sections, and the tests that run them."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A local SWF; open polls of dead workers may get a task."""
    with local_swf("--poll-seconds", "2") as url:
        yield url


@pytest.mark.parametrize("section", RUN_BY)
def test_each_paragraph_is_run(section: str) -> None:
    """No paragraph without a test, and no test that is not there."""
    page = (ROOT / "docs" / "deploying.md").read_text()
    text = page[page.index(section) :].split("\n## ")[0]
    assert re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE) == [*RUN_BY[section]]
    for tests in RUN_BY[section].values():
        for module, names in tests.items():
            code = (ROOT / "tests" / "processes" / f"{module}.py").read_text()
            assert all(f"def {name}(" in code for name in names), (module, names)


def test_a_build_that_fits_adopts_what_another_began(tmp_path: Path, endpoint: str) -> None:
    """Hosts are replaced with the usual gate; no execution waits, or gets an event more."""
    fleet = Fleet(tmp_path, endpoint, CUSTOM)
    with fleet.host(1):
        fleet.start(3)
    with fleet.started(1, "open:20", build="same").ready() as host:
        fleet.go()
        executions = [*fleet.executions.values()]
        until(lambda: fleet.have_completed(executions), "they completed", PATIENCE)
        fleet.drain(host)
    for each in fleet.executions.values():
        builds = [note.build for note in decisions(each.history())]
        assert builds == sorted(builds, reverse=True)  # "v1", and then "same"
        assert {*builds} == {"v1", "same"}
        assert RETURN_TIMER not in str(each.history())
    assert fleet.errors == []


def test_workers_are_deployed_before_deciders(tmp_path: Path, endpoint: str) -> None:
    """Hosts without a decider have no gate; old workers stay as long as old deciders do."""
    fleet = Fleet(tmp_path, endpoint, REQUIRES)
    workers, deciders = ("--deciders", "0"), ("--workers", "0")
    with ExitStack() as old_hosts:
        old_hosts.enter_context(fleet.host(1, *deciders))  # it registers the domain
        old_hosts.enter_context(fleet.host(1, *workers))
        fleet.start(2)
        with fleet.started(2, "open:20", *workers).ready() as new_workers:
            with fleet.host(2, *deciders):
                fleet.go()
                until(lambda: fleet.have_completed(fleet.of(1)), "v1 completed", PATIENCE)
                old_hosts.close()
                fleet.start(2)
                fleet.go()
                until(lambda: fleet.have_completed(fleet.of(2)), "v2 completed", PATIENCE)
            fleet.drain(new_workers)
    assert (len(fleet.of(1)), len(fleet.of(2))) == (2, 2)
    fleet.ensure_whole()


def test_a_deprecated_type_fails_the_executions_that_need_it(tmp_path: Path, endpoint: str) -> None:
    """With SWF's cause, so types are deprecated once no build with open executions has them."""
    fleet = Fleet(tmp_path, endpoint, REQUIRES)
    with fleet.host(1):
        fleet.start(1)
        type_ = {"name": "fleet_leg0-v1", "version": "1.0"}
        swf.client(endpoint).deprecate_activity_type(domain="tests", activityType=type_)
        fleet.go()
        (execution,) = fleet.executions.values()
        assert execution.wait_closed() == "WorkflowExecutionFailed"
        assert "ACTIVITY_TYPE_DEPRECATED" in str(execution.history()[-1])
