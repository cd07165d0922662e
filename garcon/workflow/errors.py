"""What goes wrong for whoever starts and watches executions; each text is a sentence.

Rules:

1. One base, ``WorkflowError``, so that a caller may catch all of it at once.
2. How an execution ended is an error where its result was asked for (``NotCompleted`` and heirs).
3. What SWF or the network said stays attached as the error's cause.
"""

from garcon.errors import GarconError
from garcon.workflow.values import Execution, Status


class WorkflowError(GarconError):
    """Base of all errors of ``garcon.Client``."""


class Refused(WorkflowError):
    """SWF did not take the call, or was not reached.

    Attributes:
        passing: Whether the same call may succeed later without anybody's doing.
    """

    def __init__(self, sentence: str, *, passing: bool) -> None:
        super().__init__(sentence)
        self.passing = passing


class NotFound(WorkflowError):
    """SWF knows no such execution, or none that is open where an open one is needed."""


class AlreadyOpen(WorkflowError):
    """An open execution has this id."""


class NotSendable(WorkflowError, ValueError):
    """SWF would not take what was given: too long, too many, not JSON."""


class NotAFlow(WorkflowError):
    """The text names no flow."""


class NotAHistory(WorkflowError, ValueError):
    """The file holds no history, or not the whole of one."""


class NotRepeatable(WorkflowError):
    """The activity cannot be run again: the history or the flow does not have it."""


class StillOpen(WorkflowError, TimeoutError):
    """The execution had not closed when the time to wait was over."""


class NotCompleted(WorkflowError):
    """The execution closed without completing.

    Attributes:
        execution: Which run it was.
        status: How it closed.
        reason: Why, in the words of who ended it.
        details: More, such as a decider's traceback.
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
    """A decider failed it (WorkflowExecutionFailed)."""


class TimedOut(NotCompleted):
    """It was open for longer than it may be (WorkflowExecutionTimedOut)."""


class Canceled(NotCompleted):
    """A decider agreed to cancel it (WorkflowExecutionCanceled)."""


class Terminated(NotCompleted):
    """It was ended from outside (WorkflowExecutionTerminated); ``reason`` may be SWF's cause."""
