"""The rules of Amazon SWF without a network: calls and a clock in, answers and wake-ups out.

Modules, from the outside in:

- `engine`, `messages`, `engine_settings`, `faults`, `queries`: the interface to a shell.
- `advance`, `world`, `entities`: time, pending effects, and the state.
- `executions`, `decision_tasks`, `activities`, `timers`, `lambdas`: the open items and their rules.
- `decisions`: the response of a decider. `requests`: the operations on one execution.
- `polling`, `task_views`: how tasks get to workers.
- `domains`, `registry`, `configuration`: domains, types, and the settings of executions.
- `visibility`, `history`, `paging`: the read operations.
- `checks`, `throttle`, `tokens`: refusals.
- `queues`, `wire`: tools.
"""

from garcon.local.engine.engine import Engine
from garcon.local.engine.engine_settings import Settings
from garcon.local.engine.faults import Fault
from garcon.local.engine.messages import (
    Answer,
    Body,
    Counters,
    Invocation,
    LostTask,
    Waiting,
    Wakeup,
)
from garcon.local.engine.polling import EMPTY_POLLS
from garcon.local.engine.queries import ExecutionSummary, TaskListSummary

__all__ = [
    "EMPTY_POLLS",
    "Answer",
    "Body",
    "Counters",
    "Engine",
    "ExecutionSummary",
    "Fault",
    "Invocation",
    "LostTask",
    "Settings",
    "TaskListSummary",
    "Waiting",
    "Wakeup",
]
