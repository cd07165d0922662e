"""Errors of starting, watching and changing executions; the text of each is a sentence.

Rules:

1. ``WorkflowError`` is the base of all, so one ``except`` catches them.
2. ``Client.result`` raises the way in which an execution closed (``NotCompleted`` and its
   subclasses).
3. The error of SWF or of the network stays attached as the cause.
"""

from garcon.errors import GarconError
from garcon.executions.values import Execution, Status


class WorkflowError(GarconError):
    """Base of all errors of ``garcon.Client``."""


class RequestRefused(WorkflowError):
    """SWF refused the call, or was not reached.

    Attributes:
        transient: Whether the same call may succeed later without a change.
    """

    def __init__(self, sentence: str, *, transient: bool) -> None:
        super().__init__(sentence)
        self.transient = transient


class NotFound(WorkflowError):
    """SWF has no such execution, or no open one where the call needs an open one."""


class AlreadyOpen(WorkflowError):
    """An open execution has this id."""


class InputNotSendable(WorkflowError, ValueError):
    """An input or an option is invalid: too long, too many, not JSON."""


class NotAFlow(WorkflowError):
    """The text does not name a flow."""


class NotAHistory(WorkflowError, ValueError):
    """The file does not hold a history, or only a part of one."""


class NotRepeatable(WorkflowError):
    """The activity cannot be run again: the history or the flow does not have it."""


class NotAnswerable(WorkflowError):
    """The task of an activity cannot be taken, so that it could be answered."""


class NotRedrivable(WorkflowError):
    """The execution cannot be redriven: it completed, or has no such activity."""


class StillOpen(WorkflowError, TimeoutError):
    """The execution was still open when the caller's timeout was over."""


class NotCompleted(WorkflowError):
    """The execution closed without completing.

    Attributes:
        execution: The run.
        status: How it closed.
        reason: The reason given with the closing event, else SWF's cause.
        details: The details given with it, such as a decider's traceback.
    """

    def __init__(
        self,
        sentence: str,
        execution: Execution,
        status: Status,
        reason: str | None = None,
        details: str | None = None,
    ) -> None:
        super().__init__(sentence)
        self.execution = execution
        self.status = status
        self.reason = reason
        self.details = details


class Failed(NotCompleted):
    """The decider failed the execution (WorkflowExecutionFailed)."""


class TimedOut(NotCompleted):
    """The execution was open for longer than its timeout (WorkflowExecutionTimedOut)."""


class Canceled(NotCompleted):
    """The decider cancelled the execution (WorkflowExecutionCanceled)."""


class Terminated(NotCompleted):
    """The execution was terminated (WorkflowExecutionTerminated); ``reason`` may be SWF's cause."""
