"""Executions that deciders of several builds get: adopted, returned, stuck; in simulated time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from garcon import client as clients
from garcon.decider import builds
from garcon.decider.history_limit import continuation_of
from garcon.event import History
from garcon.executions import Client
from garcon.history.build_notes import BuildNote
from garcon.local import LocalSWF
from tests.garcon.decider.build_fleet import Fleet, parents
from tests.garcon.flows import flow, make

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = 4
PATIENT = 1_000_000
"""Seconds that an activity may wait: the tests let more time pass than activities usually have."""
RETURN_EVENTS = 5
"""Events of a return that a decider takes; see ``garcon.decider.builds``."""
VAIN_EVENTS = 7
"""Events of a return, or of a wait, that no decider takes."""


def custom(prefix: str, steps: int = STEPS, **members: Any) -> Any:
    """A flow whose decider schedules steps one after the other, named after the prefix."""
    step = make("step", schedule_to_start=PATIENT)

    def decider(schedule: Any) -> None:
        for number in range(steps):
            schedule(f"{prefix}{number}", step).wait()

    return flow(step=step, decider=decider, version="1.0", **members)


def chain(*names: str) -> Any:
    """A flow of activities, each of which requires the one before."""
    made: dict[str, Any] = {}
    for name in names:
        made[name] = make(name, requires=[*made.values()][-1:], schedule_to_start=PATIENT)
    return flow(version="1.0", **made)


def fleet(swf: LocalSWF, **flows: Any) -> Fleet:
    """A fleet of these builds; the first one runs, and has begun the execution."""
    made = Fleet(swf, flows)
    made.deploy(next(iter(flows)))
    made.start()
    return made


@pytest.fixture
def swf() -> Iterator[LocalSWF]:
    """A local SWF in virtual time."""
    with LocalSWF() as made:
        yield made


def test_each_answer_notes_the_build(swf: LocalSWF) -> None:
    """The note costs no event."""
    one = fleet(swf, a=custom("x", steps=1)).work()
    assert [str(each) for each in one.notes] == ['{"build": "a"}'] * 2
    assert one.kinds[-1] == "WorkflowExecutionCompleted"


def test_code_that_repeats_the_history_adopts_the_execution(swf: LocalSWF) -> None:
    """No event is added, and the answer notes the new build."""
    one = fleet(swf, a=custom("x"), b=custom("x")).work()
    one.deploy("b")
    one.work()
    assert (one.note.build, "TimerStarted" in one.kinds) == ("b", False)


def test_an_execution_without_activities_is_adopted(swf: LocalSWF) -> None:
    """Its history does not hold its workflow id, with which the ids of its children begin."""
    one = parents(swf).decide()
    one.deploy("b")
    one.news = 1
    one.wake()
    assert "ChildWorkflowExecutionStarted" in one.kinds
    assert (one.note.build, one.note.misfits) == ("b", ())


def test_code_that_differs_returns_the_execution_to_its_build(swf: LocalSWF) -> None:
    """A running decider of that build takes it: five events, and the other decides nothing."""
    one = fleet(swf, a=custom("x"), b=custom("y")).work()
    before = len(one.history)
    one.deploy("b", "a")
    one.turn = 1  # the next task of the flow's list goes to b
    one.work()
    notes = [each for each in one.notes if each.returned]
    assert [(each.build, each.misfits) for each in notes] == [("a", ("b",))]
    assert notes[0].why.startswith("Event 4 holds ScheduleActivityTask activityId=flow_step-1-x0")
    assert (one.note.build, one.note.returned) == ("a", False)
    assert all("-x" in each for each in one.scheduled)
    activity_and_decision = 5  # started, completed; decision scheduled, started, completed
    next_activity = 1
    assert len(one.history) == before + activity_and_decision + next_activity + RETURN_EVENTS


def test_what_was_returned_stays_with_its_build_without_further_returns(swf: LocalSWF) -> None:
    """The next decision tasks come by the list of the build."""
    one = fleet(swf, a=custom("x"), b=custom("y")).work()
    one.deploy("b", "a")
    for _ in range(STEPS):
        one.work()
    assert one.kinds[-1] == "WorkflowExecutionCompleted"
    assert sum(each.returned for each in one.notes) == 1


def test_what_was_returned_to_a_decider_that_died_is_returned_again(swf: LocalSWF) -> None:
    """Its build is there, so the execution is not stuck."""
    one = fleet(swf, a=custom("x"), b=custom("y")).work()
    one.deploy("b")
    one.work().lose("a")
    one.deploy("b", "a")
    one.turn = 1  # the task, which falls back to the flow's list, goes to b
    one.decide()
    assert [each.is_stuck for each in one.notes] == [False] * len(one.notes)
    assert sum(each.returned for each in one.notes) == 2
    assert (one.note.build, one.note.returned) == ("a", False)


def test_what_was_scheduled_while_it_was_returned_is_returned_again(swf: LocalSWF) -> None:
    """SWF keeps such a task on the flow's list, so no decider has seen it on the build's list."""
    one = fleet(swf, a=custom("x"), b=custom("y")).work()
    one.deploy("b")
    one.news = 3  # those of later decisions find the build's list
    one.work()
    assert [each.is_stuck for each in one.notes] == [False] * len(one.notes)
    assert sum(each.returned for each in one.notes) == 2
    one.deploy("b", "a")
    one.decide()
    assert (one.note.build, one.note.returned) == ("a", False)


def test_a_build_that_differs_does_not_adopt_at_a_later_task(swf: LocalSWF) -> None:
    """Also once the execution's own build has decided again, and its note has no reason."""
    one = fleet(swf, a=custom("x"), b=custom("y")).work()
    one.deploy("b", "a")
    one.turn = 1  # the next task of the flow's list goes to b
    one.work()
    assert (one.note.build, one.note.misfits, one.note.why) == ("a", ("b",), "")
    one.deploy("b")
    one.work().after(120)
    assert (one.note.build, one.note.is_stuck) == ("a", True)
    assert "Build b has been compared with it, and differs." in one.note.why
    assert all("-x" in each for each in one.scheduled)


def test_an_execution_that_no_decider_takes_is_stuck_and_goes_on_with_its_own_build(
    swf: LocalSWF, caplog: pytest.LogCaptureFixture
) -> None:
    """It is never failed, one error says what to do, and a roll-back completes it."""
    one = fleet(swf, a=custom("x"), b=custom("y")).work()
    one.deploy("b")
    one.work()
    one.after(3_600)
    assert (one.is_open, one.note.is_stuck, one.note.build) == (True, True, "a")
    (error,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "Stuck: Event 4 holds" in error.getMessage()
    assert "deploy either, or guard the change" in error.getMessage()
    assert all("-x" in each for each in one.scheduled)
    one.deploy("a")
    one.after(60)
    for _ in range(STEPS):
        one.work()
    assert one.kinds[-1] == "WorkflowExecutionCompleted"


def test_other_code_that_fits_takes_over_a_stuck_execution(swf: LocalSWF) -> None:
    """A build with the change guarded, or taken back, need not be the one that began."""
    one = fleet(swf, a=custom("x"), b=custom("y"), c=custom("x")).work()
    one.deploy("b")
    one.work()
    one.after(600)
    assert one.note.is_stuck
    one.deploy("c")
    one.after(builds.SHORT_WAIT + 30)
    assert (one.note.build, one.note.is_stuck) == ("c", False)


def test_a_signal_wakes_a_stuck_execution(swf: LocalSWF) -> None:
    """Its build takes it at once, and the flow does not see the signal."""
    one = fleet(swf, a=custom("x"), b=custom("y")).work()
    one.deploy("b")
    one.work()
    one.after(7_200)
    one.deploy("a")
    one.wake()
    assert not one.note.is_stuck


def test_an_execution_without_a_note_goes_on(swf: LocalSWF) -> None:
    """It was decided before there were builds, and is not compared; if contradicted it waits."""
    one = fleet(swf, old=custom("x"), new=custom("x"), other=custom("y"))
    one.deciders["old"]._builds = None  # as a decider without a build
    one.work()
    one.deploy("other")
    one.work()
    assert (one.note.build, one.note.is_stuck) == ("other", True)
    one.deploy("new")
    one.after(60)
    assert (one.note.build, one.note.is_stuck) == ("new", False)
    assert all("-x" in each for each in one.scheduled)


def test_a_decider_that_contradicts_itself_gets_its_execution_stuck(
    swf: LocalSWF, caplog: pytest.LogCaptureFixture
) -> None:
    """Not failed, one error, and the restored code goes on."""
    names = ["x"]
    step = make("step", schedule_to_start=PATIENT)

    def decider(schedule: Any) -> None:
        schedule(f"{names[0]}0", step).wait()
        schedule(f"{names[0]}1", step).wait()

    made = flow(step=step, decider=decider, version="1.0")
    one = fleet(swf, a=made, b=custom("x", steps=2)).decide()
    names[0] = "y"
    one.work()
    one.after(300)
    assert (one.note.build, one.note.is_stuck) == ("a", True)
    stuck = [each for each in caplog.records if each.getMessage().startswith("Stuck: ")]
    assert len(stuck) == 1
    one.deploy("b")
    one.after(60)
    one.work()
    assert one.kinds[-1] == "WorkflowExecutionCompleted"


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        (("one", "two", "three"), True),
        (("one", "two", "three", "four"), True),
        (("one", "two", "renamed"), True),
        (("one", "two"), True),
        (("renamed", "two", "three"), False),
        (("new", "one", "two", "three"), False),
        (("two", "three"), False),
    ],
    ids=["same", "appended", "renamed ahead", "removed ahead", "renamed", "before", "removed"],
)
def test_a_flow_without_a_decider_fits_if_the_past_is_the_same(
    swf: LocalSWF, names: tuple[str, ...], *, fits: bool
) -> None:
    """A change ahead of the execution is none; one behind it returns the execution."""
    one = fleet(swf, a=chain("one", "two", "three"), b=chain(*names)).work()
    one.deploy("b")
    one.work()
    assert (one.note.build == "b") == fits


def test_what_a_continued_run_inherits_has_to_be_in_the_flow(swf: LocalSWF) -> None:
    """A run that continues another one is decided by code that has what was done already."""
    first, fitting, renamed = (
        chain("one", "two", "three"),
        chain("one", "two", "three", "four"),
        chain("1", "two", "three"),
    )
    for each in (first, fitting, renamed):
        each.continue_at = 5
    one = fleet(swf, a=first, b=renamed, c=fitting)
    one.work()
    assert one.kinds[0] == "WorkflowExecutionStarted"
    one.deploy("b")
    one.work()
    one.after(60)
    assert (one.note.build, one.note.is_stuck) == ("a", True)
    assert "does not have" in one.note.why
    one.deploy("c")
    one.after(90)
    assert one.note.build == "c"


def test_a_continued_run_inherits_its_build(swf: LocalSWF) -> None:
    """So other code compares before the first decision of the new run, too."""
    events = fleet(swf, a=chain("one", "two", "three")).work().history
    decision = continuation_of(History(events), events)
    carried = decision["continueAsNewWorkflowExecutionDecisionAttributes"]["input"]
    attributes = {"workflowType": {"name": "flow", "version": "1.0"}, "input": carried}
    event = {
        "eventId": 1,
        "eventType": "WorkflowExecutionStarted",
        "eventTimestamp": 1.0,
        "workflowExecutionStartedEventAttributes": attributes,
    }
    history = History([event])
    assert history.build_note == BuildNote("a")
    assert [*history.activities] == ["flow_one", "flow_two"]


def test_a_flow_that_is_not_deterministic_is_adopted(swf: LocalSWF) -> None:
    """Its author has said that its decisions need not repeat."""
    one = fleet(swf, a=custom("x"), b=custom("y", deterministic=False)).work()
    one.deploy("b")
    one.work()
    assert one.note.build == "b"


def test_waits_grow_and_stay_within_the_events_of_a_year() -> None:
    """A stuck execution must not end by the length of its history."""
    waits = [builds.wait_seconds(number, str(number)) for number in range(1, 200)]
    assert max(waits[: builds.SHORT_WAITS]) <= builds.SHORT_WAIT
    assert builds.LONGEST_WAIT / 2 <= waits[-1] <= builds.LONGEST_WAIT
    first_hour = builds.SHORT_WAITS * VAIN_EVENTS
    a_day = 24 * 3_600 / (builds.LONGEST_WAIT * (1 - builds.JITTER / 2)) * VAIN_EVENTS
    assert first_hour + 90 * a_day < 25_000


GROUPS = {"a1": "a", "a2": "a", "b1": "b", "c1": "c"}
"""Builds, and the prefix of their steps: those of one prefix fit each other's executions."""

DEPLOYS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(sorted(GROUPS)), min_size=1, max_size=3, unique=True),
        st.sampled_from([0.0, 5.0, 45.0, 400.0]),
        st.booleans(),
        st.integers(min_value=0, max_value=3),
    ),
    max_size=6,
)
NEWS_EVENTS = 4
"""Events of a signal and the decision that follows."""


@pytest.mark.slow
@settings(max_examples=25)
@given(first=st.sampled_from(sorted(GROUPS)), deploys=DEPLOYS)
@example(first="a1", deploys=[(["b1", "a1"], 0.0, True, 2), (["b1"], 45.0, True, 0)])
def test_any_order_of_deploys_harms_no_execution(
    first: str, deploys: list[tuple[list[str], float, bool, int]]
) -> None:
    """Only code that fits decides, nothing fails, and a return costs at most seven events."""
    with LocalSWF() as swf:
        one = Fleet(swf, {each: custom(prefix) for each, prefix in GROUPS.items()})
        one.deploy(first)
        one.start()
        one.decide()
        for running, seconds, works, one.news in deploys:
            one.deploy(*running)
            (one.work() if works else one.decide()).after(seconds)
        one.deploy(first)
        one.after(120)
        for _ in range(STEPS):
            one.work().after(40)  # a task may wait on the list of a build that has gone
        assert one.kinds[-1] == "WorkflowExecutionCompleted"
        assert {each.partition("-1-")[2] for each in one.scheduled} == {
            f"{GROUPS[first]}{number}" for number in range(STEPS)
        }
        assert {GROUPS[each.build] for each in one.notes} == {GROUPS[first]}
        returns = sum(each.returned or each.is_stuck for each in one.notes)
        news = one.kinds.count("WorkflowExecutionSignaled")
        undisturbed = 1 + STEPS * 3 + (STEPS + 1) * 3 + 1 + news * NEWS_EVENTS
        assert len(one.history) - undisturbed <= VAIN_EVENTS * (returns + 1)


def redriven_for(swf: LocalSWF, build: str | None) -> Fleet:
    """An execution of build a that was terminated after one step of four, and redriven."""
    one = fleet(swf, a=custom("x"), b=custom("x"), c=custom("x")).work()
    one.client.terminate_workflow_execution(domain=one.domain, workflowId="workflow")
    with clients.use(one.client):
        redriven = Client(custom("x")).redrive("workflow", build=build)
    assert redriven.kept == 1
    return one


def test_a_redriven_execution_is_decided_first_by_the_build_that_was_named(swf: LocalSWF) -> None:
    """Another build returns it; later ones adopt it as any other."""
    one = redriven_for(swf, "b")
    one.deploy("a", "b")
    one.turn = 1  # the next task of the flow's list goes to a
    one.work()
    assert [(each.build, each.returned) for each in one.notes][:2] == [("b", True), ("b", False)]
    assert one.note.misfits == ()
    one.deploy("c")
    for _ in range(3):
        one.work().after(60)
    assert (one.note.build, one.kinds[-1]) == ("c", "WorkflowExecutionCompleted")


def test_it_waits_as_long_as_no_decider_of_that_build_runs(swf: LocalSWF) -> None:
    """However many other builds are asked; without a name any build decides it."""
    one = redriven_for(swf, "b")
    for build in ("a", "c", "a"):
        one.deploy(build)
        one.after(120)
        assert (one.note.build, one.note.is_stuck) == ("b", True)
    assert "ActivityTaskScheduled" not in one.kinds
    one.deploy("b")
    one.after(120).work()
    assert "ActivityTaskScheduled" in one.kinds
    with LocalSWF() as other:
        free = redriven_for(other, None)
        free.deploy("c")
        assert free.work().note.build == "c"
