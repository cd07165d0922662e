"""SWF's limits on texts, in characters, and texts that are shortened to them.

Source: the SWF service model, version 2012-01-25.

Rules:

1. A text for people is cut and ends in a mark that says so. Inputs and results are never cut, see
   ``codec``.
2. Characters that UTF-8 cannot encode are written as escapes. A file name that could not be decoded
   holds such characters, and so does an error that names the file.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

from garcon.user_code.text import text_of, type_name

PAYLOAD = 32_768
DETAILS = 32_768
HEARTBEAT_DETAILS = 2_048
IDENTITY = 256
ACTIVITY_ID = 256
NAME = 256
VERSION = 64
TAGS = 5  # of one execution
TAG = 256
PRIORITIES = range(-(2**31), 2**31)
# SWF takes 256. The first 255 are documented, and users' tools match on them.
REASON = 255
# An execution lasts a year at most, so a longer timeout has no effect.
LONGEST_SECONDS = 31_536_000
MARK = " [cut]"
# In names and ids; API reference, RegisterActivityType, ScheduleActivityTask and others.
FORBIDDEN = re.compile(r"[:/|\x00-\x1f\x7f-\x9f]")
# Half of a surrogate pair, which no message can carry.
HALF_PAIR = re.compile("[\ud800-\udfff]")


def cut(text: str, limit: int) -> str:
    """The text if it fits, else its beginning and the mark: ``limit`` characters in all."""
    text = _escaped(text)
    return text if len(text) <= limit else text[: limit - len(MARK)] + MARK


def reason(error: object) -> str:
    """The first 255 characters of an error's text; the name of its type if it has none."""
    return _escaped(text_of(error) or type_name(error))[:REASON]


def _escaped(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def activity_id(text: str) -> str:
    """The id if SWF takes it, else its beginning and a hash of the whole, so it stays unique."""
    if len(text) <= ACTIVITY_ID:
        return text
    key = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return f"{text[: ACTIVITY_ID - len(key) - 1]}-{key}"


def name_fault(name: str, longest: int = NAME) -> str:
    """What SWF refuses in a name or version, as in "is empty"; empty if it takes it."""
    if not name:
        return "is empty"
    if len(name) > longest:
        return f"has {len(name)} characters, more than {longest}"
    if name == "arn":
        return "is reserved by SWF"
    if name != name.strip():
        return "begins or ends with a space"
    found = FORBIDDEN.search(name) or HALF_PAIR.search(name)
    return f"contains {found.group()!r}" if found else ""


def tags_fault(tags: Sequence[str]) -> str:
    """The reason why SWF takes no execution with these tags; empty if it does."""
    if len(tags) > TAGS:
        return f"SWF takes {TAGS} tags for an execution, not {len(tags)}."
    for tag in tags:
        if not 0 < len(tag) <= TAG:
            return f"A tag has 1 to {TAG} characters; {tag[:40]!r} has {len(tag)}."
        if HALF_PAIR.search(tag):
            return f"The tag {tag[:40]!r} holds half of a surrogate pair, which is not a character."
    return ""


def priority_fault(priority: int) -> str:
    """The reason why SWF takes no task of this priority; empty if it does."""
    if priority in PRIORITIES:
        return ""
    return f"A priority is between {PRIORITIES[0]:,} and {PRIORITIES[-1]:,}, not {priority!r}."


def seconds(number: Any) -> str:
    """A duration for SWF: whole seconds as text, rounded up, at most a year.

    A mock of a user's test stands for itself.
    """
    if not isinstance(number, Real | Decimal):
        return str(number)
    return str(min(math.ceil(float(number)), LONGEST_SECONDS))
