"""A meter for tests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garcon.aws import usage


class Counting:
    """A meter that keeps what it counts."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self.histories: list[tuple[int, bool | None]] = []
        self.decisions: list[float] = []
        self.waits: list[tuple[str, float]] = []
        self.claims: list[tuple[str, int]] = []

    def note_call(self, operation: str, result: usage.CallResult) -> None:
        """Keep it."""
        self.calls[operation, result] += 1

    def note_history(self, events: int, *, is_continued: bool | None) -> None:
        """Keep it."""
        self.histories.append((events, is_continued))

    def note_decision(self, seconds: float) -> None:
        """Keep it."""
        self.decisions.append(seconds)

    def note_wait(self, task_list: str, seconds: float) -> None:
        """Keep it."""
        self.waits.append((task_list, seconds))

    def note_stored_claim(self, size: int) -> None:
        """Keep it."""
        self.claims.append(("stored", size))

    def note_fetched_claim(self, size: int) -> None:
        """Keep it."""
        self.claims.append(("fetched", size))
