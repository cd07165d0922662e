"""Long polls: who waits, who is handed what, and when a wait ends.

- A task goes to the poll that has waited longest; the best task goes first.
- A poll that finds no work waits for its window, then gets the empty result: an empty token.
- The ghost: SWF does not see that a poller's connection has gone. Until the window ends the poll
  may still be handed a task, which is then started, heard of by nobody, and has to time out.
  This loses tasks in production when workers are killed, so it is so here unless switched off.
- PollForDecisionTask with a nextPageToken polls for nothing: it shows more of the history of the
  task that the token was given for, up to the event that started that task.
- The waiting tasks of a doomed execution are not handed out.
"""

from garcon.local.engine import activities, decision_tasks
from garcon.local.engine.domains import find_domain
from garcon.local.engine.entities import Activity, DecisionTask, Poll, Task, TaskKind, TaskList
from garcon.local.engine.faults import limit_exceeded
from garcon.local.engine.messages import Answer, Body, Waiting
from garcon.local.engine.showing import show_activity, show_decision, show_more
from garcon.local.engine.world import World

EMPTY: dict[TaskKind, Body] = {
    TaskKind.ACTIVITY: {"taskToken": "", "startedEventId": 0},
    TaskKind.DECISION: {"taskToken": "", "startedEventId": 0, "previousStartedEventId": 0},
}
"""What a poll gets at the end of its window."""

EMPTY_POLLS = {
    "PollForActivityTask": Answer(EMPTY[TaskKind.ACTIVITY]),
    "PollForDecisionTask": Answer(EMPTY[TaskKind.DECISION]),
}
"""The same by operation, for a shell that ends before a window does."""


def poll_for_activity_task(world: World, params: Body) -> Waiting:
    """PollForActivityTask."""
    return _wait(world, TaskKind.ACTIVITY, params)


def poll_for_decision_task(world: World, params: Body) -> Body | Waiting:
    """PollForDecisionTask."""
    if params.get("nextPageToken"):
        return show_more(world, params)
    return _wait(world, TaskKind.DECISION, params)


def _wait(world: World, kind: TaskKind, params: Body) -> Waiting:
    domain = find_domain(world, params["domain"])
    task_list = world.task_list(domain, kind, params["taskList"]["name"])
    if len(task_list.polls) >= world.settings.pollers:
        raise limit_exceeded(f"Task list {task_list.name} has {len(task_list.polls)} pollers")
    world.polls_made += 1
    poll = Poll(f"poll-{world.polls_made}", task_list, params)
    poll.window = world.windows.push(world.now + world.settings.poll_window, poll)
    world.polls[poll.poll_id] = task_list.polls[poll.poll_id] = poll
    world.stir(task_list)
    return Waiting(poll.poll_id)


def end_window(world: World, poll: Poll) -> None:
    """A poll has waited in vain for as long as the service holds it."""
    world.wake(poll, EMPTY[poll.task_list.kind])
    forget(world, poll)


def forget(world: World, poll: Poll) -> None:
    """A poll waits no longer."""
    if poll.window is not None:
        world.windows.withdraw(poll.window)
    del world.polls[poll.poll_id]
    del poll.task_list.polls[poll.poll_id]


def disconnect(world: World, poll_id: str) -> None:
    """The connection of a poll has gone."""
    poll = world.polls.get(poll_id)
    if poll is None:
        return
    if world.settings.ghosts:
        poll.ghost = True
    else:
        forget(world, poll)


def bring_together(world: World, task_list: TaskList) -> None:
    """Hand out tasks while there are both tasks and polls."""
    while task_list.tasks and task_list.polls:
        task = task_list.tasks.pop()
        poll = next(iter(task_list.polls.values()))
        _start(world, task, poll.params.get("identity", ""))
        if not task.execution.doomed:
            _hand_over(world, task, poll)


def _start(world: World, task: Task, identity: str) -> None:
    if isinstance(task, Activity):
        activities.start(world, task, identity)
    else:
        decision_tasks.start(world, task, identity)


def _hand_over(world: World, task: Task, poll: Poll) -> None:
    forget(world, poll)
    if poll.ghost:
        world.counters.ghosts += 1
        world.lost_tokens.add(task.token)
    elif isinstance(task, DecisionTask):
        world.wake(poll, show_decision(world, task, poll.params))
    else:
        world.wake(poll, show_activity(task))


OPERATIONS = {
    "PollForActivityTask": poll_for_activity_task,
    "PollForDecisionTask": poll_for_decision_task,
}
