"""The ``backlog`` sidecar: counts the tasks that wait for a worker, for ``--scale``.

Rules:

1. Each list has a turn once an interval, and the lists are spread over it. Whether a turn is spent
   on a count (CountPendingActivityTasks, CountPendingDecisionTasks) is a matter of chance in a
   fleet (``count_pace``). A turn without a count is reported as such: the core then judges by the
   pool itself.
2. A count is attempted once: the next turn is the retry.
3. A failed count is skipped, and the pool keeps its size until counts succeed again. Each list has
   a line when that begins, once a minute while it lasts, and when it is over (``poll_backoff``).
4. Decisions that must not be counted, because the permission is missing, are not counted again: the
   list of a single decider is counted for a warning only.
5. The core decides what a count means for the pool.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from garcon import client
from garcon.aws import aws_errors
from garcon.aws.single_attempt import single_attempt
from supervisor import sidecars
from supervisor.child import swf_endpoint
from supervisor.child.poll_backoff import PollBackoff
from supervisor.ipc import messages
from supervisor.logs import log
from supervisor.sidecars.count_pace import CountPace

if TYPE_CHECKING:
    from supervisor.ipc.channel import Channel


def main(channel: Channel, order: messages.RunSidecar, _inputs: list[str]) -> None:
    """Count until the supervisor is gone, or asks this process to end."""
    swf_endpoint.use(order.swf)
    channel.send(messages.SidecarReady(order.name))
    counter = _Counter(channel, order)
    while not channel.closed:
        for task_list in order.lists:
            wait = counter.take_turn(task_list)
            if sidecars.has_ended(channel, max(wait, counter.seconds_to_next())):
                return


class _Counter:
    """Counts, and reports to the supervisor."""

    def __init__(self, channel: Channel, order: messages.RunSidecar) -> None:
        self._channel = channel
        self._domain = order.domain
        self._random = random.Random()
        # One a list: the success of one would look like the end of another's failure.
        self._backoffs = {each.name: PollBackoff(self._random) for each in order.lists}
        self._given_up: set[str] = set()
        self._pace = CountPace(order.hosts, len(order.lists), order.interval)

    def seconds_to_next(self) -> float:
        """Seconds to the turn of the next list."""
        return self._pace.wait(self._random)

    def take_turn(self, task_list: messages.TaskList) -> float:
        """Count one list, or report that it was not counted.

        Returns:
            The seconds to wait after a failure; 0 if there was none.
        """
        if task_list.name in self._given_up or not self._pace.is_due(self._random):
            self._channel.send(messages.Backlog(task_list.name, None))
            return 0.0
        try:
            response = self._count(task_list)
        except client.ERRORS as error:
            return self._note_failure(task_list, error)
        self._pace.note_accepted()
        lasted = self._backoffs[task_list.name].recovered(time.monotonic())
        if lasted is not None:
            log.LOGGER.warning("Counting waiting tasks recovered after %.1f s.", lasted)
        self._channel.send(
            messages.Backlog(
                task_list.name,
                response["count"],
                response.get("truncated", False),
                self._pace.counting,
            )
        )
        return 0.0

    def _count(self, task_list: messages.TaskList) -> Any:
        swf: Any = client.calling()
        decides = task_list.role is messages.Role.DECIDER
        count = swf.count_pending_decision_tasks if decides else swf.count_pending_activity_tasks
        with single_attempt(swf):
            return count(domain=self._domain, taskList={"name": task_list.name})

    def _note_failure(self, task_list: messages.TaskList, error: Exception) -> float:
        if aws_errors.is_busy(error):
            self._pace.note_refused()
        wait, log_due = self._backoffs[task_list.name].failed(time.monotonic())
        decides = task_list.role is messages.Role.DECIDER
        is_final = decides and not aws_errors.is_transient(error)
        if is_final:
            self._given_up.add(task_list.name)
        if log_due:
            kind = "Decision" if decides else "Activity"
            where = f"{self._domain}/{task_list.name}"
            what = f"counting the waiting tasks of {where} (swf:CountPending{kind}Tasks)"
            problem = client.explain(error, what)
            then = "It is not counted again." if is_final else "The pool keeps its size meanwhile."
            log.LOGGER.warning("%s %s", problem.sentence, then)
        return 0.0 if is_final else wait


if __name__ == "__main__":
    sidecars.run_sidecar(main, calls_swf=True)
