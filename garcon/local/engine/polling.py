"""Long polls: waiting polls, their windows, and the matching of polls and tasks.

- The task with the highest priority goes to the poll that has waited longest.
- A poll without a task waits until its window ends, then gets the empty result: event ids of 0 and
  no taskToken. The documentation names an empty token; the service leaves it out.
- The ghost poller: SWF does not see that a poller's connection is gone. Until the window ends the
  poll may still be given a task, which is then started without a worker and must time out. So tasks
  are lost in production when workers are killed; `Settings.ghosts` turns it off here.
- PollForDecisionTask with a nextPageToken takes no task: it returns a further page of the history
  of the token's task, up to the event that started that task.
- Tasks of an execution whose history is full are not given out.
"""

from garcon.local.engine import activities, decision_tasks
from garcon.local.engine.domains import find_domain
from garcon.local.engine.entities import (
    DecisionTask,
    OpenActivity,
    PendingPoll,
    Task,
    TaskKind,
    TaskQueue,
)
from garcon.local.engine.faults import limit_exceeded
from garcon.local.engine.messages import Answer, Body, LostTask, Waiting
from garcon.local.engine.task_views import activity_task, decision_task, further_page
from garcon.local.engine.world import World

EMPTY: dict[TaskKind, Body] = {
    TaskKind.ACTIVITY: {"startedEventId": 0},
    TaskKind.DECISION: {"startedEventId": 0, "previousStartedEventId": 0},
}
"""The answer to a poll at the end of its window."""

EMPTY_POLLS = {
    "PollForActivityTask": Answer(EMPTY[TaskKind.ACTIVITY]),
    "PollForDecisionTask": Answer(EMPTY[TaskKind.DECISION]),
}
"""The same by operation, for a shell that stops before a window ends."""


def poll_for_activity_task(world: World, params: Body) -> Waiting:
    """PollForActivityTask."""
    return _wait(world, TaskKind.ACTIVITY, params)


def poll_for_decision_task(world: World, params: Body) -> Body | Waiting:
    """PollForDecisionTask."""
    if params.get("nextPageToken"):
        return further_page(world, params)
    return _wait(world, TaskKind.DECISION, params)


def _wait(world: World, kind: TaskKind, params: Body) -> Waiting:
    domain = find_domain(world, params["domain"])
    task_list = world.task_list(domain, kind, params["taskList"]["name"])
    if len(task_list.polls) >= world.settings.pollers:
        raise limit_exceeded(f"Task list {task_list.name} has {len(task_list.polls)} pollers")
    world.polls_made += 1
    poll = PendingPoll(f"poll-{world.polls_made}", task_list, params)
    poll.window = world.windows.push(world.now + world.settings.poll_window, poll)
    world.polls[poll.poll_id] = task_list.polls[poll.poll_id] = poll
    world.match_later(task_list)
    return Waiting(poll.poll_id)


def end_window(world: World, poll: PendingPoll) -> None:
    """Answer a poll with the empty result."""
    world.wake(poll, EMPTY[poll.task_list.kind])
    forget(world, poll)


def forget(world: World, poll: PendingPoll) -> None:
    """Remove a poll without an answer."""
    if poll.window is not None:
        world.windows.withdraw(poll.window)
    del world.polls[poll.poll_id]
    del poll.task_list.polls[poll.poll_id]
    poll.task_list.served_at = world.now


def disconnect(world: World, poll_id: str) -> None:
    """Make a poll whose connection is gone a ghost, or remove it."""
    poll = world.polls.get(poll_id)
    if poll is None:
        return
    if world.settings.ghosts:
        poll.ghost = True
    else:
        forget(world, poll)


def match(world: World, task_list: TaskQueue) -> None:
    """Give tasks to polls while the list has both."""
    while task_list.tasks and task_list.polls:
        task = task_list.tasks.pop()
        poll = next(iter(task_list.polls.values()))
        name = poll.params.get("identity")
        _start(world, task, {"identity": name} if name else {})
        if not task.execution.history_full:
            _deliver(world, task, poll)


def _start(world: World, task: Task, identity: Body) -> None:
    if isinstance(task, OpenActivity):
        activities.start(world, task, identity)
    else:
        decision_tasks.start(world, task, identity)


def _deliver(world: World, task: Task, poll: PendingPoll) -> None:
    forget(world, poll)
    if poll.ghost:
        _lose(world, task, poll)
    elif isinstance(task, DecisionTask):
        world.wake(poll, decision_task(world, task, poll.params))
    else:
        world.wake(poll, activity_task(task))


def _lose(world: World, task: Task, poll: PendingPoll) -> None:
    world.counters.ghosts += 1
    world.lost_tokens.add(task.token)
    lost = LostTask(
        kind=poll.task_list.kind.value,
        name=task.activity_id if isinstance(task, OpenActivity) else "",
        workflow_id=task.execution.workflow_id,
        run_id=task.execution.run_id,
        task_list=poll.task_list.name,
        poller=poll.label,
    )
    world.lost_tasks.append(lost)


OPERATIONS = {
    "PollForActivityTask": poll_for_activity_task,
    "PollForDecisionTask": poll_for_decision_task,
}
