"""The poll limit: how many idle workers of one task list may poll at once. Pure.

Rules:

1. The limit starts at its least, one if the settings say nothing else.
2. A poll that brings a task at once shows that more tasks wait: the limit doubles, up to the
   number of workers. Each such poll doubles it, so it grows with the square of a burst.
3. A poll that comes back empty halves the limit: an idle list is back at its least within a minute.
4. A poll that fails halves it, too, and the next poll waits, longer after each failure. The polls
   that are open when an outage begins fail together, so it is soon one worker that probes, and the
   others cost nothing; one broken connection costs little. Any poll that SWF answers ends the wait,
   and the limit grows by rule 2 again.
5. A throttled poll does the same with longer waits: the account's budget is shared by all lists of
   all hosts, and each probe beyond it is refused. What is done a second stays the same.
6. SWF bounds the open polls of a list over all hosts. A poll that is refused for it lowers the
   *ceiling* of the limit to the polls that are open. It rises again by one a minute, when tasks
   wait. Polls beside the limit, those of canaries, wait some seconds then.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from supervisor.backoff import Backoff
from supervisor.ipc.messages import PollEnd

if TYPE_CHECKING:
    from random import Random

AT_ONCE = 2.0
"""Seconds within which a poll brings a task that has waited for it: some round trips to a far
region with a new connection, on a host whose processors are busy. A limit that is too high costs
little: a poll that brings a task is needed anyway, and empty ones lower it."""

PROBES = Backoff(first=0.25, factor=2.0, cap=4.5, jitter=0.5)
"""The waits between polls in an outage. A quarter of a second costs little after a hiccup. At most
4.5 s, so that a list is served within five seconds of the end of an outage; by chance as little as
half of it, so that the hosts of a fleet do not come back together."""

THROTTLED = Backoff(first=1.0, factor=2.0, cap=30.0, jitter=0.5)
"""The waits while polls are throttled. 200 hosts of ten lists then probe 90 times a second, of a
budget of 200; with the waits of an outage they would 600 times."""

CEILING_SECONDS = 60.0
"""Seconds after which the ceiling rises by one: about one poll, so that few are refused for it."""


@dataclass(slots=True)
class PollLimit:
    """The limit of one list.

    Attributes:
        allowed: The workers that may poll.
        backoff_until: No poll is begun before this moment.
        extra_from: No poll beside the limit is begun before this moment.
        least: Smallest limit, in workers.
        most: Greatest limit, in workers.
        workers: Workers of the list.
    """

    allowed: int = 1
    backoff_until: float = -inf
    extra_from: float = -inf
    least: int = 1
    most: int = 10_000
    workers: int = 1
    _failures: int = 0
    _ceiling: int | None = None
    _ceiling_since: float = -inf

    def bound(self, least: int, most: int, workers: int) -> None:
        """Keep to these bounds, and to the number of workers."""
        self.least, self.most, self.workers = least, most, workers
        self._allow(self.allowed)

    def note_task(self, waited: float, now: float) -> None:
        """A poll brought a task, after so many seconds."""
        self._note_answer()
        if waited <= AT_ONCE:
            self._raise_ceiling(now)
            self._allow(2 * self.allowed)

    def note_end(self, end: PollEnd, others: int, now: float, random: Random) -> None:
        """A poll brought no task.

        Args:
            end: How it ended.
            others: Workers of the list that still poll.
            now: Seconds on the core's clock.
            random: Source of chance for the waits.
        """
        match end:
            case PollEnd.NONE:
                pass
            case PollEnd.EMPTY:
                self._note_answer()
                self._allow(self.allowed // 2)
            case PollEnd.LIMITED if others:
                self._ceiling, self._ceiling_since = others, now
                self.extra_from = now + PROBES.longest_wait(random)
                self._allow(self.allowed)
            case _:
                self._allow(self.allowed // 2)
                self._back_off(THROTTLED if end is PollEnd.THROTTLED else PROBES, now, random)

    @property
    def waits_until(self) -> float:
        """Time at which the next of its waits ends; ``inf`` without one."""
        return min((at for at in (self.backoff_until, self.extra_from) if at > -inf), default=inf)

    def end_waits(self, now: float) -> None:
        """Forget the waits that are over."""
        if self.backoff_until <= now:
            self.backoff_until = -inf
        if self.extra_from <= now:
            self.extra_from = -inf

    def _allow(self, number: int) -> None:
        ceiling = self.workers if self._ceiling is None else min(self._ceiling, self.workers)
        self.allowed = max(1, min(max(number, self.least), self.most, ceiling))

    def _raise_ceiling(self, now: float) -> None:
        if self._ceiling is not None:
            steps = int((now - self._ceiling_since) // CEILING_SECONDS)
            self._ceiling += steps
            self._ceiling_since += steps * CEILING_SECONDS

    def _note_answer(self) -> None:
        if self._failures:
            self._failures, self.backoff_until = 0, -inf

    def _back_off(self, waits: Backoff, now: float, random: Random) -> None:
        if now < self.backoff_until:  # a poll that was open when the outage began
            return
        self._failures += 1
        self.backoff_until = now + waits.wait_after(self._failures, random)
