"""Timers: started by a decider, fired by the clock or cancelled by a decider, once."""

from functools import partial

from garcon.local.engine.decision_tasks import schedule as schedule_decision
from garcon.local.engine.entities import Execution, Timer
from garcon.local.engine.history import record
from garcon.local.engine.wire import seconds
from garcon.local.engine.world import World


def enter(world: World, execution: Execution, timer: Timer, duration: str) -> None:
    """A timer has been started: it will fire unless it is cancelled."""
    execution.timers[timer.timer_id] = timer
    timer.clock = world.arm(seconds(duration), partial(_fire, world, execution, timer))


def discard(world: World, execution: Execution, timer: Timer) -> None:
    """Forget a timer that has ended; its id is free again."""
    world.disarm(timer.clock)
    del execution.timers[timer.timer_id]


def _fire(world: World, execution: Execution, timer: Timer) -> None:
    discard(world, execution, timer)
    attributes = {"timerId": timer.timer_id, "startedEventId": timer.started_id}
    record(world, execution, "TimerFired", attributes)
    schedule_decision(world, execution)
