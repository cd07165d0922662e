"""The use of retired code's build, as far as its searches and its tasks tell. Pure.

Rules:

1. A build is *unused* since the first of several complete searches in a row that found no open
   execution of it. An execution that is found ends the row, and so does a task that this code had
   since the search before, of whatever execution: its lists may have tasks of executions that newer
   code has adopted.
2. An incomplete search that found nothing says nothing: the row goes on with the next one.
3. It is over after ``SEARCHES`` searches in a row, and not before the build was unused for the time
   of the settings. The last of them is the one that decides, so what it rests on is never old.
4. Searches are due a third of that time apart, or half, by chance: so the hosts of a fleet do not
   search at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

SEARCHES = 4
"""Searches in a row that find nothing. SWF's lists are eventually consistent: one may lack an
execution that has just begun."""


@dataclass(slots=True)
class BuildUse:
    """What is known.

    Attributes:
        search_at: When the next search is due; ``inf`` if none is planned.
        unused_since: When the first search of the row ended; ``inf`` if there is no row.
        searches: Searches of the row.
        tasks: Tasks that this code had had at the last search.
        is_over: Whether the build is unused for long enough.
    """

    search_at: float = inf
    unused_since: float = inf
    searches: int = 0
    tasks: int = 0
    is_over: bool = False

    def plan(self, now: float, least: float, jitter: Random) -> None:
        """Plan the next search; ``least`` is the time for which the build has to be unused."""
        self.search_at = now + least / (SEARCHES - 1) * jitter.uniform(1.0, 1.5)

    def note_search(
        self, now: float, least: float, *, found: bool, complete: bool, tasks: int
    ) -> None:
        """Note a search that ends now, and the number of tasks that this code has had."""
        if found or tasks != self.tasks:
            self.unused_since, self.searches = inf, 0
        self.tasks = tasks
        if found or not complete:
            return
        self.unused_since = min(self.unused_since, now)
        self.searches += 1
        self.is_over = self.searches >= SEARCHES and now - self.unused_since >= least
