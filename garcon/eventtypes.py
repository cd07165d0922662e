"""The types of events that SWF has written into histories so far (API 2012-01-25, HistoryEvent)."""

import functools

EVENT_TYPES = frozenset(
    """
    WorkflowExecutionStarted WorkflowExecutionCancelRequested WorkflowExecutionCompleted
    CompleteWorkflowExecutionFailed WorkflowExecutionFailed FailWorkflowExecutionFailed
    WorkflowExecutionTimedOut WorkflowExecutionCanceled CancelWorkflowExecutionFailed
    WorkflowExecutionContinuedAsNew ContinueAsNewWorkflowExecutionFailed
    WorkflowExecutionTerminated DecisionTaskScheduled DecisionTaskStarted DecisionTaskCompleted
    DecisionTaskTimedOut ActivityTaskScheduled ScheduleActivityTaskFailed ActivityTaskStarted
    ActivityTaskCompleted ActivityTaskFailed ActivityTaskTimedOut ActivityTaskCanceled
    ActivityTaskCancelRequested RequestCancelActivityTaskFailed WorkflowExecutionSignaled
    MarkerRecorded RecordMarkerFailed TimerStarted StartTimerFailed TimerFired TimerCanceled
    CancelTimerFailed StartChildWorkflowExecutionInitiated StartChildWorkflowExecutionFailed
    ChildWorkflowExecutionStarted ChildWorkflowExecutionCompleted ChildWorkflowExecutionFailed
    ChildWorkflowExecutionTimedOut ChildWorkflowExecutionCanceled
    ChildWorkflowExecutionTerminated SignalExternalWorkflowExecutionInitiated
    SignalExternalWorkflowExecutionFailed ExternalWorkflowExecutionSignaled
    RequestCancelExternalWorkflowExecutionInitiated RequestCancelExternalWorkflowExecutionFailed
    ExternalWorkflowExecutionCancelRequested LambdaFunctionScheduled LambdaFunctionStarted
    LambdaFunctionCompleted LambdaFunctionFailed LambdaFunctionTimedOut
    ScheduleLambdaFunctionFailed StartLambdaFunctionFailed
    """.split()  # noqa: SIM905 - the 54 names read better without quotes
)


@functools.lru_cache(maxsize=128)  # there are 54; of files others may be read
def member_of(event_type: str) -> str:
    """The member in which an event of this type says what it has to say."""
    return f"{event_type[:1].lower()}{event_type[1:]}EventAttributes"
