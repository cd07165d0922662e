"""Replay of recorded histories in tests: the documented names of ``history_replay``."""

from garcon.decider.history_replay import (
    EVENTS,
    Difference,
    ReplayedDecision,
    differences,
    replay,
    turns,
)

__all__ = ["EVENTS", "Difference", "ReplayedDecision", "differences", "replay", "turns"]
