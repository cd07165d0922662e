"""Settings that a restart has read again: the ones that a new generation changes.

Rules:

1. A candidate brings its settings with it. They apply from the moment it becomes active, and the
   old ones apply again after a rollback. So a failed deploy changes no setting.
2. A setting that other processes get once, or that decides what this supervisor serves and where,
   needs a new supervisor. So does every setting that is not named here.
"""

from __future__ import annotations

import msgspec

from supervisor.config.settings import Settings

RENEWABLE = frozenset(
    {
        *(
            "workers",
            "deciders",
            "pools",
            "polls",
            "scale",
            "scale_samples",
            "max_workers_per_list",
        ),
        *("build", "folder", "releases", "keep_builds", "keep_unused"),
        *("surge", "probation", "gate_replay", "on_late_task", "drain_timeout"),
        *("sticky", "sticky_schedule_to_start", "sticky_executions", "sticky_check_ratio"),
        *("cancel_grace", "poison_deaths", "on_poison_decision"),
        *("claims", "max_tasks", "max_memory", "max_memory_hard"),
        *("core_dumps", "otel"),
        *("import_timeout", "boot_timeout", "register_timeout", "replay_timeout"),
        *("poll_timeout", "task_margin", "decision_timeout", "stop_timeout", "exit_timeout"),
        *("report_timeout", "stacks_timeout", "reap_timeout", "sidecar_timeout"),
        *("backoff_initial", "backoff_cap", "min_uptime", "crash_loop_deaths"),
        *("min_failed_tasks",),
    }
)
"""Names of the settings that a restart changes."""


def renewed(old: Settings, new: Settings | None) -> Settings:
    """The old settings with the renewable ones of the new."""
    if new is None:
        return old
    return msgspec.structs.replace(old, **{name: getattr(new, name) for name in RENEWABLE})


def changed(old: Settings, new: Settings | None) -> tuple[str, ...]:
    """The names of all settings that differ."""
    if new is None:
        return ()
    return tuple(
        name for name in Settings.__struct_fields__ if getattr(old, name) != getattr(new, name)
    )
