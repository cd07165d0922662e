"""Timers: StartTimer, CancelTimer, and the firing by the clock.

A timer ends once, fired or canceled; then its timerId is free again.
"""

from functools import partial

from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.decisions.decision_turn import DecisionRefused, DecisionTurn
from garcon.local.engine.entities import ExecutionRecord, Timer
from garcon.local.engine.history import record
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import pick, seconds
from garcon.local.engine.world import World


def start(turn: DecisionTurn, request: Body) -> None:
    """StartTimer."""
    world, execution, timer_id = turn.world, turn.execution, request["timerId"]
    if timer_id in execution.timers:
        raise DecisionRefused("TIMER_ID_ALREADY_IN_USE")
    if len(execution.timers) >= world.settings.open_timers:
        raise DecisionRefused("OPEN_TIMERS_LIMIT_EXCEEDED")
    attributes = pick(request, "timerId", "control", "startToFireTimeout")
    timer = Timer(timer_id, turn.record("TimerStarted", attributes))
    execution.timers[timer_id] = timer
    fire = partial(_fire, world, execution, timer)
    timer.clock = world.arm(seconds(request["startToFireTimeout"]), fire)


def cancel(turn: DecisionTurn, request: Body) -> None:
    """CancelTimer: a timer that has fired is unknown, even before the decider has seen it."""
    timer = turn.execution.timers.get(request["timerId"])
    if timer is None:
        raise DecisionRefused("TIMER_ID_UNKNOWN")
    discard(turn.world, turn.execution, timer)
    attributes = {"timerId": timer.timer_id, "startedEventId": timer.started_id}
    turn.record("TimerCanceled", attributes)


def discard(world: World, execution: ExecutionRecord, timer: Timer) -> None:
    """Remove a timer, without an event."""
    world.disarm(timer.clock)
    del execution.timers[timer.timer_id]


def _fire(world: World, execution: ExecutionRecord, timer: Timer) -> None:
    discard(world, execution, timer)
    attributes = {"timerId": timer.timer_id, "startedEventId": timer.started_id}
    record(world, execution, "TimerFired", attributes)
    schedule_decision(world, execution)
