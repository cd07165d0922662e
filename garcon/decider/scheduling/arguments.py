"""Checks of the arguments that a flow's decider passes, before a decision is made of them.

Otherwise SWF would refuse an id with a colon only when the decisions are sent, and Python would
report swapped arguments as a missing attribute: neither says what to do.
"""

import datetime as dt
import enum
import numbers
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from garcon.aws import limits
from garcon.errors import InvalidFlow
from garcon.flow.argument_checks import shown

_WITH_TEXT = (numbers.Number, dt.date, enum.Enum, uuid.UUID)
"""Types whose text is the same at every decision, as an id has to be."""

_FORM = "The form is schedule(id, activity, requires=None, input=None)."


def check_id(id_: Any, what: str) -> None:
    """Refuse an id that SWF would refuse.

    Args:
        id_: The id.
        what: Its owner's name, as in "The timer".

    Raises:
        InvalidFlow: It is not a text, is empty, or has characters that SWF does not allow in ids.
    """
    if not isinstance(id_, str) or not id_:
        raise InvalidFlow(f"{what} needs an id, a text, not {shown(id_)}.")
    if found := limits.FORBIDDEN.search(id_):
        raise InvalidFlow(
            f"{what} has the id {id_!r}: SWF does not allow {found.group()!r} in ids."
        )
    if id_ == "arn" or id_ != id_.strip():
        raise InvalidFlow(
            f"{what} has the id {id_!r}: SWF allows neither the word arn nor spaces at the ends."
        )


def check_schedule(id_: Any, activity: Any, values: Any) -> None:
    """Refuse invalid arguments of ``schedule``.

    Args:
        id_: The schedule id; a number, a date, a UUID or an enum's member stands for its text.
        activity: The activity.
        values: The input.

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
    check_id(str(id_) if isinstance(id_, _WITH_TEXT) else id_, name)
    if values is not None and not isinstance(values, Mapping):
        raise InvalidFlow(f"{name}: its input has to be a dictionary, not {shown(values)}.")


def check_requirements(requires: Any) -> None:
    """Refuse requirements that are not several states, such as a single one.

    Raises:
        InvalidFlow: They are not a list.
    """
    if isinstance(requires, str | bytes | Mapping) or not isinstance(requires, Iterable):
        raise InvalidFlow(
            f"requires= has to be a list of states, not {shown(requires)}. For one state write "
            "requires=[state]."
        )


def check_requirement(required: Any) -> None:
    """Refuse a requirement that cannot be waited for.

    Raises:
        InvalidFlow: It is not a state.
    """
    if not callable(getattr(required, "wait", None)):
        raise InvalidFlow(
            f"A decider requires {shown(required)}; it has to be a state that schedule, or one of "
            "its methods, returned."
        )
