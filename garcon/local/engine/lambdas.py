"""Lambda functions: ScheduleLambdaFunction, and the run by the shell on the engine's behalf.

- The start follows scheduling at once. Without a role in the execution a function fails to start,
  with ASSUME_ROLE_FAILED; so it does here when the shell has no function to run. The name of the
  role does not matter.
- Start-to-close is the only timeout. A result that comes later is dropped, since the service no
  longer waits for it.
"""

from functools import partial

from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.decisions.decision_turn import DecisionRefused, DecisionTurn
from garcon.local.engine.entities import ExecutionRecord, LambdaRun
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body, Invocation
from garcon.local.engine.wire import pick, seconds
from garcon.local.engine.world import World

DEFAULT_TIMEOUT = "900"
"""Seconds: "if no value is supplied, then a default value of 900s is assumed"."""


def schedule(turn: DecisionTurn, request: Body) -> None:
    """ScheduleLambdaFunction."""
    execution, function_id = turn.execution, request["id"]
    if function_id in execution.lambdas:
        raise DecisionRefused("ID_ALREADY_IN_USE")
    if len(execution.lambdas) >= turn.world.settings.open_lambdas:
        raise DecisionRefused("OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED")
    timeout = request.get("startToCloseTimeout") or DEFAULT_TIMEOUT
    attributes = pick(request, "id", "name", "control", "input")
    run = LambdaRun(
        function_id=function_id,
        name=request["name"],
        input=request.get("input", ""),
        timeout=timeout,
        scheduled_id=turn.record(
            "LambdaFunctionScheduled", attributes | {"startToCloseTimeout": timeout}
        ),
    )
    execution.lambdas[function_id] = run
    turn.later(partial(_start, turn.world, execution, run))


def _start(world: World, execution: ExecutionRecord, run: LambdaRun) -> None:
    if not execution.is_open:
        return
    if not execution.config.lambda_role:
        _fail_to_start(world, execution, run, "The execution has no lambdaRole")
    elif not world.lambda_available:
        _fail_to_start(world, execution, run, "The local service was given no lambda functions")
    else:
        _invoke(world, execution, run)


def _fail_to_start(world: World, execution: ExecutionRecord, run: LambdaRun, message: str) -> None:
    discard(world, execution, run)
    attributes = {
        "scheduledEventId": run.scheduled_id,
        "cause": "ASSUME_ROLE_FAILED",
        "message": message,
    }
    record(world, execution, "StartLambdaFunctionFailed", attributes)
    schedule_decision(world, execution)


def _invoke(world: World, execution: ExecutionRecord, run: LambdaRun) -> None:
    attributes = {"scheduledEventId": run.scheduled_id}
    run.started_id = record(world, execution, "LambdaFunctionStarted", attributes)
    if execution.history_full:
        return
    run.clock = world.arm(seconds(run.timeout), partial(_time_out, world, run))
    run.invocation_id = f"{execution.run_id}/{run.scheduled_id}"
    world.lambda_runs[run.invocation_id] = (execution, run)
    world.invocations.append(
        Invocation(run.invocation_id, run.name, run.input, seconds(run.timeout))
    )


def finish(world: World, invocation_id: str, outcome: str, attributes: Body) -> bool:
    """Record the end of a function; False if its execution no longer waits for it."""
    if invocation_id not in world.lambda_runs:
        return False
    execution, run = world.lambda_runs[invocation_id]
    discard(world, execution, run)
    references = {"scheduledEventId": run.scheduled_id, "startedEventId": run.started_id}
    attributes = pick(attributes, *attributes) | references
    record(world, execution, f"LambdaFunction{outcome}", attributes)
    schedule_decision(world, execution)
    return True


def discard(world: World, execution: ExecutionRecord, run: LambdaRun) -> None:
    """Remove a function, without an event; its id is free again."""
    world.disarm(run.clock)
    world.lambda_runs.pop(run.invocation_id, None)
    del execution.lambdas[run.function_id]


def _time_out(world: World, run: LambdaRun) -> None:
    finish(world, run.invocation_id, "TimedOut", {"timeoutType": "START_TO_CLOSE"})
    world.counters.timeouts["LambdaFunctionTimedOut START_TO_CLOSE"] += 1
