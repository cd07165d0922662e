"""Redriven executions: what is kept, what runs again, and what is refused."""

from __future__ import annotations

import string
from collections import Counter
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from garcon import activity, claims, runner, task
from garcon.activity import ActivityInstance
from garcon.decider import Decision, fail_workflow, schedule_activity_task
from garcon.executions import (
    AlreadyOpen,
    Client,
    Execution,
    Failed,
    InputNotSendable,
    NotRedrivable,
    Status,
)
from garcon.local import replay
from tests.garcon.executions.served_flow import DOMAIN, NAME, ServedFlow, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow  # long executions

create = activity.create(DOMAIN, NAME)


class Steps:
    """Activities that count their runs, and fail as often as a test asks.

    Attributes:
        runs: Number of runs by name.
        failures: Failures that are left, by name.
        size: Characters of each result beside the rest.
    """

    def __init__(self, size: int = 0) -> None:
        self.runs: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.size = size

    def noise(self, name: str) -> str:
        """Letters that cannot be compressed much, the same each time."""
        return "".join(Random(name).choices(string.ascii_letters, k=self.size))

    def activity(self, name: str, requires: Sequence[Any] = (), **options: Any) -> Any:
        """An activity; its result is its name and the number of its run."""

        @task.decorate(timeout=60)
        def run() -> dict[str, object]:
            self.runs[name] += 1
            if self.failures[name] > 0:
                self.failures[name] -= 1
                raise ValueError(f"{name} is broken.")
            return {
                name: self.runs[name],
                **({f"{name}.more": self.noise(name)} if self.size else {}),
            }

        return create(name=name, requires=list(requires), run=runner.Sync(run.fill()), **options)


def chain(steps: Steps, length: int) -> Any:
    """A flow of activities one after the other."""
    flow = SimpleNamespace(domain=DOMAIN, name=NAME)
    before: list[Any] = []
    for number in range(length):
        before = [steps.activity(f"a{number}", before)]
        setattr(flow, f"a{number}", before[0])
    return flow


@pytest.fixture
def steps() -> Steps:
    """Activities that count their runs."""
    return Steps()


def close(made: ServedFlow, workflow_id: str) -> Status:
    """Let the workers bring the latest run of an id to its end; how it closed."""
    for _ in made.client.follow(workflow_id):
        pass
    return made.client.describe(workflow_id).summary.status


@contextmanager
def failed(flow: Any, steps: Steps, *names: str, **options: Any) -> Iterator[ServedFlow]:
    """A served flow whose execution ``o`` has failed at these activities."""
    steps.failures.update(names)
    with served(flow) as made:
        made.client.start({"n": 1}, "o", **options)
        assert close(made, "o") is Status.FAILED
        yield made


def test_of_500_activities_that_failed_at_the_400th_101_run(steps: Steps) -> None:
    """The 400th and the 100 after it; the results of the 399 before it are there."""
    steps.failures["a399"] = 1
    flow = chain(steps, 500)
    with served(flow) as made:
        made.client.start({"n": 1}, "o")
        for number in range(400):
            instance = ActivityInstance(getattr(flow, f"a{number}"))
            decisions: list[Decision] = []
            schedule_activity_task(decisions, instance)
            answer(made, decisions)
            made.workers[instance.activity_name]()
        answer(made, [fail_workflow("a399 is broken.")])
        assert steps.runs.total() == 400
        assert made.client.redrive("o").kept == 399
        for number in range(399, 500):
            made.run_decider()
            made.workers[f"{NAME}_a{number}"]()
        made.run_decider()
        assert steps.runs.total() == 400 + 101
        context = made.client.result("o").context
        numbers = [2 if number == 399 else 1 for number in range(500)]
        assert [context[f"a{number}"] for number in range(500)] == numbers
        assert context["n"] == 1


def answer(made: ServedFlow, decisions: list[Decision]) -> None:
    """Answer a decision task as the flow's decider would, without reading the history for it."""
    task_list: Any = {"name": NAME}
    found = made.raw.poll_for_decision_task(domain=DOMAIN, taskList=task_list, maximumPageSize=1)
    made.raw.respond_decision_task_completed(taskToken=found["taskToken"], decisions=decisions)


def test_parallel_branches_keep_their_results(steps: Steps) -> None:
    """Only the failed branch and what requires it run again, with all retries."""
    one = steps.activity("one")
    left, right = steps.activity("left", [one]), steps.activity("right", [one], retry=1)
    last = steps.activity("last", [left, right])
    flow = SimpleNamespace(domain=DOMAIN, name=NAME, one=one, left=left, right=right, last=last)
    with failed(flow, steps, "right", "right", "right") as made:
        made.client.redrive("o")
        assert close(made, "o") is Status.COMPLETED
        assert steps.runs == {"one": 1, "left": 1, "right": 4, "last": 1}


def test_it_goes_on_from_a_named_activity(steps: Steps) -> None:
    """That activity runs again with all that requires it, and nothing beside it."""
    one = steps.activity("one")
    left, right = steps.activity("left", [one]), steps.activity("right", [one])
    last = steps.activity("last", [left, right])
    flow = SimpleNamespace(domain=DOMAIN, name=NAME, one=one, left=left, right=right, last=last)
    with failed(flow, steps, "last") as made:
        with pytest.raises(NotRedrivable, match="begins with 'tea'; there are: coffee_last, coffe"):
            made.client.redrive("o", "tea")
        with pytest.raises(NotRedrivable, match="Several activities begin with 'coffee_l'"):
            made.client.redrive("o", "coffee_l")
        made.client.redrive("o", "left")
        assert close(made, "o") is Status.COMPLETED
        assert steps.runs == {"one": 1, "left": 2, "right": 1, "last": 2}


def test_another_input_comes_with_the_kept_results(steps: Steps) -> None:
    """The results win over the input, as they do in a first run."""
    with failed(chain(steps, 2), steps, "a1", tags=["vip"]) as made:
        with pytest.raises(InputNotSendable, match="is not an object but a list"):
            made.client.redrive("o", input=[])  # type: ignore[arg-type]
        made.client.redrive("o", input={"n": 2, "a0": "input"})
        assert close(made, "o") is Status.COMPLETED
        result = made.client.result("o")
        assert (result.context["n"], result.context["a0"]) == (2, 1)


def test_a_redrive_starts_as_the_closed_run_was_started(steps: Steps) -> None:
    """Tags, timeouts and priority stay; a tag names the run before."""
    options: dict[str, Any] = {"tags": ["vip"], "timeout": 1000.0, "priority": 7}
    with failed(chain(steps, 2), steps, "a1", **options) as made:
        first = made.client.find("o")
        redriven = made.client.redrive("o")
        described = made.client.describe(redriven.execution)
        assert redriven.redrive_of == first
        assert described.summary.tags[0] == "vip"
        assert described.summary.redrive_of == first.run_id
        assert (described.timeout, described.priority) == (1000, 7)
        assert [each.redrive_of for each in made.client.list()] == [first.run_id, None]


def test_five_tags_leave_no_room_and_stay(steps: Steps) -> None:
    """The input still names the run before."""
    with failed(chain(steps, 2), steps, "a1", tags=list("abcde")) as made:
        first = made.client.find("o")
        made.client.redrive("o")
        assert made.client.list()[0].tags == tuple("abcde")
        assert made.client.redrive(first).is_new is False


def test_asked_twice_it_is_done_once(steps: Steps) -> None:
    """By id, by the closed run, at the same time, and after the new run has closed."""
    with failed(chain(steps, 2), steps, "a1") as made:
        first = made.client.find("o")
        new = made.client.redrive("o")
        assert new.is_new
        for asked in ("o", first, new.execution):
            again = made.client.redrive(asked)
            assert (again.execution, again.redrive_of, again.is_new) == (
                new.execution,
                first,
                False,
            )
        assert close(made, "o") is Status.COMPLETED
        assert made.client.redrive(first).execution == new.execution
        with pytest.raises(NotRedrivable, match="o completed: nothing of it is left to do"):
            made.client.redrive("o")
        assert len(made.client.list()) == 2


def test_a_race_of_two_is_won_by_one(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have found the closed run; the second is given the first's."""
    with failed(chain(steps, 2), steps, "a1") as made:
        first = made.client.find("o")
        new = made.client.redrive("o")
        found = iter([first])
        late = Client(made.client.flow)

        def find(id_: str | Execution) -> Execution:
            return id_ if isinstance(id_, Execution) else next(found, new.execution)

        monkeypatch.setattr(late, "find", find)
        again = late.redrive("o")
        assert (again.execution, again.is_new) == (new.execution, False)


def test_an_open_execution_is_not_redriven(steps: Steps) -> None:
    """Neither one that never closed, nor a closed run whose id another start has taken."""
    with failed(chain(steps, 2), steps, "a1") as made:
        first = made.client.find("o")
        made.client.start(id="o")
        for asked in ("o", first):
            with pytest.raises(AlreadyOpen):
                made.client.redrive(asked)


def test_terminated_and_timed_out_executions_go_on(steps: Steps) -> None:
    """Things that were open when they closed run again."""
    with served(chain(steps, 3)) as made:
        made.client.start(id="t", timeout=50)
        made.client.start(id="u")
        for turn in [made.run_decider] * 2 + [made.workers["coffee_a0"]] * 2:
            turn()
        made.client.terminate("u")
        made.swf.advance(60)
        assert steps.runs == {"a0": 2}
        for workflow_id in "tu":
            made.client.redrive(workflow_id)
            assert close(made, workflow_id) is Status.COMPLETED
        assert steps.runs == {"a0": 2, "a1": 2, "a2": 2}


def test_a_redrive_may_be_redriven(steps: Steps) -> None:
    """Results of all runs before it are kept, and named."""
    with failed(chain(steps, 4), steps, "a1", "a3") as made:
        runs = [made.client.find("o")]
        made.client.redrive("o")
        assert close(made, "o") is Status.FAILED
        runs.append(made.client.find("o"))
        redriven = made.client.redrive("o")
        assert (redriven.redrive_of, redriven.kept) == (runs[1], 3)
        assert made.client.redrive(runs[0]).execution == redriven.execution
        assert close(made, "o") is Status.COMPLETED
        assert steps.runs == {"a0": 1, "a1": 2, "a2": 1, "a3": 2}


def test_results_too_long_for_swf_take_a_claim_store(
    steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one the redrive is refused, and says so; a claim is not stored again."""
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}")
    steps.size = 40_000
    with failed(chain(steps, 3), steps, "a2") as made:
        stored = len([*tmp_path.rglob("*")])
        made.client.redrive("o")
        assert len([*tmp_path.rglob("*")]) == stored
        assert close(made, "o") is Status.COMPLETED
        assert len(made.client.result("o").context["a1.more"]) == 40_000


def test_results_too_long_for_swf_are_refused_without_a_claim_store(steps: Steps) -> None:
    """The sentence names the largest results, and two cures: both lead on."""
    steps.size = 20_000
    with failed(chain(steps, 4), steps, "a3") as made:
        steps.size = 0
        with pytest.raises(InputNotSendable) as caught:
            made.client.redrive("o")
        assert f"the largest results are {NAME}_a2-1 (20,0" in str(caught.value)
        assert "Set a claim store (GARCON_CLAIMS) here and for the deciders" in str(caught.value)
        assert len(made.client.list()) == 1
        made.client.redrive("o", "a1")
        assert close(made, "o") is Status.COMPLETED
        assert steps.runs == {"a0": 1, "a1": 2, "a2": 2, "a3": 2}


def test_a_result_follows_redrives(steps: Steps) -> None:
    """Asked for the first run, it is that of the last; the failure of the last is raised."""
    with failed(chain(steps, 4), steps, "a1", "a3") as made:
        first = made.client.find("o")
        with pytest.raises(Failed, match="a1 is broken"):
            made.client.result(first)
        made.client.redrive("o")
        with pytest.raises(Failed, match="a3 is broken"):
            made.client.result(first)
        made.client.redrive("o")
        assert made.client.result(first).context["a3"] == 2
        assert made.client.describe(first).summary.status is Status.FAILED


def test_runs_that_continue_as_new_are_redriven_and_followed(steps: Steps) -> None:
    """The inheritance of the last run is kept, and a redrive that continues is still one."""
    flow = chain(steps, 6)
    flow.continue_at = 12  # events: the run continues after two or three activities
    with failed(flow, steps, "a3") as made:
        first = made.client.find("o")
        assert made.client.count(["status=continued_as_new"]).number == 1
        made.client.redrive("o")
        assert close(made, "o") is Status.COMPLETED
        assert made.client.count(["status=continued_as_new"]).number >= 2
        assert steps.runs == {f"a{number}": 2 if number == 3 else 1 for number in range(6)}
        assert made.client.result(first).context["a5"] == 1
        continued = made.client.list(where=["status=continued_as_new"])[-1].execution
        with pytest.raises(NotRedrivable, match="continued as new; redrive the last run"):
            made.client.redrive(continued)


def test_a_result_follows_redrives_that_their_own_decider_continues_as_new(steps: Steps) -> None:
    """Such a run does not carry what was before it; a second redrive is still done once."""
    flow = SimpleNamespace(domain=DOMAIN, name=NAME, one=steps.activity("one"))

    def decider(schedule: Any, context: Any) -> None:
        schedule(f"s{context['n']}", flow.one).wait()
        if context["n"] < 3:
            schedule.continue_as_new({"n": context["n"] + 1})

    flow.decider = decider
    with failed(flow, steps, "one") as made:
        first = made.client.find("o")
        made.client.redrive("o")
        made.run_decider()
        steps.failures["one"] = 2
        made.workers[f"{NAME}_one"]()
        assert close(made, "o") is Status.FAILED
        steps.failures.clear()
        made.client.redrive("o")
        assert close(made, "o") is Status.COMPLETED
        assert made.client.result(first).execution == made.client.find("o")
        assert made.client.result(first).context["n"] == 3
        assert not made.client.redrive(first).is_new
        with pytest.raises(NotRedrivable, match="completed: nothing of it is left to do"):
            made.client.redrive("o")


def test_a_replay_fits_a_redriven_execution() -> None:
    """With a decider of one's own: its decisions after the kept ones are the same."""
    step = create(name="step", run=runner.Sync(nothing.fill()))
    broken = [True]

    def decider(schedule: Any) -> None:
        for number in range(4):
            schedule(f"s{number}", step).wait()
            schedule.side_effect(lambda: 1, id=f"e{number}")
            if number == 2 and broken:
                raise RuntimeError("A bug.")

    flow = SimpleNamespace(domain=DOMAIN, name=NAME, step=step, decider=decider)
    with served(flow) as made:
        made.client.start(id="o")
        assert close(made, "o") is Status.FAILED
        broken.clear()
        made.client.redrive("o")
        assert close(made, "o") is Status.COMPLETED
        assert [*replay.differences(flow, made.client.history("o"))] == []


@task.decorate(timeout=60)
def nothing() -> None:
    """Do nothing."""
