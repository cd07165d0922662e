"""The public API, typed: mypy accepts what flows write, and refuses their mistakes.

The tests run as well, so the types cannot promise more than the package has. The functions named
``refused_…`` are never called: mypy reports an unused ``type: ignore`` where it refuses a line no
longer.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, assert_type

import garcon
from garcon import (
    Client,
    activity,
    claims,
    context,
    decider,
    event,
    log,
    param,
    retry,
    runner,
    task,
)
from garcon.activity import (
    Activity,
    ActivityExecution,
    ActivityFactory,
    ActivityInstance,
    ActivityState,
    AttemptOutcome,
    ExternalActivity,
)
from garcon.decider import DeciderWorker, Schedule
from garcon.history.states import State, Waitable
from garcon.payload.codec import EncodedPayload
from garcon.retry import Cause, Retry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# --- making activities ----------------------------------------------------------------------------


def on_exception(actor: Any, error: Exception) -> None:
    """Handle an error of an actor."""


@task.decorate(timeout=60, heartbeat=20)
def charge(activity: ActivityExecution, amount: int) -> dict[str, str]:
    """Charge an amount, and report progress."""
    activity.heartbeat("half done")
    return {"receipt": f"{activity.activity_id}: {amount}"}


@task.timeout(30)
def ship(context: Mapping[str, Any], activity: ActivityExecution) -> None:
    """Ship without naming what it needs."""


@task.list
def both(context: Mapping[str, Any]) -> Iterator[task.FilledTask]:
    """Charge twice."""
    yield charge.fill(amount="first")
    yield charge.fill(amount="second", namespace="second")


def orders(context: Mapping[str, Any]) -> list[dict[str, int]]:
    """One instance for each order."""
    return [{"order": order} for order in context["orders"]]


def test_both_call_forms_of_create_are_typed() -> None:
    """The documented and the released form return the same factory, by position and by name."""
    client: Any = SimpleNamespace()
    forms = (
        activity.create("shop"),
        activity.create("shop", "orders"),
        activity.create("shop", "orders", "2.0", on_exception),
        activity.create(domain="shop", name="orders", on_exception=on_exception),
        activity.create(None, "shop", "orders"),
        activity.create(client, "shop", "orders", "2.0", on_exception),
        activity.create(client=client, domain="shop", workflow_name="orders", version="2.0"),
    )
    assert_type(forms[1], ActivityFactory)
    assert all(isinstance(form, ActivityFactory) for form in forms)


def test_all_options_of_an_activity_are_typed() -> None:
    """Every documented option is accepted in its documented types."""
    create = activity.create("shop", "orders")
    first = create(name="charge", run=runner.Sync(charge.fill(amount="amount")), requires=[])
    second = create(
        name="ship",
        tasks=[ship],
        requires=[first],
        retry=3,
        generators=[orders],
        schedule_to_start=60,
        on_exception=on_exception,
        restartable=True,
        priority=5,
    )
    third = create(name="both", run=runner.Async(both, max_workers=2), retry=Retry(on=OSError))
    fourth = create(name="bare", run=ship, generator=[orders], retry=None)
    external = create(name="bake", external=True, timeout=60, heartbeat=5, requires=[second])
    assert_type(second, Activity)
    assert_type(external, ExternalActivity)
    assert [made.name for made in (third, fourth)] == ["orders_both", "orders_bare"]
    assert external.run() is False


def refused_options() -> None:
    """Misspelt and mistyped options."""
    create = activity.create("shop", "orders")
    create(name="charge", retires=3)  # type: ignore[call-overload]
    create(run=ship)  # type: ignore[call-overload]  # without a name
    create(name=7)  # type: ignore[call-overload]
    create(name="charge", retry="3")  # type: ignore[call-overload]
    create(name="charge", requires=charge)  # type: ignore[call-overload]
    create(name="charge", requires=["orders_ship"])  # type: ignore[list-item]
    create(name="charge", run=3)  # type: ignore[call-overload]
    create(name="charge", schedule_to_start="60")  # type: ignore[call-overload]
    create(name="bake", external=True)  # type: ignore[call-overload]  # without a timeout
    create(name="charge", timeout=60)  # type: ignore[call-overload]  # tasks have timeouts
    activity.create()  # type: ignore[call-overload]
    activity.create("shop", "orders", retry=3)  # type: ignore[call-overload]


# --- tasks ----------------------------------------------------------------------------------------


def test_a_decorated_task_keeps_its_signature() -> None:
    """It can still be called as the function it is, and be filled."""
    execution = ActivityExecution(None, "orders_charge-1", "token", '{"amount": 3}')
    execution.client = SimpleNamespace(record_activity_task_heartbeat=lambda **_: {})
    result = charge(execution, amount=3)
    assert_type(result, dict[str, str])
    filled = charge.fill(amount=param.StaticParam(3), namespace="paid")
    assert_type(filled, task.FilledTask)
    assert filled({}, activity=execution) == {"paid.receipt": result["receipt"]}
    assert_type(execution.context, dict[str, Any])
    assert_type(execution.time_left, float)
    assert_type(execution.cancel_requested, bool)


def refused_tasks(execution: ActivityExecution) -> None:
    """Calls that the function does not accept."""
    charge(execution, amount="3")  # type: ignore[arg-type]
    charge(execution)  # type: ignore[call-arg]
    task.decorate(timeout="60")  # type: ignore[arg-type]
    execution.beat()  # type: ignore[attr-defined]


# --- a flow's own decider -------------------------------------------------------------------------

CREATE = activity.create("shop", "orders")
CHARGE = CREATE(name="charge", run=runner.Sync(charge.fill(amount="amount")))


def decide(schedule: Schedule, context: dict[str, Any]) -> None:
    """Use every verb of a decider."""
    charged = schedule("charge", CHARGE, requires=[], input={"amount": 3}, may_fail=True)
    assert_type(charged, ActivityState)
    charged.wait()
    day = schedule.timer("day", 24 * 3600)
    assert_type(day, State)
    approval = schedule.signal("approval")
    assert_type(approval, Waitable)
    if schedule.any_of(approval, day).first is day:
        schedule.cancel(approval)
    schedule.all_of(charged, schedule.child("child", SimpleNamespace(name="other"))).wait()
    schedule.lambda_("thumbnail", "shrink", input={"picture": 1}, timeout=30)
    schedule.marker("stage", {"number": 2})
    schedule.side_effect(lambda: 4)
    assert_type(schedule.version("rounding", 2), int)
    schedule.continue_as_new(context)


def refused_decisions(schedule: Schedule) -> None:
    """Mistakes of a decider."""
    schedule("charge", charge)  # type: ignore[arg-type]  # a task, not an activity
    schedule("charge", CHARGE, requires=[CHARGE])  # type: ignore[list-item]  # not a state
    schedule.timer("day", "tomorrow")  # type: ignore[arg-type]
    schedule.timmer("day", 1)  # type: ignore[attr-defined]


def test_the_objects_that_flows_receive_are_public() -> None:
    """They can be imported from the package, for annotations."""
    assert_type(garcon.Schedule, type[Schedule])
    assert garcon.Schedule is decider.Schedule is Schedule
    assert garcon.ActivityExecution is activity.ActivityExecution is ActivityExecution
    assert callable(decide)


# --- workers and the steps of an activity ---------------------------------------------------------


def serve(flow: Any) -> None:
    """Poll, attempt and respond, as a worker of one's own does."""
    worker = DeciderWorker(flow, register=False, sticky=True)
    assert_type(worker.run("me"), bool)
    for one in activity.find_workflow_activities(flow):
        execution = one.poll_for_activity("me")
        assert_type(execution, ActivityExecution)
        if execution:
            outcome = one.attempt(execution)
            assert_type(outcome, AttemptOutcome)
            assert_type(one.respond(execution, outcome), bool)
    activity.worker_runner(activity.ActivityWorker(flow, ["charge"]))


def test_instances_and_their_numbers_are_typed() -> None:
    """Timeouts are numbers of seconds, and the input is a dictionary."""
    (instance,) = CHARGE.instances({"amount": 3})
    assert_type(instance, ActivityInstance)
    assert_type(instance.id, str)
    assert_type(instance.schedule_to_close, float)
    assert_type(instance.create_execution_input(), dict[str, Any])
    assert (instance.retry, instance.timeout) == (0, 60)


def test_an_outcome_holds_its_encoded_result() -> None:
    """The result that ``attempt`` gives is a text already."""
    outcome = activity.AttemptCompleted(EncodedPayload("{}"))
    assert_type(outcome.result, EncodedPayload | None)
    assert outcome.result is not None
    assert_type(outcome.result.text, str)


# --- the rest -------------------------------------------------------------------------------------


def test_contexts_and_states_are_typed() -> None:
    """The functions of ``event``, ``context`` and ``log`` return what the reference documents."""
    assert_type(event.get_current_context([]), context.ExecutionContext)
    states = event.activity_states_from_events([])
    assert_type(states, dict[str, dict[str, ActivityState]])
    assert_type(log.get_logger_namespace({}), str)
    claims.configure(None)
    assert retry.TIMED_OUT[0] is Cause.START_TO_CLOSE


def client_of(flow: Any) -> Client:
    """A client for executions, imported from the package."""
    return Client(flow)


class OwnParam(param.BaseParam):
    """A param of one's own, with the requirements as a property."""

    @property
    def requirements(self) -> Iterator[str]:
        """One key."""
        yield "amount"

    def get_data(self, context: Mapping[str, Any]) -> int:
        """Twice the amount."""
        return 2 * int(context["amount"])


class OwnRunner(runner.BaseRunner):
    """A runner of one's own."""

    def execute(self, activity: Any, context: Mapping[str, Any]) -> dict[str, Any]:
        """Give the context back."""
        return dict(context)


def test_own_params_and_runners_fit() -> None:
    """They inherit from the documented bases."""
    made = CREATE(name="own", run=OwnRunner(charge.fill(amount=OwnParam())))
    assert made.execute_activity({"amount": 3}) == {"amount": 3}
