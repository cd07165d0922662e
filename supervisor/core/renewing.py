"""Settings that were read again for a restart: which of them new code takes up.

1. A candidate brings its settings with it; they hold from the moment it takes over, and those of
   before hold again when it has to give its seats back. So a stopped deploy changes nothing.
2. What is told to other processes once, or decides where and what this supervisor serves, needs a
   new supervisor. A setting that is not named here is such a one.
"""

from __future__ import annotations

import msgspec

from supervisor.settings import Settings

RENEWABLE = frozenset(
    {
        *("workers", "deciders", "pools", "scale", "scale_samples", "most_workers"),
        *("surge", "probation", "gate_replay", "late_tasks", "drain_timeout"),
        *("no_sticky", "sticky_schedule_to_start", "sticky_executions", "sticky_check"),
        *(
            "cancel_grace",
            "poison_deaths",
            "max_tasks",
            "max_memory",
            "max_memory_hard",
            "core_dumps",
        ),
        *("import_patience", "boot_patience", "register_patience", "replay_patience"),
        *("poll_patience", "work_margin", "decision_patience", "stop_patience", "leave_patience"),
        *("report_patience", "stacks_grace", "reap_patience", "attendant_patience"),
        *("rest_initial", "rest_factor", "rest_cap", "lasting"),
        *("intensity_deaths", "intensity_period", "generation_tries", "proving_deaths"),
        *("trial_failures", "trial_deviations", "report_tries"),
    }
)
"""Names of the settings that a restart takes up."""


def renewed(old: Settings, new: Settings | None) -> Settings:
    """The old ones, with what a restart takes up of the new ones."""
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
