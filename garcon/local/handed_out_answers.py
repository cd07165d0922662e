"""The other programs of a driven flow: they answer the tasks that activities have handed out.

A function answers in place of the program that got the token, when nothing else is left to do. A
task without a function, as of a program that never answers, keeps its heartbeats until it times
out.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from garcon.activity import ActivityExecution
from garcon.activity.handed_out import HandedOutTasks
from garcon.activity.shared_throttling import SharedThrottling
from garcon.aws import limits

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

LOGGER = logging.getLogger("garcon.local")


def answer(client: "SWFClient", token: str, work: Callable[[], Any], what: str) -> None:
    """Answer a task with the JSON value that ``work`` returns, or fail it with its exception."""
    try:
        result = json.dumps(work())
    except Exception as error:  # user code: any failure is the activity's
        LOGGER.exception("%s failed.", what)
        client.respond_activity_task_failed(taskToken=token, reason=limits.reason(repr(error)))
    else:
        client.respond_activity_task_completed(taskToken=token, result=result)


class HandedOutAnswers:
    """Keeps the tasks that the flows' activities hand out, and answers them.

    Args:
        client: Calls the service.
        functions: The results by task list: functions of the activity's input.
        now: The service's time.
    """

    def __init__(
        self,
        client: "SWFClient",
        functions: Mapping[str, Callable[[Any], Any]],
        now: Callable[[], float],
    ) -> None:
        self._client = client
        self._functions = functions
        self._waiting: list[ActivityExecution] = []
        self._silent = HandedOutTasks(now, SharedThrottling())

    def keep(self, execution: ActivityExecution) -> None:
        """Note a task that was handed out."""
        if execution.activity_name in self._functions:
            self._waiting.append(execution)
        else:
            self._silent.add(execution)

    def answer_one(self) -> bool:
        """Answer the task that was handed out first; whether there was one."""
        if not self._waiting:
            return False
        execution = self._waiting.pop(0)
        name = str(execution.activity_name)
        work, given = self._functions[name], execution.context
        answer(self._client, str(execution.task_token), lambda: work(given), f"Answering {name}")
        return True

    def send_heartbeats(self) -> float:
        """Send those that are due; the seconds until the next one, infinity if there is none."""
        self._silent.send_due()
        return self._silent.wait
