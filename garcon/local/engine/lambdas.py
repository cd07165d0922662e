"""Lambda functions: the service calls them itself, here the shell does on the engine's behalf.

- Start follows scheduling at once. Without a callable to run them they fail to start, with
  ASSUME_ROLE_FAILED, as they do in the service when an execution has no role.
- Start-to-close is the only timeout. A result that comes later is dropped, since the service
  has stopped waiting for it.
"""

from functools import partial

from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.entities import Execution, LambdaRun
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body, Invocation
from garcon.local.engine.wire import given, seconds
from garcon.local.engine.world import World


def enter(world: World, execution: Execution, run: LambdaRun) -> None:
    """A function has been scheduled: start it when the present decisions are done with."""
    execution.lambdas[run.function_id] = run
    world.later(partial(_start if world.lambda_available else _refuse, world, execution, run))


def _refuse(world: World, execution: Execution, run: LambdaRun) -> None:
    if not execution.is_open:
        return
    discard(world, execution, run)
    attributes = {
        "scheduledEventId": run.scheduled_id,
        "cause": "ASSUME_ROLE_FAILED",
        "message": "No function runs lambda functions here: give one to the local service",
    }
    record(world, execution, "StartLambdaFunctionFailed", attributes)
    schedule_decision(world, execution)


def _start(world: World, execution: Execution, run: LambdaRun) -> None:
    if not execution.is_open:
        return
    attributes = {"scheduledEventId": run.scheduled_id}
    run.started_id = record(world, execution, "LambdaFunctionStarted", attributes)
    run.clock = world.arm(seconds(run.timeout), partial(_time_out, world, run))
    run.invocation_id = f"{execution.run_id}/{run.scheduled_id}"
    world.lambda_runs[run.invocation_id] = (execution, run)
    world.invocations.append(
        Invocation(run.invocation_id, run.name, run.input, seconds(run.timeout))
    )


def finish(world: World, invocation_id: str, how: str, attributes: Body) -> bool:
    """Record the end of a function; False if nobody waits for it any more."""
    if invocation_id not in world.lambda_runs:
        return False
    execution, run = world.lambda_runs[invocation_id]
    discard(world, execution, run)
    references = {"scheduledEventId": run.scheduled_id, "startedEventId": run.started_id}
    record(world, execution, f"LambdaFunction{how}", given(attributes, *attributes) | references)
    schedule_decision(world, execution)
    return True


def discard(world: World, execution: Execution, run: LambdaRun) -> None:
    """Forget a function that has ended; its id is free again."""
    world.disarm(run.clock)
    world.lambda_runs.pop(run.invocation_id, None)
    del execution.lambdas[run.function_id]


def _time_out(world: World, run: LambdaRun) -> None:
    finish(world, run.invocation_id, "TimedOut", {"timeoutType": "START_TO_CLOSE"})
    world.counters.timeouts["LambdaFunctionTimedOut START_TO_CLOSE"] += 1
