"""The simplest worker: one thread for each activity of a flow.

The supervisor's workers are processes, and survive crashes of the tasks.
"""

import threading
from collections.abc import Iterable
from typing import Any

from garcon.activity.activity import Activity
from garcon.activity.discovery import find_workflow_activities


class ActivityWorker:
    """Executes the activities of a flow in threads.

    Args:
        flow: The flow, a module or any object.
        activities: The activities to execute: names, with or without the flow's name before them,
            or the activities themselves; one name alone, too. All of the flow's if not given, or
            if there are none.

    Raises:
        ValueError: The flow has no activity of that name.
    """

    def __init__(self, flow: Any, activities: Iterable[Any] | None = None) -> None:
        self.flow = flow
        self.flow_activities = find_workflow_activities(flow)
        if isinstance(activities, str):
            activities = [activities]
        self.worker_activities = None if activities is None else list(activities)
        chosen = self.worker_activities or self.flow_activities
        self.activities = [self._find(choice) for choice in chosen]

    def run(self) -> None:
        """Execute the activities, each in a thread of its own, until every thread has ended."""
        threads = [
            threading.Thread(target=_serve, args=(activity,), name=activity.task_list)
            for activity in self.activities
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _find(self, choice: Any) -> Activity:
        for activity in self.flow_activities:
            if choice in (activity, activity.name, self._short(activity)):
                return activity
        known = ", ".join(str(self._short(activity)) for activity in self.flow_activities)
        raise ValueError(f"The flow has no activity {choice!r}; it has: {known}.")

    def _short(self, activity: Activity) -> str:
        return str(activity.name).removeprefix(f"{getattr(self.flow, 'name', '')}_")


def _serve(activity: Activity) -> None:
    try:
        worker_runner(activity)
    except SystemExit as error:  # which would end this thread without a word
        activity.logger.exception(
            "A task of %s called sys.exit(%s): this worker no longer polls its list, and the task "
            "is not answered. Let tasks raise another exception.",
            activity.task_list,
            error.code,
        )


def worker_runner(worker: Any) -> None:
    """Run the worker as long as its ``run`` returns true."""
    while worker.run():
        pass
