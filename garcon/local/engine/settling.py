"""Time, and what one input leads to elsewhere.

- What is due happens in the order of due times, each thing at its own time. Between things due
  in the same moment, work comes before the ends of poll windows; so a poll that ends just as a
  task arrives gets the task.
- After every input, and after everything that was due, the world is brought to rest: first what
  goes from one execution to another, then the end of executions whose history is full, then the
  handing out of tasks; so a priority counts among all tasks that one input has scheduled.
"""

from garcon.local.engine.executions import forget_expired, terminate
from garcon.local.engine.polling import bring_together, end_window
from garcon.local.engine.world import World


def settle(world: World) -> None:
    """Bring the world to rest."""
    while world.effects or world.doomed or world.stirred:
        if world.effects:
            world.effects.popleft()()
        elif world.doomed:
            _end(world)
        else:
            task_list, _ = world.stirred.popitem()
            bring_together(world, task_list)


def _end(world: World) -> None:
    execution = world.doomed.popleft()
    if execution.is_open:
        terminate(world, execution, "EVENT_LIMIT_EXCEEDED", {})


def next_due(world: World) -> float:
    """When something is due next; infinity if nothing is."""
    return min(world.deadlines.least(), world.windows.least())


def run_until(world: World, now: float) -> None:
    """Let everything happen that is due at or before `now`, each thing at its own time."""
    while (due := next_due(world)) <= now:
        world.reach(due)
        if world.deadlines.least() == due:
            world.deadlines.pop()()
        else:
            end_window(world, world.windows.pop())
        settle(world)
    world.reach(now)
    forget_expired(world)
