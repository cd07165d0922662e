"""The smallest registration with which an execution can be started, as on the wire."""

LIST = {"name": "l"}

KIND = {"name": "w", "version": "1"}

DOMAIN = {"name": "d", "workflowExecutionRetentionPeriodInDays": "1"}

WORKFLOW_TYPE = {
    "domain": "d",
    **KIND,
    "defaultTaskList": LIST,
    "defaultChildPolicy": "TERMINATE",
    "defaultTaskStartToCloseTimeout": "1000",
    "defaultExecutionStartToCloseTimeout": "100000",
}
