"""What a flow's decider passes on, looked at before anything is made of it.

SWF refuses an id with a colon only when the whole decision is sent, and Python says of two
arguments in the wrong order that a text has no attribute: neither says what to do.
"""

from collections.abc import Mapping
from typing import Any

from garcon import limits
from garcon.errors import InvalidFlow
from garcon.figures import shown

_FORM = "The form is schedule(id, activity, requires=None, input=None)."


def check_id(id_: Any, what: str) -> None:
    """Refuse an id that SWF would refuse, or that is none.

    Args:
        id_: What the decider gave.
        what: Names the thing, as in "The timer".

    Raises:
        InvalidFlow: It is no text, empty, or holds what SWF does not allow in ids.
    """
    if not isinstance(id_, str) or not id_:
        raise InvalidFlow(f"{what} needs an id, a text, not {shown(id_)}.")
    if found := limits.FORBIDDEN.search(id_):
        raise InvalidFlow(f"{what} has the id {id_!r}: SWF allows no {found.group()!r} in ids.")
    if id_ == "arn" or id_ != id_.strip():
        raise InvalidFlow(
            f"{what} has the id {id_!r}: SWF allows neither the word arn nor spaces at the ends."
        )


def check_schedule(id_: Any, activity: Any, given: Any) -> None:
    """Refuse what ``schedule`` cannot make anything of.

    Args:
        id_: The schedule id; a number stands for its text.
        activity: The activity.
        given: The input.

    Raises:
        InvalidFlow: With the form that is right.
    """
    if not callable(getattr(activity, "instances", None)):
        raise InvalidFlow(
            f"schedule was given {shown(id_)} as id and {shown(activity)} as activity. {_FORM}"
        )
    name = f"The activity {activity.name}"
    if callable(getattr(id_, "instances", None)):
        raise InvalidFlow(f"{name} was scheduled with an activity as id. {_FORM}")
    check_id(str(id_) if isinstance(id_, int) else id_, name)
    if given is not None and not isinstance(given, Mapping):
        raise InvalidFlow(f"{name}: its input has to be a dictionary, not {shown(given)}.")


def check_requirement(required: Any) -> None:
    """Refuse what cannot be waited for.

    Raises:
        InvalidFlow: It is no state.
    """
    if not callable(getattr(required, "wait", None)):
        raise InvalidFlow(
            f"A decider requires {shown(required)}; it has to be what schedule, or another of its "
            "verbs, returned."
        )
