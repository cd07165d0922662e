"""The report of a failed deploy, as people read it: a headline and a few lines below it.

Rules:

1. The headline says what happened; below it stand the gate, the reason, the active generation and
   what to do. A JSON log has the same as facts.
2. A reason may bring a traceback. Its first lines show where in the flow it happened, its last one
   what; the middle of a long one is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.core.failures import Gate

if TYPE_CHECKING:
    from supervisor.ipc.messages import NonDeterministic

HEAD, TAIL = 12, 6
"""Lines of a reason that are shown: the first frames of a traceback, and what was raised."""

_TO_DO = {
    Gate.IMPORT: "repair the flow (--check shows the error), then restart again",
    Gate.SETTINGS: "correct the settings, then restart again",
    Gate.REGISTER: "correct what SWF refuses, then restart again",
    Gate.REPLAY: "check the histories of --gate-replay, or omit the gate, then restart again",
    Gate.CANARY: "find out why its first workers died or failed tasks, then restart again",
    Gate.PROBATION: "find out why its workers died or failed tasks, then restart again",
}

RESTORE = (
    "restore the decider, or guard the change with schedule.version, then restart again; python -m"
    " garcon replay shows all differences"
)
"""The remedy for non-deterministic code."""


def deploy_report(
    headline: str, *, gate: Gate, why: str, active: int | None, to_do: str = ""
) -> str:
    """The whole report.

    Args:
        headline: One sentence.
        gate: The gate at which the generation failed.
        why: The reason, in one or more lines.
        active: The number of the active generation.
        to_do: What to do, if it differs from what failures at this gate usually need.
    """
    members = [
        ("gate", str(gate)),
        ("why", _shortened(why)),
        ("active", "none" if active is None else f"generation {active}"),
        ("to do", to_do or _TO_DO[gate]),
    ]
    return "\n".join([headline, *(_member(name, text) for name, text in members)])


def describe_difference(found: NonDeterministic) -> str:
    """The first place where new code decides differently from a recorded history."""
    place = f"the decision of event {found.event_id} of workflow {found.workflow_id}"
    return "\n".join(
        [
            f"non-deterministic: {place} differs from its history",
            "in the history, but not decided by the code:",
            *_decision_lines(found.recorded),
            "decided by the code, but not in the history:",
            *_decision_lines(found.decided),
            *filter(None, (f"{found.why} {found.report}".strip(),)),
        ]
    )


def _decision_lines(decisions: tuple[str, ...]) -> list[str]:
    return [f"  {each}" for each in decisions] or ["  nothing"]


def _member(name: str, text: str) -> str:
    return f"  {name + ':':<8} " + text.rstrip().replace("\n", f"\n  {'':<8} ")


def _shortened(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= HEAD + TAIL:
        return text
    left_out = f"... {len(lines) - HEAD - TAIL} lines ..."
    return "\n".join([*lines[:HEAD], left_out, *lines[-TAIL:]])
