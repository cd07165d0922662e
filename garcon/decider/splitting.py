"""How many decisions SWF is sent at once; the rest follows in the next response.

Rules:

1. A response holds at most 100 decisions. SWF publishes no count, but a request may have 1 MB, and
   two frameworks that have run on SWF for years stop at 100. So do we: what they were not refused,
   we are not.
2. A response holds at most 900,000 characters of decisions; SWF counts headers and the token too.
3. What is left over comes with the next decision task, and a timer of no seconds brings that one at
   once. If that timer runs already, it does so.
4. Decisions keep their order, so one that closes the execution stays last.

Whoever decides from the history finds what was not sent as not begun, and wants it again.
"""

import json

from garcon.decider.decisions import Decision, start_timer
from garcon.event import History
from garcon.lifecycles import TIMER
from garcon.timers import MORE_TIMER

DECISIONS = 100
SIZE = 900_000


def split(decisions: list[Decision], history: History) -> list[Decision]:
    """Those to send now, with the timer that brings the next task if some are left.

    Args:
        decisions: All that are wanted.
        history: What happened so far.
    """
    fitting = _fitting(decisions, DECISIONS)
    if len(fitting) == len(decisions):
        return decisions
    timer = history.things[TIMER.kind].get(MORE_TIMER)
    wake = [] if timer and timer.open else [start_timer(MORE_TIMER, 0)]
    return _fitting(decisions, DECISIONS - len(wake)) + wake


def _fitting(decisions: list[Decision], most: int) -> list[Decision]:
    size = 0
    for number, decision in enumerate(decisions[:most]):
        size += len(json.dumps(decision))
        if size > SIZE:
            return decisions[:number]
    return decisions[:most]
