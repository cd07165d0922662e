"""The rules of Amazon SWF without a network: calls and a clock in, answers and wake-ups out."""

from garcon.local.engine.engine import Engine
from garcon.local.engine.faults import Fault
from garcon.local.engine.messages import Answer, Body, Counters, Invocation, Waiting, Wakeup
from garcon.local.engine.queries import ExecutionSummary, TaskListSummary
from garcon.local.engine.settings import Settings

__all__ = [
    "Answer",
    "Body",
    "Counters",
    "Engine",
    "ExecutionSummary",
    "Fault",
    "Invocation",
    "Settings",
    "TaskListSummary",
    "Waiting",
    "Wakeup",
]
