"""The flow that the benchmarks serve: one activity that does nothing."""

from __future__ import annotations

from typing import Any

from garcon import activity, runner, task

domain = "bench"
name = "bench"


@task.decorate(timeout=600)
def nothing(activity: Any) -> None:
    """Do nothing, as quickly as possible."""


create = activity.create(domain, name)
noop = create(name="noop", run=runner.Sync(nothing.fill()))
