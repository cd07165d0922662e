"""Build notes: which build of a flow's code decides an execution, and why it does not go on.

A decider writes the note of its answer into ``executionContext``, which SWF keeps with the answer's
DecisionTaskCompleted event and shows in DescribeWorkflowExecution. It costs no event.

Rules:

1. The latest answer that carries a note counts. Answers without one (a task that was returned for a
   dead decider) change nothing.
2. An execution is *stuck* if no decider that was asked fits its history: it waits, by a timer.
3. Pure. Others can write to a history too, so its contents are checked before they are used.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from garcon.aws import limits
from garcon.payload import safe_json

MOST_MISFITS = 8
"""Builds that a note lists as misfits: as many as a fleet may hold at once, and more."""

_MOST_WAITS = 1_000_000
_MEMBER = '"build"'


@dataclass(frozen=True, slots=True)
class BuildNote:
    """The note of one answer.

    Attributes:
        build: Id of the build that made the latest decisions; empty if that is unknown.
        returned: Whether the execution was returned to that build since.
        waits: Number of the wait of a stuck execution; 0 if it is not stuck.
        misfits: Ids of builds whose decisions differ from the history, latest last. They will at
            each later decision, too: what a history holds does not change.
        why: Why the last of them does not decide.
        pinned: Whether only this build may make the next decisions, because an operator said so.
    """

    build: str
    returned: bool = False
    waits: int = 0
    misfits: tuple[str, ...] = ()
    why: str = ""
    pinned: bool = False

    @property
    def is_stuck(self) -> bool:
        """Whether the execution waits for code that fits."""
        return self.waits > 0

    def __str__(self) -> str:
        """The JSON text for SWF, without members that have their default."""
        members: dict[str, Any] = {"build": self.build}
        if self.returned:
            members["returned"] = True
        if self.waits:
            members["waits"] = self.waits
        if self.misfits:
            members["misfits"] = self.misfits[-MOST_MISFITS:]
        if self.pinned:
            members["pinned"] = True
        if self.why:
            members["why"] = limits.reason(self.why)
        return json.dumps(members)


def may_be_note(text: str | None) -> bool:
    """Whether a text looks like a note; for folds that read it later, if at all."""
    return text is not None and _MEMBER in text


def read(text: str | None) -> BuildNote | None:
    """The note in a text of a history; ``None`` if it holds none."""
    try:
        found = safe_json.loads(text or "null")
    except ValueError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("build"), str):
        return None
    waits = found.get("waits")
    misfits = found.get("misfits")
    return BuildNote(
        build=found["build"],
        returned=found.get("returned") is True,
        waits=waits if type(waits) is int and 0 < waits <= _MOST_WAITS else 0,
        misfits=tuple(map(str, misfits)) if isinstance(misfits, list) else (),
        why=str(found.get("why", "")),
        pinned=found.get("pinned") is True,
    )


def latest(events: Iterable[Mapping[str, Any]]) -> BuildNote | None:
    """The note that counts among these events.

    Args:
        events: The latest first.
    """
    for event in events:
        answer = event.get("decisionTaskCompletedEventAttributes") or {}
        if note := read(answer.get("executionContext")):
            return note
    return None
