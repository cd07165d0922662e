"""The content of notifications: the right fields, in the right order, and not too often."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as like

from supervisor.config.settings import Settings
from supervisor.core.service_view import Service
from supervisor.ipc import messages
from supervisor.parent.systemd import rules
from supervisor.parent.systemd.rules import LastNotified, notify, refuse_reload, status_of
from tests.supervisor.simulation.scenarios import Scenario, Version
from tests.supervisor.simulation.world import World

SERVING = Service(generation=1, full=True, desired=3, ready=3, left=3)


class Listener:
    """A service manager that is notified of one view after the other."""

    def __init__(self) -> None:
        self.last = rules.LastNotified()
        self.fields: list[tuple[float, str]] = []

    def see(self, view: Service, now: float = 0.0) -> list[str]:
        """The fields that it gets for this view."""
        self.last, fields = rules.notify(self.last, view, now)
        self.fields += [(now, field) for field in fields]
        return fields

    def states(self) -> list[str]:
        """The fields so far, without the status lines."""
        return [field for _, field in self.fields if not field.startswith("STATUS=")]


def test_ready_is_sent_once_when_all_slots_are_served() -> None:
    """Not earlier, and not again when a worker is replaced."""
    listener = Listener()
    assert listener.see(Service()) == ["STATUS=Starting"]
    assert "READY=1" not in listener.see(like(SERVING, full=False, ready=2))
    assert listener.see(SERVING)[0] == "READY=1"
    listener.see(like(SERVING, full=False, ready=2))
    listener.see(SERVING)
    assert listener.states() == ["READY=1"]


def test_a_deploy_is_reloading_until_the_new_generation_is_full() -> None:
    """RELOADING with the time of the request; READY when all slots are served."""
    listener = Listener()
    listener.see(SERVING)
    assert listener.see(like(SERVING, changing=True), 2.5)[:2] == [
        "RELOADING=1",
        "MONOTONIC_USEC=2500000",
    ]
    listener.see(like(SERVING, generation=2, full=False), 3.0)
    assert "READY=1" in listener.see(like(SERVING, generation=2), 4.0)
    assert listener.states() == ["READY=1", "RELOADING=1", "MONOTONIC_USEC=2500000", "READY=1"]


def test_a_failed_deploy_ends_the_reload() -> None:
    """READY is sent while the old generation goes on."""
    listener = Listener()
    listener.see(SERVING)
    listener.see(like(SERVING, changing=True), 2.0)
    assert "READY=1" in listener.see(SERVING, 3.0)


def test_a_restart_requested_at_the_start_comes_after_ready() -> None:
    """READY first, then RELOADING."""
    listener = Listener()
    listener.see(like(SERVING, changing=True), 1.0)
    assert listener.states() == ["READY=1", "RELOADING=1", "MONOTONIC_USEC=1000000"]


def test_stopping_is_sent_once_and_no_ready_follows() -> None:
    """Also in the middle of a deploy."""
    listener = Listener()
    listener.see(SERVING)
    listener.see(like(SERVING, changing=True), 1.0)
    leaving = like(SERVING, changing=True, leaving="SIGTERM")
    assert listener.see(leaving, 2.0)[0] == "STOPPING=1"
    listener.see(like(leaving, changing=False, left=0, ready=0), 3.0)
    assert listener.states().count("STOPPING=1") == 1
    assert "READY=1" not in listener.states()[2:]


def test_more_time_is_requested_while_counts_change() -> None:
    """At most every 30 s; a drain that stands still gets none."""
    listener = Listener()
    leaving = like(SERVING, leaving="SIGTERM")
    more = "EXTEND_TIMEOUT_USEC=150000000"
    assert more in listener.see(leaving, 0.0)
    assert more not in listener.see(like(leaving, left=2), 10.0)
    assert more in listener.see(like(leaving, left=2), 60.0), "progress in between counts"
    assert more not in listener.see(like(leaving, left=2), 120.0)
    assert more in listener.see(like(leaving, left=1), 180.0)


def test_the_beginning_of_a_drain_is_progress() -> None:
    """An idle pool, whose polls have still to end, requests time at once."""
    listener = Listener()
    listener.see(SERVING)
    assert any("EXTEND" in each for each in listener.see(like(SERVING, leaving="SIGTERM"), 1.0))


def test_more_time_is_requested_while_a_task_is_within_its_timeout() -> None:
    """Even if nothing else happens; not for a task without a timeout."""
    listener = Listener()
    busy = like(SERVING, leaving="SIGTERM", left=1, working=1, in_time=True)
    for minute in range(10):
        assert any("EXTEND" in each for each in listener.see(busy, minute * 60.0))
    for minute in range(10, 20):
        endless = like(busy, in_time=False)
        assert not any("EXTEND" in each for each in listener.see(endless, minute * 60.0))


def test_the_status_line_changes_with_the_pool() -> None:
    """It is one line, and is sent when it has changed."""
    listener = Listener()
    lists = {"degraded": ("flow_resize",), "quiet": ("flow_end",)}
    view = like(SERVING, working=2, pending_reports=1, changing=True, awaited=("r1",), **lists)
    parts = [
        "3 of 3 workers ready, 2 working",
        "starting release r1",
        "degraded: flow_resize",
        "quiet: flow_end",
        "1 pending reports",
        "restarting",
        "generation 1",
    ]
    assert f"STATUS={'; '.join(parts)}" in listener.see(view)
    assert listener.see(view) == []
    (line,) = [each for each in listener.see(like(view, leaving="a\nb")) if "STATUS" in each]
    assert line == "STATUS=Leaving (a b): 3 processes left, 2 tasks in progress, 1 pending reports"


views = st.just(Service()) | st.builds(
    Service,
    generation=st.integers(1, 3),
    changing=st.booleans(),
    full=st.booleans(),
    desired=st.integers(0, 3),
    ready=st.integers(0, 3),
    working=st.integers(0, 2),
    left=st.integers(0, 3),
    in_time=st.booleans(),
)


@settings(max_examples=100)
@given(st.lists(st.tuples(views, st.floats(0, 100))), st.integers(0, 30))
def test_the_order_of_fields_is_that_of_sd_notify(
    steps: list[tuple[Service, float]], leaves: int
) -> None:
    """Whatever the pool does: READY first, RELOADING and READY in turn, nothing after STOPPING."""
    listener, now = Listener(), 0.0
    for number, (view, pause) in enumerate(steps):
        now += pause
        listener.see(like(view, leaving="SIGTERM" if number >= leaves else None), now)
    states = [each for each in listener.states() if each in {"READY=1", "RELOADING=1"}]
    assert states[::2] == ["READY=1"] * len(states[::2])
    assert states[1::2] == ["RELOADING=1"] * len(states[1::2])
    after = listener.states()
    after = after[after.index("STOPPING=1") + 1 :] if "STOPPING=1" in after else []
    assert all(each.startswith("EXTEND_TIMEOUT_USEC=") for each in after)
    asked = [at for at, each in listener.fields if each.startswith("EXTEND")]
    assert all(later - earlier >= rules.EXTEND_INTERVAL for earlier, later in pairwise(asked))
    lines = [each for _, each in listener.fields if each.startswith("STATUS=")]
    assert all(one != other for one, other in pairwise(lines))


# --- in simulated time, with a real core ----------------------------------------------------------


class Managed(World):
    """A host whose service manager is notified after each turn."""

    def __init__(self, settings: Settings, scenario: Scenario | None = None) -> None:
        self.listener = Listener()
        super().__init__(settings, scenario)

    def _turn(self) -> None:
        super()._turn()
        self.listener.see(self.core.service(self.now), self.now)


def managed(scenario: Scenario | None = None) -> Managed:
    """A host with one decider and two workers."""
    return Managed(Settings(flow="flow", workers=2), scenario)


def test_ready_is_sent_when_the_start_is_complete() -> None:
    """At the same moment as the log entry that all workers are ready."""
    world = managed()
    world.run(60.0)
    assert world.listener.states() == ["READY=1"]
    ready = next(at for at, field in world.listener.fields if field == "READY=1")
    assert ready == world.when(world.notes("full_strength")[0])


def test_successful_and_failed_restarts_are_reloads() -> None:
    """Each reload ends, whatever became of the restart."""
    world = managed(Scenario(versions=(Version(), Version(), Version(failure=("it is broken", 3)))))
    world.run(60.0)
    for _ in range(2):
        world.ask(messages.RestartRequested("HUP"))
        world.run(world.now + 120.0)
    kinds = [each.partition("=")[0] for each in world.listener.states()]
    assert kinds == ["READY", *["RELOADING", "MONOTONIC_USEC", "READY"] * 2]


def test_a_deploy_of_a_quiet_pool_ends() -> None:
    """A pool without workers is complete at once."""
    world = managed()
    world.run(60.0)
    world.ask(messages.QuietRequested("people"))
    world.run(200.0)
    assert world.listener.last.status.startswith("0 of 0 workers ready, 0 working; quiet: ")
    world.ask(messages.RestartRequested("HUP"))
    world.run(world.now + 300.0)
    kinds = [each.partition("=")[0] for each in world.listener.states()]
    assert kinds == ["READY", "RELOADING", "MONOTONIC_USEC", "READY"]


def test_the_last_status_of_a_drain_counts_no_process() -> None:
    """STOPPING comes when it begins."""
    world = managed()
    world.run(60.0)
    world.ask(messages.DrainRequested("SIGTERM"))
    world.run()
    assert world.listener.states()[:2] == ["READY=1", "STOPPING=1"]
    assert "0 processes left" in world.listener.last.status


# --- a refused restart ----------------------------------------------------------------------------


def test_a_refused_reload_is_answered_and_shown() -> None:
    """The manager waits for RELOADING and READY; the line shows why until the next restart."""
    known, _ = notify(LastNotified(), SERVING, 0.0)
    known, datagrams = refuse_reload(known, "--workers: -1\nis below 0", 2.5)
    assert datagrams == [["RELOADING=1", "MONOTONIC_USEC=2500000"], ["READY=1"]]
    known, fields = notify(known, SERVING, 3.0)
    assert fields == [f"STATUS={status_of(known)}"]
    assert status_of(known).endswith("; restart refused: --workers: -1 is below 0")
    known, _ = notify(known, like(SERVING, changing=True), 4.0)
    assert "refused" not in status_of(known)


def test_a_reload_refused_in_a_restart_or_before_ready_is_answered_by_their_end() -> None:
    """READY would end the manager's wait for the restart in progress."""
    starting = LastNotified()
    restarting, _ = notify(notify(starting, SERVING, 0.0)[0], like(SERVING, changing=True), 1.0)
    leaving, _ = notify(notify(starting, SERVING, 0.0)[0], like(SERVING, leaving="TERM"), 1.0)
    for last in (starting, restarting, leaving):
        assert refuse_reload(last, "why", 2.0)[1] == []
