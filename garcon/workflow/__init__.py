"""Executions from outside: started, waited for, looked at, decided and done again.

``Client`` is for programs, ``python -m garcon`` for people. What is drawn and told comes from pure
functions over histories: ``timeline``, ``drawing``, ``picture``, ``progress``.
"""

from garcon.workflow.client import Client
from garcon.workflow.errors import (
    AlreadyOpen,
    Canceled,
    Failed,
    NotAFlow,
    NotAHistory,
    NotCompleted,
    NotFound,
    NotRepeatable,
    NotSendable,
    Refused,
    StillOpen,
    Terminated,
    TimedOut,
    WorkflowError,
)
from garcon.workflow.looking import News
from garcon.workflow.values import Description, Execution, Result, Status, Summary

__all__ = [
    "AlreadyOpen",
    "Canceled",
    "Client",
    "Description",
    "Execution",
    "Failed",
    "News",
    "NotAFlow",
    "NotAHistory",
    "NotCompleted",
    "NotFound",
    "NotRepeatable",
    "NotSendable",
    "Refused",
    "Result",
    "Status",
    "StillOpen",
    "Summary",
    "Terminated",
    "TimedOut",
    "WorkflowError",
]
