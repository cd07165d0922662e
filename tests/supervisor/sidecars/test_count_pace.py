"""The counts of a host and of a fleet, in simulated time."""

from __future__ import annotations

import heapq
import random

from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.pools.scaling import target
from supervisor.sidecars.count_pace import FLEET_RATE, HIGHEST_FACTOR, CountPace

HOSTS, LISTS, INTERVAL = 200, 10, 30.0
MOST = 8  # workers of a list on each host


def test_a_host_alone_counts_at_each_turn() -> None:
    """However many lists it has; a turn comes once an interval on average."""
    pace, chance = CountPace(1, 50, INTERVAL), random.Random(1)
    assert all(pace.is_due(chance) for _ in range(100))
    assert pace.counting == 1.0
    waits = [pace.wait(chance) for _ in range(5_000)]
    assert 0.95 < sum(waits) / 100 / INTERVAL < 1.05


@given(st.integers(2, 2_000), st.integers(1, 50), st.floats(1.0, 600.0))
def test_a_fleet_s_counts_stay_within_its_rate(hosts: int, lists: int, interval: float) -> None:
    """The rate is that of all hosts and lists; those that count at once share the tasks."""
    pace = CountPace(hosts, lists, interval)
    share = pace._share
    assert hosts * lists * share / interval <= FLEET_RATE * 1.001
    assert pace.counting == max(1.0, hosts * share)


def test_refusals_halve_the_chance_and_answers_take_that_back_slowly() -> None:
    """The chance never reaches zero, and the factor never falls below one."""
    pace = CountPace(1, 1, INTERVAL)
    pace.note_refused()
    assert pace.factor == 2.0
    for _ in range(9):
        pace.note_accepted()
    assert 1.0 < pace.factor < 1.2
    for _ in range(3):
        pace.note_accepted()
    assert pace.factor == 1.0
    for _ in range(100):
        pace.note_refused()
    assert pace.factor == HIGHEST_FACTOR


class Fleet:
    """Hosts with one sidecar each; a backlog appears on every list at once.

    The workers of a list that are not busy take its tasks at once; each keeps its task.
    """

    def __init__(self, backlog: int) -> None:
        self.chance = random.Random(1)
        self.paces = [CountPace(HOSTS, LISTS, INTERVAL) for _ in range(HOSTS)]
        self.workers = [[1] * LISTS for _ in range(HOSTS)]
        self.waiting = [max(0, backlog - HOSTS)] * LISTS  # each host's one worker took a task
        self.counts = 0

    def run(self, seconds: float) -> None:
        """Let the sidecars take their turns."""
        turns = [(self.chance.uniform(0, INTERVAL), host, 0) for host in range(HOSTS)]
        heapq.heapify(turns)
        while turns[0][0] < seconds:
            at, host, number = heapq.heappop(turns)
            self.take_turn(host, number)
            wait = self.paces[host].wait(self.chance)
            heapq.heappush(turns, (at + wait, host, (number + 1) % LISTS))

    def take_turn(self, host: int, number: int) -> None:
        """As the sidecar and the core: every worker is busy while tasks wait."""
        busy, pace = self.workers[host][number], self.paces[host]
        pending = busy if self.waiting[number] else 0
        if pace.is_due(self.chance):
            self.counts += 1
            pending = -int(-self.waiting[number] // pace.counting)
        size = min(MOST, target(busy, (busy + pending,), 3))
        self.workers[host][number] = size
        self.waiting[number] = max(0, self.waiting[number] - (size - busy))


def test_200_hosts_with_10_lists_count_less_than_twice_a_second() -> None:
    """That holds while nothing waits, and while tasks wait on every list."""
    for backlog in (0, 10_000):
        fleet = Fleet(backlog)
        fleet.run(3600)
        assert 0.3 < fleet.counts / 3600 < 2.0


def test_every_list_of_200_hosts_meets_a_backlog_within_three_minutes() -> None:
    """A thousand tasks on each of ten lists have workers, and beyond it every host is at its most.

    Few hosts count in that time: the others judge by their own pools.
    """
    fleet = Fleet(1_000)
    fleet.run(180)
    assert fleet.waiting == [0] * LISTS
    assert fleet.counts < 2 * 180
    overload = Fleet(10_000)
    overload.run(180)
    assert all(size == MOST for sizes in overload.workers for size in sizes)
