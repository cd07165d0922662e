"""The timers that the library starts in a flow's executions: what they are called, and what for."""

from garcon import limits

OWN_TIMERS = "garcon-"
"""How the names of all of them begin; a flow may not use such a name."""

WAIT_TIMER = "garcon-wait"
"""Lifts refusals that pass; one is open at a time in an execution."""

MORE_TIMER = "garcon-more"
"""Brings the decision that sends what did not fit into one answer."""

HAND_BACK_TIMER = "garcon-hand-back"
"""Brings the decision task back to whoever can decide it."""

REST_TIMER = "garcon-retry-"
"""On which an activity rests before its next try; its id follows."""


def rest_timer(activity_id: str) -> str:
    """The id of the timer on which an activity rests."""
    return limits.activity_id(f"{REST_TIMER}{activity_id}")
