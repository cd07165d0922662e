"""The rules of Amazon SWF without a network: calls and a clock in, answers and wake-ups out.

Where to read what, from the outside in:

- `engine`, `messages`, `settings`, `faults`, `queries`: what a shell sees.
- `settling`, `world`, `entities`: time, what happens next, and what exists.
- `executions`, `decision_tasks`, `activities`, `timers`, `lambdas`: what lives, and its rules.
- `decisions`: what deciders decide. `requests`: what callers ask of executions.
- `polling`, `tasklists`, `showing`: how tasks get to workers.
- `domains`, `registry`, `configuration`: domains, types, and what executions take from them.
- `visibility`, `history`, `paging`: looking at it all.
- `checks`, `throttle`, `tokens`, `finding`: what is refused, and why.
- `heap`, `bucket`, `ids`, `wire`: tools.
"""

from garcon.local.engine.engine import Engine
from garcon.local.engine.faults import Fault
from garcon.local.engine.messages import Answer, Body, Counters, Invocation, Waiting, Wakeup
from garcon.local.engine.polling import EMPTY_POLLS
from garcon.local.engine.queries import ExecutionSummary, TaskListSummary
from garcon.local.engine.settings import Settings

__all__ = [
    "EMPTY_POLLS",
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
