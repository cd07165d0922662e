"""Timers and signals that garcon itself sends to a flow's executions: their names and purposes.

Running executions carry these names, so they never change.
"""

from garcon.aws import limits

OWN_TIMERS = "garcon-"
"""Prefix of all of them; a flow may not use it for its own timers."""

WAIT_TIMER = "garcon-wait"
"""Lifts SWF's transient refusals when it fires; an execution has at most one open."""

MORE_TIMER = "garcon-more"
"""Brings the next decision task at once, for the decisions that did not fit into one response."""

RETURN_TIMER = "garcon-hand-back"
"""Brings a decision task again that a decider returned undecided."""

WAKE_SIGNAL = "garcon-wake"
"""Brings a decision task at once, for an execution that waits for code that fits (``builds``)."""

RETRY_TIMER = "garcon-retry-"
"""Prefix of the timer that delays the retry of an activity; the activity's id follows."""


def retry_timer_id(activity_id: str) -> str:
    """The id of the timer that delays the retry of this activity."""
    return limits.activity_id(f"{RETRY_TIMER}{activity_id}")
