"""The simplest worker: one thread for each activity, for ever. The supervisor has a better one."""

import threading
from collections.abc import Iterable
from typing import Any

from garcon.activity.base import Activity
from garcon.activity.find import find_workflow_activities


class ActivityWorker:
    """Works for a flow's activities.

    Args:
        flow: The flow, a module or any object.
        activities: Names of the activities to work for, with or without the flow's name before
            them, or the activities themselves; all of the flow's if not given, and none if it is an
            empty list.

    Raises:
        ValueError: A name is none of the flow's activities.
    """

    def __init__(self, flow: Any, activities: Iterable[Any] | None = None) -> None:
        self.flow = flow
        self.flow_activities = find_workflow_activities(flow)
        wanted = self.flow_activities if activities is None else activities
        self.activities = [self._find(each) for each in wanted]

    def run(self) -> list[threading.Thread]:
        """Start one thread an activity, and return them; they keep the process alive."""
        threads = [
            threading.Thread(target=worker_runner, args=(activity,), name=activity.task_list)
            for activity in self.activities
        ]
        for thread in threads:
            thread.start()
        return threads

    def _find(self, wanted: Any) -> Activity:
        for activity in self.flow_activities:
            if wanted in (activity, activity.name, self._short(activity)):
                return activity
        known = ", ".join(str(self._short(activity)) for activity in self.flow_activities)
        raise ValueError(f"The flow has no activity {wanted!r}; it has: {known}.")

    def _short(self, activity: Activity) -> str:
        return str(activity.name).removeprefix(f"{getattr(self.flow, 'name', '')}_")


def worker_runner(worker: Any) -> None:
    """Run the worker as long as its ``run`` returns true."""
    while worker.run():
        pass
