"""Task lists: tasks go in by priority, the greatest number first, then the oldest."""

from garcon.local.engine.entities import Task
from garcon.local.engine.world import World


def enqueue(world: World, task: Task) -> None:
    """Let a task be polled for."""
    task.place = task.task_list.tasks.push(-task.priority, task)
    world.stir(task.task_list)


def withdraw(task: Task) -> None:
    """Take a task out of its list; one that was polled has left it already."""
    if task.place is not None:
        task.task_list.tasks.withdraw(task.place)
