"""Executions of a flow: start them, wait for them, inspect and change them, decide them again.

``Client`` is the interface of programs, ``python -m garcon`` (``commands``) that of people.
``timeline``, ``terminal``, ``svg`` and ``progress`` are pure functions over histories.
"""

from garcon.executions.client import Client
from garcon.executions.criteria import Criteria
from garcon.executions.errors import (
    AlreadyOpen,
    Canceled,
    Failed,
    InputNotSendable,
    NotAFlow,
    NotAHistory,
    NotAnswerable,
    NotCompleted,
    NotFound,
    NotRedrivable,
    NotRepeatable,
    RequestRefused,
    StillOpen,
    Terminated,
    TimedOut,
    WorkflowError,
)
from garcon.executions.listing import Count
from garcon.executions.pending import Pending, PendingKind
from garcon.executions.redrive import Redriven
from garcon.executions.standstill import Standstill, StandstillCause
from garcon.executions.state_view import ExecutionView
from garcon.executions.values import Description, Execution, Result, Status, Summary
from garcon.executions.waiting import NewEvents

__all__ = [
    "AlreadyOpen",
    "Canceled",
    "Client",
    "Count",
    "Criteria",
    "Description",
    "Execution",
    "ExecutionView",
    "Failed",
    "InputNotSendable",
    "NewEvents",
    "NotAFlow",
    "NotAHistory",
    "NotAnswerable",
    "NotCompleted",
    "NotFound",
    "NotRedrivable",
    "NotRepeatable",
    "Pending",
    "PendingKind",
    "Redriven",
    "RequestRefused",
    "Result",
    "Standstill",
    "StandstillCause",
    "Status",
    "StillOpen",
    "Summary",
    "Terminated",
    "TimedOut",
    "WorkflowError",
]
