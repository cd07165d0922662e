"""StartTimer and CancelTimer; a timerId is free again when its timer has ended."""

from garcon.local.engine import timers
from garcon.local.engine.decisions.turn import Refused, Turn
from garcon.local.engine.entities import Timer
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import given


def start(turn: Turn, request: Body) -> None:
    """StartTimer."""
    execution, timer_id = turn.execution, request["timerId"]
    if timer_id in execution.timers:
        raise Refused("TIMER_ID_ALREADY_IN_USE")
    if len(execution.timers) >= turn.world.settings.open_timers:
        raise Refused("OPEN_TIMERS_LIMIT_EXCEEDED")
    attributes = given(request, "timerId", "control", "startToFireTimeout")
    timer = Timer(timer_id, turn.record("TimerStarted", attributes))
    timers.enter(turn.world, execution, timer, request["startToFireTimeout"])


def cancel(turn: Turn, request: Body) -> None:
    """CancelTimer: a timer that has fired is unknown, even if the decider has not seen it."""
    timer = turn.execution.timers.get(request["timerId"])
    if timer is None:
        raise Refused("TIMER_ID_UNKNOWN")
    timers.discard(turn.world, turn.execution, timer)
    attributes = {"timerId": timer.timer_id, "startedEventId": timer.started_id}
    turn.record("TimerCanceled", attributes)
