"""What the service manager is told: the right fields, in the right order, and not too often."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as like

from supervisor import messages
from supervisor.core.service import Service
from supervisor.settings import Settings
from supervisor.systemd import rules
from tests.fates import Script, Version
from tests.world import World

SERVING = Service(generation=1, full=True, wanted=3, ready=3, left=3)


class Listener:
    """A service manager that is told of one picture after the other."""

    def __init__(self) -> None:
        self.told = rules.Told()
        self.fields: list[tuple[float, str]] = []

    def see(self, seen: Service, now: float = 0.0) -> list[str]:
        """What it is told of this picture."""
        self.told, fields = rules.tell(self.told, seen, now)
        self.fields += [(now, field) for field in fields]
        return fields

    def states(self) -> list[str]:
        """The fields so far that are no line for people."""
        return [field for _, field in self.fields if not field.startswith("STATUS=")]


def test_ready_is_said_once_when_all_seats_are_served() -> None:
    """Not before, and not again when a worker is replaced."""
    listener = Listener()
    assert listener.see(Service()) == ["STATUS=Starting"]
    assert "READY=1" not in listener.see(like(SERVING, full=False, ready=2))
    assert listener.see(SERVING)[0] == "READY=1"
    listener.see(like(SERVING, full=False, ready=2))
    listener.see(SERVING)
    assert listener.states() == ["READY=1"]


def test_a_roll_is_reloading_until_the_new_generation_is_full() -> None:
    """RELOADING with the moment, when a restart is asked for; READY when all seats are taken."""
    listener = Listener()
    listener.see(SERVING)
    assert listener.see(like(SERVING, changing=True), 2.5)[:2] == [
        "RELOADING=1",
        "MONOTONIC_USEC=2500000",
    ]
    listener.see(like(SERVING, generation=2, full=False), 3.0)
    assert "READY=1" in listener.see(like(SERVING, generation=2), 4.0)
    assert listener.states() == ["READY=1", "RELOADING=1", "MONOTONIC_USEC=2500000", "READY=1"]


def test_a_roll_that_is_given_up_ends_too() -> None:
    """The old generation goes on, and the manager does not wait any longer."""
    listener = Listener()
    listener.see(SERVING)
    listener.see(like(SERVING, changing=True), 2.0)
    assert "READY=1" in listener.see(SERVING, 3.0)


def test_a_restart_asked_for_at_the_start_comes_after_ready() -> None:
    """First the service is up, then it reloads."""
    listener = Listener()
    listener.see(like(SERVING, changing=True), 1.0)
    assert listener.states() == ["READY=1", "RELOADING=1", "MONOTONIC_USEC=1000000"]


def test_leaving_is_said_once_and_is_the_last_word() -> None:
    """In the middle of a roll, too: no READY follows."""
    listener = Listener()
    listener.see(SERVING)
    listener.see(like(SERVING, changing=True), 1.0)
    leaving = like(SERVING, changing=True, leaving="SIGTERM")
    assert listener.see(leaving, 2.0)[0] == "STOPPING=1"
    listener.see(like(leaving, changing=False, left=0, ready=0), 3.0)
    assert listener.states().count("STOPPING=1") == 1
    assert "READY=1" not in listener.states()[2:]


def test_time_is_asked_for_while_counts_change() -> None:
    """Each time somebody left, at most every 30 s; a drain that stands still gets none."""
    listener = Listener()
    leaving = like(SERVING, leaving="SIGTERM")
    more = "EXTEND_TIMEOUT_USEC=150000000"
    assert more in listener.see(leaving, 0.0)
    assert more not in listener.see(like(leaving, left=2), 10.0)
    assert more in listener.see(like(leaving, left=2), 60.0), "progress since is not forgotten"
    assert more not in listener.see(like(leaving, left=2), 120.0)
    assert more in listener.see(like(leaving, left=1), 180.0)


def test_the_beginning_of_a_drain_is_progress() -> None:
    """An idle pool, whose polls have still to end, asks for time at once."""
    listener = Listener()
    listener.see(SERVING)
    assert any("EXTEND" in each for each in listener.see(like(SERVING, leaving="SIGTERM"), 1.0))


def test_time_is_asked_for_while_a_task_is_within_its_timeout() -> None:
    """Even if nothing else happens; not for a task that may take for ever."""
    listener = Listener()
    busy = like(SERVING, leaving="SIGTERM", left=1, working=1, in_time=True)
    for minute in range(10):
        assert any("EXTEND" in each for each in listener.see(busy, minute * 60.0))
    for minute in range(10, 20):
        endless = like(busy, in_time=False)
        assert not any("EXTEND" in each for each in listener.see(endless, minute * 60.0))


def test_the_status_line_tells_what_counts() -> None:
    """One line, told when it changes."""
    listener = Listener()
    lists = {"degraded": ("flow_resize",), "quiet": ("flow_end",)}
    seen = like(SERVING, working=2, owed=1, changing=True, **lists)
    parts = [
        "3 of 3 workers ready, 2 at work",
        "degraded: flow_resize",
        "quiet: flow_end",
        "1 reports owed",
        "restarting",
        "generation 1",
    ]
    assert f"STATUS={'; '.join(parts)}" in listener.see(seen)
    assert listener.see(seen) == []
    (line,) = [each for each in listener.see(like(seen, leaving="a\nb")) if "STATUS" in each]
    assert line == "STATUS=Leaving (a b): 3 processes left, 2 tasks in hand, 1 reports owed"


pictures = st.just(Service()) | st.builds(
    Service,
    generation=st.integers(1, 3),
    changing=st.booleans(),
    full=st.booleans(),
    wanted=st.integers(0, 3),
    ready=st.integers(0, 3),
    working=st.integers(0, 2),
    left=st.integers(0, 3),
    in_time=st.booleans(),
)


@settings(max_examples=100)
@given(st.lists(st.tuples(pictures, st.floats(0, 100))), st.integers(0, 30))
def test_the_order_of_fields_is_that_of_sd_notify(
    steps: list[tuple[Service, float]], leaves: int
) -> None:
    """Whatever the pool does: READY first, RELOADING and READY in turn, nothing after STOPPING."""
    listener, now = Listener(), 0.0
    for number, (seen, pause) in enumerate(steps):
        now += pause
        listener.see(like(seen, leaving="SIGTERM" if number >= leaves else None), now)
    states = [each for each in listener.states() if each in {"READY=1", "RELOADING=1"}]
    assert states[::2] == ["READY=1"] * len(states[::2])
    assert states[1::2] == ["RELOADING=1"] * len(states[1::2])
    after = listener.states()
    after = after[after.index("STOPPING=1") + 1 :] if "STOPPING=1" in after else []
    assert all(each.startswith("EXTEND_TIMEOUT_USEC=") for each in after)
    asked = [at for at, each in listener.fields if each.startswith("EXTEND")]
    assert all(later - earlier >= rules.EXTEND_EVERY for earlier, later in pairwise(asked))
    lines = [each for _, each in listener.fields if each.startswith("STATUS=")]
    assert all(one != other for one, other in pairwise(lines))


# --- in simulated time, with a real core ----------------------------------------------------------


class Managed(World):
    """A host whose service manager is told after each turn."""

    def __init__(self, settings: Settings, script: Script | None = None) -> None:
        self.listener = Listener()
        super().__init__(settings, script)

    def _turn(self) -> None:
        super()._turn()
        self.listener.see(self.core.service(self.now), self.now)


def managed(script: Script | None = None) -> Managed:
    """A managed host with one decider and two workers."""
    return Managed(Settings(flow="flow", workers=2), script)


def test_a_start_is_told_when_it_is_over() -> None:
    """READY comes with the note that all workers are ready, not before."""
    world = managed()
    world.run(60.0)
    assert world.listener.states() == ["READY=1"]
    ready = next(at for at, field in world.listener.fields if field == "READY=1")
    assert ready == world.when(world.notes("full_strength")[0])


def test_a_restart_that_works_and_one_that_does_not() -> None:
    """Both are reloads that end; what is asked for meanwhile lengthens the reload."""
    world = managed(Script(versions=(Version(), Version(), Version(failure=("it is broken", 3)))))
    world.run(60.0)
    for _ in range(2):
        world.ask(messages.RestartAsked("HUP"))
        world.run(world.now + 120.0)
    kinds = [each.partition("=")[0] for each in world.listener.states()]
    assert kinds == ["READY", *["RELOADING", "MONOTONIC_USEC", "READY"] * 2]


def test_a_roll_of_a_quiet_pool_ends() -> None:
    """Nobody is wanted, so nobody is waited for."""
    world = managed()
    world.run(60.0)
    world.ask(messages.QuietAsked("people"))
    world.run(200.0)
    assert world.listener.told.status.startswith("0 of 0 workers ready, 0 at work; quiet: ")
    world.ask(messages.RestartAsked("HUP"))
    world.run(world.now + 300.0)
    kinds = [each.partition("=")[0] for each in world.listener.states()]
    assert kinds == ["READY", "RELOADING", "MONOTONIC_USEC", "READY"]


def test_a_drain_ends_with_nobody_left() -> None:
    """STOPPING when it begins, more time while polls end, and the last line counts nobody."""
    world = managed()
    world.run(60.0)
    world.ask(messages.DrainAsked("SIGTERM"))
    world.run()
    assert world.listener.states()[:2] == ["READY=1", "STOPPING=1"]
    assert "0 processes left" in world.listener.told.status
