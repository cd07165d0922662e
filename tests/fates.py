"""What may befall the processes of a simulated host, told in advance.

1. A fate is a value. Whoever has none behaves well: boots, polls, works, heeds, exits 0.
2. Fates are handed out in the order of forks and starts, so a list of them is a whole story, and
   one that hypothesis can shrink.
3. Times lie on a grid of quarter seconds: coincidences are where the faults hide.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from msgspec import structs

from supervisor import messages
from supervisor.histories import Histories
from supervisor.settings import Settings
from supervisor.surges import Surge

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_POLL = 60.0
"""Seconds that SWF keeps a poll without a task (API reference, PollForActivityTask)."""


class End(enum.Enum):
    """Where a worker meets its end."""

    NEVER = enum.auto()
    IN_BOOT = enum.auto()
    IN_POLL = enum.auto()
    IN_TASK = enum.auto()
    ANSWERING = enum.auto()  # it has its answer, and SWF has not accepted it
    AFTER_TASK = enum.auto()  # between its answer and its next poll


@dataclass(frozen=True)
class Fate:
    """What becomes of a worker; for an errand the boot is the errand."""

    boot: float = 0.25  # seconds from fork to first poll; inf: it hangs
    end: End = End.NEVER
    after: float = 0.25  # seconds into the stage where it meets its end
    status: int = -11
    hangs: bool = False  # its first task never ends
    deaf: bool = False  # its first poll never ends
    heeds: bool = True  # leaves when it is told to
    lingers: bool = False  # says its last word and does not exit
    stuck: float = 0.0  # seconds that the kernel keeps it after KILL
    forks: bool = True  # the kernel gives a process
    begins: bool = True  # if it dies in a task, it had begun it
    starved: bool = False  # it meets its end for want of memory
    tires: int = 0  # tasks after which it asks to be replaced; 0: never
    heedless: bool = False  # goes on with a task that SWF no longer wants
    queues: bool = False  # if it decides: a second task comes with its first, and waits
    fails: bool = False  # its tasks fail


GOOD = Fate()
CRASHES_BOOTING = Fate(end=End.IN_BOOT)


@dataclass(frozen=True)
class Version:
    """What becomes of a generation: its zygote, and the workers of this code."""

    imports: float = 1.0  # seconds; inf: it hangs
    failure: tuple[str, int] | None = None  # why it cannot be loaded, and the exit code
    lost_after: float = inf  # seconds from ready to its zygote's death
    refusal: tuple[str, int] | None = None  # what SWF has against it, and the exit code
    contradicts: bool = False  # it decides recorded histories otherwise
    workers: tuple[Fate, ...] = ()  # fates of its serving workers, before the script's
    forever: bool = False  # these fates come round again
    lists: tuple[messages.TaskList, ...] | None = None  # its own task lists
    cursed: tuple[messages.TaskList, ...] = ()  # workers of these always crash booting


@dataclass(frozen=True)
class Helper:
    """What becomes of an attendant."""

    ready: float = 0.5
    closes: float = inf  # seconds from ready to all executions having closed
    completed: bool = True
    lost_after: float = inf  # seconds from ready
    heeds: bool = True


@dataclass(frozen=True)
class Plan:
    """A task that SWF will hand to a poller; its length and start-to-close timeout in seconds."""

    waits: float = 1.0  # seconds into the poll
    lasts: float = 2.0
    timeout: float | None = 60.0
    answering: float = 0.0  # seconds until SWF accepts the answer
    stale: tuple[float, messages.Staleness] | None = None  # seconds into the task, and why
    swells: float = inf  # seconds into the task after which it is over the hard limit of memory


@dataclass(frozen=True)
class Murder:
    """kill -9 from outside: the n-th living worker, counted round."""

    nth: int


@dataclass(frozen=True)
class ZygoteMurder:
    """kill -9 from outside: the n-th living zygote, counted round."""

    nth: int


Order = messages.Event | Murder | ZygoteMurder
Orders = tuple[tuple[float, Order], ...]
"""What is asked for or done from outside, and when."""


@dataclass(frozen=True)
class Script:
    """A whole story; each tuple is used up in order."""

    fates: tuple[Fate, ...] = ()
    versions: tuple[Version, ...] = ()
    plans: tuple[Plan, ...] = ()
    errands: tuple[Fate, ...] = ()
    orders: Orders = ()
    endpoint: Helper = Helper()
    starter: Helper = Helper()
    companions: tuple[Helper, ...] = ()  # of every start of one
    spool: tuple[messages.Report, ...] = ()  # what a dead supervisor left
    lag: float = 0.0  # seconds that the shell is late, always


# --- for hypothesis -------------------------------------------------------------------------------


def quarters(low: float, high: float) -> st.SearchStrategy[float]:
    """Seconds on the grid."""
    return st.integers(int(low * 4), int(high * 4)).map(lambda n: n / 4)


def fates(*, errand: bool = False) -> st.SearchStrategy[Fate]:
    """Any worker, from good to hopeless."""
    return st.builds(
        Fate,
        boot=st.just(0.25) | quarters(0.25, 40) | st.just(inf),
        end=st.sampled_from([End.NEVER, End.IN_BOOT] if errand else list(End)),
        after=quarters(0, 12),
        status=st.sampled_from([-11, -9, 0, 1, 70]),
        hangs=st.booleans(),
        deaf=st.booleans(),
        heeds=st.booleans(),
        lingers=st.booleans(),
        stuck=st.sampled_from([0.0, 0.25, 9.75, 10.0, 60.0]),
        forks=st.sampled_from([True, True, True, False]),
        begins=st.booleans(),
        starved=st.booleans(),
        tires=st.sampled_from([0, 0, 1, 2]),
        heedless=st.booleans(),
        queues=st.booleans(),
        fails=st.booleans(),
    )


def versions() -> st.SearchStrategy[Version]:
    """Any generation, from good to hopeless."""
    return st.builds(
        Version,
        imports=quarters(0.25, 5) | st.just(inf),
        failure=st.none() | st.just(("it cannot be imported", 3)),
        lost_after=st.just(inf) | quarters(0, 90),
        refusal=st.none() | st.none() | st.just(("SWF refuses it", 2)),
        contradicts=st.sampled_from([False, False, True]),
        workers=st.just(()) | st.lists(fates(), min_size=1, max_size=3).map(tuple),
    )


def plans(*, swells: bool = True) -> st.SearchStrategy[Plan]:
    """Any task; without ``swells`` none that kills a good worker."""
    return st.builds(
        Plan,
        waits=quarters(0, 59),
        lasts=quarters(0, 30),
        timeout=st.sampled_from([None, 5.0, 20.0, 60.0]),
        answering=st.sampled_from([0.0, 0.0, 0.25, 20.0]),
        stale=st.none() | st.tuples(quarters(0, 20), st.sampled_from(messages.Staleness)),
        swells=st.just(inf) | quarters(0, 20) if swells else st.just(inf),
    )


def spools() -> st.SearchStrategy[tuple[messages.Report, ...]]:
    """What a dead supervisor may have left on disk."""
    answers: st.SearchStrategy[messages.Answer] = st.sampled_from(
        [messages.Complete("1"), messages.Fail("WorkerDied: of old"), messages.HandBack()]
    )
    left = st.tuples(answers, st.sampled_from([None, 0.25, 40.0]))
    return st.lists(left, max_size=3).map(
        lambda each: tuple(spooled(n, answer, within) for n, (answer, within) in enumerate(each))
    )


def spooled(n: int, answer: messages.Answer, within: float | None = None) -> messages.Report:
    """The n-th task of a supervisor that is gone."""
    task = messages.Task(f"s{n}", f"ws{n}", f"rs{n}", f"as{n}")
    return messages.Report(task, messages.Role.ACTIVITY, answer, "the supervisor died", within)


def settings() -> st.SearchStrategy[Settings]:
    """What a restart may find in the settings' file."""
    return st.builds(
        Settings,
        flow=st.just("flow"),
        workers=st.integers(0, 4),
        deciders=st.integers(0, 2),
        surge=st.sampled_from(["1", "2", "50%", "100%"]).map(Surge),
        probation=st.sampled_from([0.0, 10.0, 60.0]),
        gate_replay=st.sampled_from([None, Histories("last:5")]),
        trial_failures=st.integers(1, 3),
        intensity_deaths=st.just(999),
        generation_tries=st.just(999),
    )


def troubles() -> st.SearchStrategy[Order]:
    """What people and the host do to us, leaving aside."""
    return (
        st.builds(Murder, st.integers(0, 7))
        | st.builds(ZygoteMurder, st.integers(0, 2))
        | st.just(messages.RestartAsked("SIGHUP"))
        | st.builds(messages.RestartAsked, st.just("SIGHUP"), settings())
    )


def wishes() -> st.SearchStrategy[Order]:
    """What people ask of the pools, sensible or not."""
    names = st.sampled_from([None, "flow", "resize", "flow_resize", "strange"])
    return (
        st.builds(messages.ScaleAsked, st.just("people"), names, st.integers(-1, 6))
        | st.builds(messages.ScaleAsked, st.just("people"), names, by=st.integers(-2, 2))
        | st.builds(messages.QuietAsked, st.just("people"), names)
        | st.builds(messages.ResumeAsked, st.just("people"), names)
    )


def backlogs() -> st.SearchStrategy[Order]:
    """Counts of the activity list."""
    return st.builds(messages.Backlog, st.just("flow_resize"), st.integers(0, 9), st.booleans())


def farewells() -> st.SearchStrategy[Order]:
    """What makes the program leave."""
    return st.sampled_from(
        [
            messages.DrainAsked("SIGTERM"),
            messages.DrainAsked("a limit", within=20.0),
            messages.EndNoticed("a notice", within=20.0),
            messages.EndNoticed("a nearer notice", within=5.0),
            messages.EndNoticed("a notice without an end"),
            messages.StopAsked("SIGQUIT"),
        ]
    )


def limited(order: Order, limit: float) -> Order:
    """The order, where a restart's settings have this limit of a drain, too: they will hold."""
    if isinstance(order, messages.RestartAsked) and order.settings:
        chosen = structs.replace(order.settings, drain_timeout=limit)
        return structs.replace(order, settings=chosen)
    return order


def orders(
    what: st.SearchStrategy[Order], most: int
) -> st.SearchStrategy[tuple[tuple[float, Order], ...]]:
    """Up to ``most`` of them at any moment of the first five minutes."""
    return st.lists(st.tuples(quarters(0, 300), what), max_size=most).map(_in_time)


def _in_time(told: Sequence[tuple[float, Order]]) -> Orders:
    return tuple(sorted(told, key=lambda each: each[0]))


def scripts(
    *, leaving: bool = False, more: st.SearchStrategy[Order] | None = None
) -> st.SearchStrategy[Script]:
    """Any story whose first generation is good; with ``leaving`` the program may be told to."""
    what = troubles() | farewells() if leaving else troubles()
    what = what | more if more is not None else what
    return st.builds(
        Script,
        fates=st.lists(fates(), max_size=6).map(tuple),
        versions=st.lists(versions(), max_size=3).map(lambda each: (Version(), *each)),
        plans=st.lists(plans(), max_size=8).map(tuple),
        errands=st.lists(fates(errand=True), max_size=4).map(lambda each: (GOOD, *each)),
        orders=orders(what, 5),
        spool=st.just(()) | spools(),
        lag=st.sampled_from([0.0, 0.0, 0.25, 2.0]),
    )
