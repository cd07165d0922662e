"""The passing of time, and the effects of one input on other executions.

- Due actions happen in the order of their due times, each at its own time. Of two that are due in
  the same moment, work comes before the end of a poll window; so a poll whose window ends just as a
  task arrives gets the task.
- After every input and every due action the effects are settled: first those on other executions,
  then the end of executions whose history is full, then the matching of tasks and polls; so a
  priority counts among all tasks that one input has scheduled.
"""

from garcon.local.engine.executions import forget_expired, terminate
from garcon.local.engine.polling import end_window, match
from garcon.local.engine.world import World


def settle(world: World) -> None:
    """Carry out all pending effects."""
    while world.effects or world.full_executions or world.unmatched:
        if world.effects:
            world.effects.popleft()()
        elif world.full_executions:
            _end_full(world)
        else:
            task_list, _ = world.unmatched.popitem()
            match(world, task_list)


def _end_full(world: World) -> None:
    execution = world.full_executions.popleft()
    if execution.is_open:
        terminate(world, execution, "EVENT_LIMIT_EXCEEDED", {})


def next_due(world: World) -> float:
    """The time of the next due action, in seconds since the epoch; infinity without one."""
    return min(world.deadlines.least(), world.windows.least())


def run_until(world: World, now: float) -> None:
    """Carry out all that is due at or before `now`, each action at its own time."""
    while (due := next_due(world)) <= now:
        world.set_time(due)
        if world.deadlines.least() == due:
            world.deadlines.pop()()
        else:
            end_window(world, world.windows.pop())
        settle(world)
    world.set_time(now)
    forget_expired(world)
