"""Rates at which SWF refills the buckets of an account, for each operation (SWF Developer Guide).

These are the defaults; AWS raises each on request. Each operation has a bucket of its own.
"""

_OPERATIONS = {
    200.0: (
        *("PollForActivityTask", "PollForDecisionTask", "RespondActivityTaskCompleted"),
        *("RespondActivityTaskFailed", "RespondActivityTaskCanceled"),
        *("RespondDecisionTaskCompleted", "StartWorkflowExecution"),
    ),
    160.0: ("RecordActivityTaskHeartbeat",),
    60.0: (
        *("GetWorkflowExecutionHistory", "TerminateWorkflowExecution"),
        *("RegisterActivityType", "RegisterWorkflowType"),
    ),
    48.0: ("ListOpenWorkflowExecutions",),
    30.0: ("SignalWorkflowExecution", "RequestCancelWorkflowExecution"),
    6.0: (
        *("CountOpenWorkflowExecutions", "CountClosedWorkflowExecutions"),
        *("CountPendingActivityTasks", "CountPendingDecisionTasks"),
        *("DescribeActivityType", "DescribeWorkflowType", "DescribeWorkflowExecution"),
        *("ListClosedWorkflowExecutions", "ListActivityTypes", "ListWorkflowTypes"),
        *("DescribeDomain", "RegisterDomain", "ListDomains"),
    ),
}

REFILL = {name: rate for rate, names in _OPERATIONS.items() for name in names}
"""Calls a second that SWF takes of an account, by operation."""
