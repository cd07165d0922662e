"""What looks like a secret is left out of what people read: logs, and what SWF is told of the dead.

Rules of this file:

1. A secret is known by the name beside it (``password=``, ``"api_key": "..."``), by its form where
   AWS gave it one (an access key id), or by its place in an address (``//user:secret@host``).
2. It is a net with holes, not a wall: nobody should log secrets. What is certain is that inputs and
   results are not logged at all, unless ``--log-payloads`` asks for it.
3. Names and lengths stay: they are what somebody who looks for a fault needs.
"""

from __future__ import annotations

import json
import re
from typing import Any

HIDDEN = "[redacted]"

SHOWN = 2_000
"""Characters of a payload that a line of the log shows: the rest is in SWF's history."""

_PLAIN = (
    r"pass(?:word|wd|phrase)|secret|authorization|cookie|(?:api|access|private|signing)[-_ ]?key"
)
_NAME = rf"(?:{_PLAIN}|token|credential|session[-_]?(?:key|id))"
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)

# All repeats have bounds: a line of any length and content is searched in linear time.
_REST = r"[\w.-]{0,40}"
_ASSIGNED = rf"{_NAME}{_REST}[\"']?\s{{0,4}}=|{_NAME}{_REST}[\"']\s{{0,4}}:"
# In prose a colon ends AWS's error codes, such as ExpiredTokenException, and sentences.
_TOLD = rf"(?:{_PLAIN}|(?-i:token|TOKEN)){_REST}:"
_VALUE = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&\"'(){}\[\]]+)"
_SECRET = re.compile(
    rf"(?P<name>(?:{_ASSIGNED}|{_TOLD})\s{{0,4}}(?:(?:bearer|basic)\s{{1,4}})?){_VALUE}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|(?P<user>//[^/\s:@]{1,99}:)[^/\s@]{1,999}(?=@)",
    re.IGNORECASE,
)

_HINTS = (
    *("pass", "secret", "token", "credential", "authori", "cookie", "key", "session"),
    *("akia", "asia", "@"),
)
"""One of these is in whatever ``_SECRET`` finds; to look for them costs a tenth."""


def text(said: str) -> str:
    """The same text without what looks like a secret."""
    low = said.lower()
    return _SECRET.sub(_hide, said) if any(each in low for each in _HINTS) else said


def _hide(found: re.Match[str]) -> str:
    return f"{found['name'] or found['user'] or ''}{HIDDEN}"


def value(said: Any) -> Any:
    """The same JSON value without what looks like a secret."""
    match said:
        case str():
            return text(said)
        case dict():
            return {name: _member(str(name), each) for name, each in said.items()}
        case list() | tuple():
            return [value(each) for each in said]
        case _:
            return said


def _member(name: str, each: Any) -> Any:
    return HIDDEN if _SECRET_NAME.search(name) and each not in (None, "") else value(each)


def payload(said: str | None) -> str:
    """An input or result in JSON as the log shows it: redacted, and not too long."""
    try:
        shown = json.dumps(value(json.loads(said or "null")), ensure_ascii=False)
    except (ValueError, RecursionError):
        shown = text(said or "")
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}… ({len(shown):,} characters)"
