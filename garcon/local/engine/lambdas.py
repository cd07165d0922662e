"""Lambda functions: the service calls them itself, here the shell does on the engine's behalf.

- Start follows scheduling at once. In an execution without a role they fail to start, with
  ASSUME_ROLE_FAILED; so they do here when there is no callable to run them. Which role it is does
  not matter.
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


def start(world: World, execution: Execution, run: LambdaRun) -> None:
    """The decisions that scheduled a function are done with: it is run, if it can be."""
    if not execution.is_open:
        return
    if not execution.config.lambda_role:
        _refuse(world, execution, run, "The execution has no lambdaRole")
    elif not world.lambda_available:
        _refuse(world, execution, run, "The local service was given no lambda functions")
    else:
        _hand_out(world, execution, run)


def _refuse(world: World, execution: Execution, run: LambdaRun, message: str) -> None:
    discard(world, execution, run)
    attributes = {
        "scheduledEventId": run.scheduled_id,
        "cause": "ASSUME_ROLE_FAILED",
        "message": message,
    }
    record(world, execution, "StartLambdaFunctionFailed", attributes)
    schedule_decision(world, execution)


def _hand_out(world: World, execution: Execution, run: LambdaRun) -> None:
    attributes = {"scheduledEventId": run.scheduled_id}
    run.started_id = record(world, execution, "LambdaFunctionStarted", attributes)
    if execution.doomed:
        return
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
