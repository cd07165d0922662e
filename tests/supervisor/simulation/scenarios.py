"""Scenarios: plans for everything that happens to the processes of a simulated host.

Rules:

1. A plan is a value. A process without one behaves well: it boots, polls, works, leaves when asked
   to, and exits with code 0.
2. Plans are used up in the order of forks and starts. So a list of them is a whole scenario, which
   hypothesis can shrink.
3. Times lie on a grid of quarter seconds: faults hide in coincidences.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from msgspec import structs

from supervisor.config.setting_types import HistorySource, Surge
from supervisor.config.settings import Settings
from supervisor.ipc import messages

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_POLL = 60.0
"""Seconds that SWF keeps a poll without a task (API reference, PollForActivityTask)."""


POLL_ENDS = tuple(each for each in messages.PollEnd if each is not messages.PollEnd.NONE)
"""The ends of polls that bring no task."""


class End(enum.Enum):
    """The moment of a worker's death."""

    NEVER = enum.auto()
    IN_BOOT = enum.auto()
    IN_POLL = enum.auto()
    IN_TASK = enum.auto()
    ANSWERING = enum.auto()  # it has its answer, which SWF has not accepted yet
    AFTER_TASK = enum.auto()  # between its answer and its next poll


@dataclass(frozen=True)
class WorkerPlan:
    """The plan of a worker; for one with a job the boot is the job."""

    boot: float = 0.25  # seconds from fork to first poll; inf: it hangs
    end: End = End.NEVER
    after: float = 0.25  # seconds into the stage in which it dies
    status: int = -11
    hangs: bool = False  # its first task never ends
    poll_hangs: bool = False  # its first poll never ends
    obeys: bool = True  # leaves when asked to
    lingers: bool = False  # sends its last message and does not exit
    unreaped_for: float = 0.0  # seconds until the kernel reaps it after KILL
    forks: bool = True  # the kernel has a process for it
    starts: bool = True  # if it dies in a task, the task's code has run
    out_of_memory: bool = False  # it dies for lack of memory
    retires_after: int = 0  # tasks after which it wants replacement; 0: never
    ignores_stale: bool = False  # goes on with a task that SWF no longer wants
    queues: bool = False  # as a decider: a second task comes with its first, and waits
    fails: bool = False  # its tasks fail
    wakes: bool = True  # polls when it gets a permit


GOOD = WorkerPlan()
CRASHES_BOOTING = WorkerPlan(end=End.IN_BOOT)


@dataclass(frozen=True)
class Version:
    """The plan of a generation: its zygote, and the workers of its code."""

    imports: float = 1.0  # seconds; inf: it hangs
    failure: tuple[str, int] | None = None  # why it cannot be loaded, and the exit code
    lost_after: float = inf  # seconds from ready to its zygote's death
    refusal: tuple[str, int] | None = None  # why SWF refuses it, and the exit code
    non_deterministic: bool = False  # it differs from recorded histories
    workers: tuple[WorkerPlan, ...] = ()  # used before the scenario's
    repeats: bool = False  # its worker plans begin anew when they are used up
    lists: tuple[messages.TaskList, ...] | None = None  # its own task lists
    external_lists: tuple[str, ...] = ()
    restart_unset: tuple[str, ...] = ()
    crashing_lists: tuple[messages.TaskList, ...] = ()  # lists whose workers always crash booting
    build: str = ""
    release: str = ""  # its folder's name, if it is one of several
    older: tuple[str, ...] = ()  # the releases before it, the newest first
    releases: tuple[str, ...] = ()  # all that are there when it is imported
    misfits: tuple[str, ...] = ()  # builds of open executions that it does not fit


@dataclass(frozen=True)
class SidecarPlan:
    """The plan of a sidecar."""

    ready: float = 0.5
    closes: float = inf  # seconds from ready to all executions having closed
    completed: bool = True
    lost_after: float = inf  # seconds from ready
    obeys: bool = True
    build: str = ""  # of retired code
    status: int = -9  # with which it is lost
    drains: float = 0.0  # seconds until retired code has drained
    abandons: bool = False  # whether it then has exit code 1
    hurries: bool = True  # whether SIGQUIT ends it
    unused_after: float = inf  # seconds from ready until retired code ends as unused


@dataclass(frozen=True)
class TaskPlan:
    """A task that SWF hands to a poller; its length and start-to-close timeout in seconds."""

    waits: float = 1.0  # seconds into the poll
    lasts: float = 2.0
    timeout: float | None = 60.0
    answering: float = 0.0  # seconds until SWF accepts the answer
    stale: tuple[float, messages.Staleness] | None = None  # seconds into the task, and why
    too_big_at: float = inf  # seconds into the task until it exceeds the hard memory limit
    poll_end: messages.PollEnd | None = None  # no task after all: the poll ends so
    run: str = ""  # run id of its execution; each has its own if not given
    hands_out: bool = False  # an activity's task leaves its answer to another program


@dataclass(frozen=True)
class KillWorker:
    """Kill -9 from outside: the n-th living worker, counted round."""

    nth: int


@dataclass(frozen=True)
class KillZygote:
    """Kill -9 from outside: the n-th living zygote, counted round."""

    nth: int


@dataclass(frozen=True)
class HangZygote:
    """The n-th living zygote, counted round, forks no more and does not die."""

    nth: int


OutsideEvent = messages.Event | KillWorker | KillZygote | HangZygote
Timeline = tuple[tuple[float, OutsideEvent], ...]
"""The requests and events from outside, and their times."""


@dataclass(frozen=True)
class Scenario:
    """All plans together; each tuple is used up in order."""

    workers: tuple[WorkerPlan, ...] = ()
    versions: tuple[Version, ...] = ()
    tasks: tuple[TaskPlan, ...] = ()
    jobs: tuple[WorkerPlan, ...] = ()
    timeline: Timeline = ()
    endpoint: SidecarPlan = SidecarPlan()
    starter: SidecarPlan = SidecarPlan()
    sidecars: tuple[SidecarPlan, ...] = ()  # of every start of another one
    retired: tuple[tuple[str, SidecarPlan], ...] = ()  # of all starts of retired code, by name
    is_kept: bool = False  # whether the supervisor is retired code that another one has started
    searches: tuple[tuple[bool, bool], ...] = ()  # found, complete; later ones find nothing
    spool: tuple[messages.Report, ...] = ()  # what an ended supervisor left
    lag: float = 0.0  # seconds that the shell is late, always
    arrivals: tuple[float, ...] | None = None  # of activity tasks; None: they come with the polls
    lasts: float = 1.0  # seconds of each task that arrives
    outage: tuple[float, float] = (inf, inf)  # in which each poll of the arrivals' list fails


# --- for hypothesis -------------------------------------------------------------------------------


def quarters(low: float, high: float) -> st.SearchStrategy[float]:
    """Seconds on the grid."""
    return st.integers(int(low * 4), int(high * 4)).map(lambda n: n / 4)


def worker_plans(*, job: bool = False) -> st.SearchStrategy[WorkerPlan]:
    """Any worker, from good to hopeless."""
    return st.builds(
        WorkerPlan,
        boot=st.just(0.25) | quarters(0.25, 40) | st.just(inf),
        end=st.sampled_from([End.NEVER, End.IN_BOOT] if job else list(End)),
        after=quarters(0, 12),
        status=st.sampled_from([-11, -9, 0, 1, 70]),
        hangs=st.booleans(),
        poll_hangs=st.booleans(),
        obeys=st.booleans(),
        lingers=st.booleans(),
        unreaped_for=st.sampled_from([0.0, 0.25, 9.75, 10.0, 60.0]),
        forks=st.sampled_from([True, True, True, False]),
        starts=st.booleans(),
        out_of_memory=st.booleans(),
        retires_after=st.sampled_from([0, 0, 1, 2]),
        ignores_stale=st.booleans(),
        queues=st.booleans(),
        fails=st.booleans(),
        wakes=st.sampled_from([True, True, True, False]),
    )


def versions() -> st.SearchStrategy[Version]:
    """Any generation, from good to hopeless."""
    return st.builds(
        Version,
        imports=quarters(0.25, 5) | st.just(inf),
        failure=st.none() | st.just(("it cannot be imported", 3)),
        lost_after=st.just(inf) | quarters(0, 90),
        refusal=st.none() | st.none() | st.just(("SWF refuses it", 2)),
        non_deterministic=st.sampled_from([False, False, True]),
        workers=st.just(()) | st.lists(worker_plans(), min_size=1, max_size=3).map(tuple),
    )


def task_plans(*, too_big_at: bool = True) -> st.SearchStrategy[TaskPlan]:
    """Any task; without ``too_big_at`` none that kills a good worker."""
    return st.builds(
        TaskPlan,
        waits=quarters(0, 59),
        lasts=quarters(0, 30),
        timeout=st.sampled_from([None, 5.0, 20.0, 60.0]),
        answering=st.sampled_from([0.0, 0.0, 0.25, 20.0]),
        stale=st.none() | st.tuples(quarters(0, 20), st.sampled_from(messages.Staleness)),
        too_big_at=st.just(inf) | quarters(0, 20) if too_big_at else st.just(inf),
        poll_end=st.sampled_from([None, None, None, *POLL_ENDS]),
        hands_out=st.sampled_from([False, False, False, True]),
    )


def spools() -> st.SearchStrategy[tuple[messages.Report, ...]]:
    """The tasks that an ended supervisor may have left on disk."""
    answers: st.SearchStrategy[messages.Answer] = st.sampled_from(
        [
            messages.Complete("1"),
            messages.Fail("WorkerDied: of old"),
            messages.ReturnTask(),
            messages.HandOut(),
        ]
    )
    left = st.tuples(answers, st.sampled_from([None, 0.25, 40.0]))
    return st.lists(left, max_size=3).map(
        lambda each: tuple(spooled(n, answer, within) for n, (answer, within) in enumerate(each))
    )


def spooled(n: int, answer: messages.Answer, within: float | None = None) -> messages.Report:
    """The n-th task of an ended supervisor."""
    task = messages.Task(f"s{n}", f"ws{n}", f"rs{n}", f"as{n}")
    return messages.Report(task, messages.Role.ACTIVITY, answer, "the supervisor died", within)


def restart_settings(crash_loop_deaths: int = 999) -> st.SearchStrategy[Settings]:
    """Settings that a restart may find in its file; by default they never give up."""
    return st.builds(
        Settings,
        flow=st.just("flow"),
        workers=st.integers(0, 4),
        deciders=st.integers(0, 2),
        surge=st.sampled_from(["1", "2", "50%", "100%"]).map(Surge),
        probation=st.sampled_from([0.0, 10.0, 60.0]),
        gate_replay=st.sampled_from([HistorySource("off"), HistorySource("last:5")]),
        min_failed_tasks=st.integers(1, 3),
        crash_loop_deaths=st.just(crash_loop_deaths),
    )


def faults(crash_loop_deaths: int = 999) -> st.SearchStrategy[OutsideEvent]:
    """Kills and restarts from outside."""
    settings = restart_settings(crash_loop_deaths)
    return (
        st.builds(KillWorker, st.integers(0, 7))
        | st.builds(KillZygote, st.integers(0, 2))
        | st.builds(HangZygote, st.integers(0, 2))
        | st.just(messages.RestartRequested("SIGHUP"))
        | st.builds(messages.RestartRequested, st.just("SIGHUP"), settings)
    )


def operator_requests() -> st.SearchStrategy[OutsideEvent]:
    """Requests of people about the pools, sensible or not."""
    names = st.sampled_from([None, "flow", "resize", "flow_resize", "strange"])
    return (
        st.builds(messages.ScaleRequested, st.just("people"), names, st.integers(-1, 6))
        | st.builds(messages.ScaleRequested, st.just("people"), names, by=st.integers(-2, 2))
        | st.builds(messages.QuietRequested, st.just("people"), names)
        | st.builds(messages.ResumeRequested, st.just("people"), names)
    )


def backlogs() -> st.SearchStrategy[OutsideEvent]:
    """Counts of the activity list."""
    return st.builds(messages.Backlog, st.just("flow_resize"), st.integers(0, 9), st.booleans())


def endings() -> st.SearchStrategy[OutsideEvent]:
    """Events that end the program."""
    return st.sampled_from(
        [
            messages.DrainRequested("SIGTERM"),
            messages.DrainRequested("a limit", within=20.0),
            messages.TerminationNotice("a notice", within=20.0),
            messages.TerminationNotice("a nearer notice", within=5.0),
            messages.TerminationNotice("a notice without an end"),
            messages.StopRequested("SIGQUIT"),
        ]
    )


def limited(order: OutsideEvent, limit: float) -> OutsideEvent:
    """The event; a restart's settings get this limit of a drain, too, since they will apply."""
    if isinstance(order, messages.RestartRequested) and order.settings:
        settings_of = structs.replace(order.settings, drain_timeout=limit)
        return structs.replace(order, settings=settings_of)
    return order


def timelines(
    what: st.SearchStrategy[OutsideEvent], most: int
) -> st.SearchStrategy[tuple[tuple[float, OutsideEvent], ...]]:
    """Up to ``most`` of them at any moment of the first five minutes."""
    return st.lists(st.tuples(quarters(0, 300), what), max_size=most).map(_in_time)


def _in_time(asked_to_leave: Sequence[tuple[float, OutsideEvent]]) -> Timeline:
    return tuple(sorted(asked_to_leave, key=lambda each: each[0]))


def scenarios(
    *, leaving: bool = False, more: st.SearchStrategy[OutsideEvent] | None = None
) -> st.SearchStrategy[Scenario]:
    """Any scenario whose first generation is good; with ``leaving`` the program may be ended."""
    what = faults() | endings() if leaving else faults()
    what = what | more if more is not None else what
    return st.builds(
        Scenario,
        workers=st.lists(worker_plans(), max_size=6).map(tuple),
        versions=st.lists(versions(), max_size=3).map(lambda each: (Version(), *each)),
        tasks=st.lists(task_plans(), max_size=8).map(tuple),
        jobs=st.lists(worker_plans(job=True), max_size=4).map(lambda each: (GOOD, *each)),
        timeline=timelines(what, 5),
        spool=st.just(()) | spools(),
        lag=st.sampled_from([0.0, 0.0, 0.25, 2.0]),
    )
