"""A builder of histories in SWF's form: events with numbers, references and required members."""

from __future__ import annotations

import json
from typing import Any


class History:
    """A history under construction; each method adds events and returns the last one's number."""

    def __init__(self, workflow_input: Any = None) -> None:
        self.events: list[dict[str, Any]] = []
        self._scheduled: dict[str, int] = {}
        self._timers: dict[str, int] = {}
        started = {
            "childPolicy": "TERMINATE",
            "taskList": {"name": "flow"},
            "workflowType": {"name": "flow", "version": "1.0"},
            **({} if workflow_input is None else {"input": _text(workflow_input)}),
        }
        self.add("WorkflowExecutionStarted", **started)

    def add(self, kind: str, **attributes: Any) -> int:
        """An event of any type."""
        number = len(self.events) + 1
        member = f"{kind[0].lower()}{kind[1:]}EventAttributes"
        self.events.append({"eventId": number, "eventType": kind, member: attributes})
        return number

    def scheduled(self, name: str, activity_id: str | None = None) -> int:
        """An activity was scheduled."""
        activity_id = activity_id or f"{name}-1"
        self._scheduled[activity_id] = self.add(
            "ActivityTaskScheduled",
            activityType={"name": name, "version": "1.0"},
            activityId=activity_id,
            taskList={"name": name},
            decisionTaskCompletedEventId=0,
        )
        return self._scheduled[activity_id]

    def completed(self, activity_id: str, result: Any = None) -> int:
        """A scheduled activity completed."""
        members = {} if result is None else {"result": _text(result)}
        return self._closed("Completed", activity_id, **members)

    def failed(self, activity_id: str, reason: str = "broken") -> int:
        """A scheduled activity failed."""
        return self._closed("Failed", activity_id, reason=reason)

    def timed_out(self, activity_id: str, kind: str = "HEARTBEAT") -> int:
        """A scheduled activity timed out."""
        return self._closed("TimedOut", activity_id, timeoutType=kind)

    def canceled(self, activity_id: str) -> int:
        """A scheduled activity was cancelled."""
        return self._closed("Canceled", activity_id)

    def refused(self, name: str, cause: str, activity_id: str | None = None) -> int:
        """SWF did not schedule an activity."""
        return self.add(
            "ScheduleActivityTaskFailed",
            activityType={"name": name, "version": "1.0"},
            activityId=activity_id or f"{name}-1",
            cause=cause,
            decisionTaskCompletedEventId=0,
        )

    def timer_started(self, timer_id: str = "garcon-wait", seconds: str = "1") -> int:
        """A timer started."""
        self._timers[timer_id] = self.add(
            "TimerStarted",
            timerId=timer_id,
            startToFireTimeout=seconds,
            decisionTaskCompletedEventId=0,
        )
        return self._timers[timer_id]

    def timer_fired(self, timer_id: str = "garcon-wait") -> int:
        """A timer fired."""
        return self.add("TimerFired", timerId=timer_id, startedEventId=self._timers[timer_id])

    def timer_refused(self, cause: str, timer_id: str = "garcon-wait") -> int:
        """SWF did not start a timer."""
        return self.add(
            "StartTimerFailed", timerId=timer_id, cause=cause, decisionTaskCompletedEventId=0
        )

    def not_closed(self, cause: str, kind: str = "CompleteWorkflowExecutionFailed") -> int:
        """SWF did not close the execution."""
        return self.add(kind, cause=cause, decisionTaskCompletedEventId=0)

    def poll(self, **more: Any) -> dict[str, Any]:
        """The response of PollForDecisionTask with this history."""
        return {
            "taskToken": "token",
            "startedEventId": len(self.events),
            "previousStartedEventId": 0,
            "workflowExecution": {"workflowId": "workflow", "runId": "run"},
            "workflowType": {"name": "flow", "version": "1.0"},
            "events": self.events,
            **more,
        }

    def _closed(self, how: str, activity_id: str, **members: Any) -> int:
        scheduled = self._scheduled[activity_id]
        started = self.add("ActivityTaskStarted", scheduledEventId=scheduled)
        return self.add(
            f"ActivityTask{how}", scheduledEventId=scheduled, startedEventId=started, **members
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
