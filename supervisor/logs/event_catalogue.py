"""The catalogue of events: each name that a log entry may have, and its meaning.

The core writes an event by ``Turn.note``; the log, the control socket's followers and the counts of
metrics receive the same. ``docs/observing.md`` has this table, and a test holds the code to it.
"""

from __future__ import annotations

EVENTS = {
    # --- deploys
    "generation_started": "A generation imports the flow.",
    "types_registered": "SWF knows the flow's domain and types.",
    "histories_replayed": "The replay gate has passed.",
    "generation_active": "A generation is active: its workers serve.",
    "generation_failed": "A generation was stopped at a gate; the active one goes on.",
    "generation_rolled_back": "New code failed in probation; the generation before is active.",
    "full_strength": "Every slot has a ready worker.",
    "zygote_lost": "The active generation's zygote died; a new generation is started.",
    "retired_serving": "A kept release serves its executions, beside the active code.",
    "retired_unneeded": "A kept release ends, because it has nothing to serve.",
    "retired_recalled": "A kept release is served again: an execution needs its build.",
    "retired_late": "A kept release does not serve in time; nothing waits for it any longer.",
    # --- workers and tasks
    "worker_died": "A worker ended without being asked; the entry has the cause and its task.",
    "worker_recycled": "A worker reached its limit of tasks or memory, and is replaced.",
    "list_degraded": "The workers of a task list die as soon as they start.",
    "list_recovered": "A degraded list has a worker that serves again.",
    "reported": "The task of a dead worker was answered in its place.",
    "report_unneeded": "SWF had already closed the task of a dead worker.",
    "report_lost": "The task of a dead worker could not be reported; SWF ends it at its timeout.",
    "task_abandoned": "A task was cut short by a stop or the end of a drain.",
    "stacks": "Stack traces that a worker wrote before its end.",
    "spool_found": "Tasks of a supervisor that was killed are reported from the spool.",
    "restartable_unset": "An interruption would fail activities, which do not set `restartable=`.",
    # --- sizes
    "scaled": "The number of a list's workers changed.",
    "decisions_wait": "Decisions wait while there is one decider.",
    "quiet": "A list is no longer polled.",
    "resumed": "A quiet list is polled again.",
    "list_empty": "The last worker of a quiet list has left.",
    # --- requests
    "restart_requested": "A restart begins, or is remembered.",
    "restart_refused": "A restart was refused: the settings are invalid, or a drain has begun.",
    "request_refused": "Another request was refused.",
    "settings_kept": "A changed setting needs a new start of the supervisor.",
    "signal_repeated": "A signal within a second counts as the same request.",
    "signal_without_meaning": "A signal that means nothing here arrived.",
    # --- the end
    "draining": "No new poll begins; tasks in progress are finished.",
    "stopping": "The supervisor stops now.",
    "drain_report": "The outcome of each task of the drain.",
    "all_closed": "The executions of --start have closed.",
    # --- sidecars
    "sidecar_lost": "A sidecar ended without being asked.",
    "sidecar_left_behind": "A sidecar did not end in time; the exit does not wait for it.",
    "log_lines_dropped": "The log's reader was too slow; lines are missing before this one.",
    # --- EC2
    "warm_pool": "The instance waits in a warm pool: no worker polls.",
    "in_service": "The instance is in service: polls begin.",
    "notice": "The instance will end, or may; the entry has the kind and the time.",
    "notice_withdrawn": "A notice is gone; a drain that has begun goes on.",
    "notice_not_understood": "A notice has an unknown form.",
    "metadata_unavailable": "The instance metadata service does not answer.",
    "metadata_recovered": "It answers again.",
    "hook": "The termination hook of the group was found, or is missing.",
    "hook_completed": "The group may go on: the hook is completed.",
    "hook_not_completed": "The hook could not be completed; the group waits for its timeout.",
    "protection": "Scale-in protection of the instance changed.",
    "autoscaling_refused": "A permission of the instance's role is missing.",
}
"""Meaning by name."""
