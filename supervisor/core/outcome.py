"""What became of a deploy, as people read it: one report of a few lines.

1. The first line says what happened and what goes on serving; below it stand the gate, the reason
   and what to do. In a JSON log the same is told by facts.
2. A reason may bring a traceback. Its first lines say where in the flow it happened, its last one
   what; of a long one the middle is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.core.generation import Gate

if TYPE_CHECKING:
    from supervisor.messages import Contradicted

HEAD, TAIL = 12, 6
"""Lines of a reason that are shown: the first frames of a traceback, and what was raised."""

_TODO = {
    Gate.IMPORT: "repair the flow (--check shows what the import says), then restart again",
    Gate.SETTINGS: "correct the settings, then restart again",
    Gate.REGISTER: "see to what SWF refuses, then restart again",
    Gate.REPLAY: "see to the histories of --gate-replay, or leave the gate out, then restart again",
    Gate.CANARY: "see what its first workers died of or failed at, then restart again",
    Gate.PROBATION: "see what its workers died of or failed at, then restart again",
}

RESTORE = (
    "restore the decider, or guard the change with schedule.version, then restart again; python -m"
    " garcon replay shows all that differs"
)
"""What to do about code that decides otherwise than a history shows."""


def report(headline: str, *, gate: Gate, why: str, serving: str, to_do: str = "") -> str:
    """The whole text; what to do is the gate's usual, if nothing else is said."""
    facts = [("gate", str(gate)), ("why", _shortened(why)), ("serving", serving)]
    facts.append(("to do", to_do or _TODO[gate]))
    return "\n".join([headline, *(_member(*each) for each in facts)])


def difference(told: Contradicted) -> str:
    """Where new code decides otherwise than a history shows."""
    return "\n".join(
        [
            f"the decision of event {told.event_id} of workflow {told.workflow_id} is another now",
            "the history shows, and the code does not decide:",
            *_each(told.recorded),
            "the code decides, and the history does not show:",
            *_each(told.decided),
            *([told.why] if told.why else []),
        ]
    )


def _each(decisions: tuple[str, ...]) -> list[str]:
    return [f"  {each}" for each in decisions] or ["  nothing"]


def _member(name: str, text: str) -> str:
    return f"  {name + ':':<8} " + text.rstrip().replace("\n", f"\n  {'':<8} ")


def _shortened(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= HEAD + TAIL:
        return text
    left_out = f"... {len(lines) - HEAD - TAIL} lines ..."
    return "\n".join([*lines[:HEAD], left_out, *lines[-TAIL:]])
