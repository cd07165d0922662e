"""ScheduleLambdaFunction: without a timeout it has 900 seconds, the model's most."""

from functools import partial

from garcon.local.engine import lambdas
from garcon.local.engine.decisions.turn import Refused, Turn
from garcon.local.engine.entities import LambdaRun
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import given

DEFAULT_TIMEOUT = "900"
"""Seconds: "if no value is supplied, then a default value of 900s is assumed"."""


def schedule(turn: Turn, request: Body) -> None:
    """ScheduleLambdaFunction."""
    execution, function_id = turn.execution, request["id"]
    if function_id in execution.lambdas:
        raise Refused("ID_ALREADY_IN_USE")
    if len(execution.lambdas) >= turn.world.settings.open_lambdas:
        raise Refused("OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED")
    timeout = request.get("startToCloseTimeout") or DEFAULT_TIMEOUT
    attributes = given(request, "id", "name", "control", "input")
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
    turn.later(partial(lambdas.start, turn.world, execution, run))
