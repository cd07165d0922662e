"""One EC2 instance with one pool on it, as the timelines play on it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from tests.fakes.metadata_service import TARGET, Metadata
from tests.processes.harness import Supervisor, parsed, until
from tests.processes.trial import Trial

if TYPE_CHECKING:
    from pathlib import Path

    import psutil

    from tests.fakes.auto_scaling import Scaling


def pool(
    endpoint: str,
    metadata: Metadata,
    scaling: Scaling | None = None,
    *argv: str,
    **variables: str,
) -> Supervisor:
    """A pool of the test flow on this instance, in this group."""
    return Supervisor(
        *("--flow", "tests.processes.flow", "--endpoint-url", endpoint, *argv),
        **{**on_instance(metadata, scaling), **variables},
    )


def on_instance(metadata: Metadata, scaling: Scaling | None = None) -> dict[str, str]:
    """The environment of a program on this instance, in this group."""
    variables = {
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
        "GARCON_NOTICE_INTERVAL": "0.2",
    }
    if scaling:
        metadata.put(TARGET, "InService")
        metadata.put("meta-data/instance-id", scaling.instance)
        variables["AWS_ENDPOINT_URL_AUTO_SCALING"] = scaling.url
    return variables


@dataclass(frozen=True)
class Outcome:
    """The outcome of the work in progress, and the exit code."""

    finished: int = 0
    handed_back: int = 0
    code: int = 0


@dataclass
class Stage:
    """One instance with one pool."""

    pool: Supervisor
    endpoint: str
    folder: Path
    metadata: Metadata
    scaling: Scaling | None = None
    trial: Trial | None = None
    ends: float = inf  # when the instance would be gone, in seconds since the epoch

    def work(self) -> Trial:
        """A task is in progress, and stays until its gate is opened."""
        self.trial = Trial(self.pool, self.endpoint, self.folder, "return")
        self.trial.worker()
        return self.trial

    def notice(self, seconds: float) -> None:
        """EC2 will reclaim the instance in so many seconds."""
        self.ends = float(int(time.time() + seconds))  # a notice has whole seconds
        self.metadata.notice(self.ends)

    def drains(self) -> None:
        """Wait until the pool does."""
        self.pool.wait_for("draining")

    def finish(self) -> None:
        """The task in progress may end."""
        assert self.trial is not None
        self.trial.open()

    def sidecar(self) -> psutil.Process:
        """The process that looks at the metadata."""
        found: list[psutil.Process] = until(lambda: self.pool.titled("garcon: ec2"), "sidecar")
        return found[0]

    def outcome(self) -> Outcome:
        """Wait for the end, and check that SWF had every report before the instance was gone."""
        code = self.pool.wait()
        assert time.time() < self.ends, "the program was gone before the instance"
        report = self._report()
        if self.trial is None:
            assert report["tasks"] == 0
            return Outcome(code=code)
        kinds = self.trial.kinds()
        if kinds["ActivityTaskFailed"]:
            reason, _ = self.trial.failure()
            assert reason.startswith("Interrupted: "), reason
        ended = Outcome(kinds["ActivityTaskCompleted"], kinds["ActivityTaskFailed"], code)
        assert report["code"] == code
        assert report.get("abandoned", 0) == ended.handed_back
        if report["tasks"]:  # the task's end was in the drain, perhaps a decision's as well
            assert report.get("finished", 0) >= ended.finished
        assert not {"lost", "died"} & report.keys()
        return ended

    def _report(self) -> dict[str, Any]:
        """The facts of the drain report; there is one."""
        lines = [parsed(each) for each in self.pool.err.rest().splitlines()]
        (report,) = (each for each in lines if each.get("event") == "drain_report")
        return report
