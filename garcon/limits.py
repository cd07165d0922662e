"""What SWF takes, in characters, and what becomes of a text that is longer.

The figures are those of the SWF service model, 2012-01-25. Texts for people are cut and carry a
mark, so that nobody takes the rest for the whole; texts that mean something (inputs, results) are
never cut, see ``payload``. What UTF-8 has no bytes for is spelled out in them: a file name that
could not be decoded holds such characters, and an error that names the file has them in its text.
"""

import hashlib
import math
import re

PAYLOAD = 32_768
DETAILS = 32_768
HEARTBEAT_DETAILS = 2_048
IDENTITY = 256
ACTIVITY_ID = 256
NAME = 256
# SWF takes 256; the first 255 are documented, and tools of people match on them.
REASON = 255
# No execution lasts longer than a year, so no longer timeout means anything.
LONGEST_SECONDS = 31_536_000
MARK = " [cut]"
# In names and ids, by the API reference (RegisterActivityType, ScheduleActivityTask and others).
FORBIDDEN = re.compile(r"[:/|\x00-\x1f\x7f-\x9f]")


def cut(text: str, limit: int) -> str:
    """The text if it fits, else its beginning and the mark, ``limit`` characters in all."""
    text = _spelled_out(text)
    return text if len(text) <= limit else text[: limit - len(MARK)] + MARK


def reason(error: object) -> str:
    """The first 255 characters of what the error says; of a silent one, its name."""
    return _spelled_out(str(error) or type(error).__name__)[:REASON]


def _spelled_out(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def activity_id(text: str) -> str:
    """The id itself if SWF takes it, else its beginning and a key of the whole: still unique."""
    if len(text) <= ACTIVITY_ID:
        return text
    key = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return f"{text[: ACTIVITY_ID - len(key) - 1]}-{key}"


def seconds(number: float) -> str:
    """A duration as decisions carry it: whole seconds, rounded up, at most a year."""
    return str(min(math.ceil(number), LONGEST_SECONDS))
