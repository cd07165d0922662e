"""Failures as the core counts them: early deaths, failed tasks, and why a deploy ends."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Streak:
    """Failures in a row at one place: a slot, a job, a sidecar, or the start of a zygote."""

    failures: int = 0
    failed_at: float = -inf
    backoff_until: float = -inf


CHARGED_RUNS = 10_000
"""Executions that are remembered: their run ids take a megabyte."""


class ChargedRuns:
    """Executions to which a death was charged: one history charges one death at most."""

    def __init__(self) -> None:
        self._runs: dict[str, None] = {}

    def charge(self, run_id: str) -> bool:
        """Charge a death; returns whether it is the first of this execution."""
        is_first = run_id not in self._runs
        self._runs[run_id] = None
        if len(self._runs) > CHARGED_RUNS:
            del self._runs[next(iter(self._runs))]
        return is_first


class Gate(enum.StrEnum):
    """The places where new code can be stopped, in the order in which it passes them."""

    IMPORT = "import"
    SETTINGS = "settings"
    REGISTER = "register"
    REPLAY = "replay"
    CANARY = "canary"
    PROBATION = "probation"


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a generation or the program ends; the exit code if nothing is left."""

    why: str
    code: int
    gate: Gate | None = None  # None: the gate that the generation has reached
    facts: Mapping[str, str | int] = field(default_factory=dict)
    to_do: str = ""  # if it differs from what failures at this gate usually need


@dataclass(frozen=True, slots=True)
class Misfit:
    """Open executions that a candidate does not fit, and that a kept release may serve.

    Attributes:
        failure: The candidate's, if none does.
        builds: The builds of these executions.
        report: Sentences about them.
    """

    failure: Failure
    builds: tuple[str, ...]
    report: str


@dataclass(slots=True)
class Tally:
    """Tasks of one list that one generation has done, and those of them that failed."""

    done: int = 0
    failed: int = 0
    is_new: bool = False  # a task has failed since the rates were last compared
