"""Redaction: secrets are left out of logs, of command output and of failure details at SWF.

Rules of this file:

1. A secret is recognised by the name beside it (``password=``, ``"api_key": "..."``), by its form
   if AWS defines one (an access key id), or by its place in an address (``//user:secret@host``).
2. Recognition has gaps: no code should log secrets. Inputs and results are never logged, unless
   ``--log-payloads`` asks for it.
3. Names and lengths remain: they help to find a fault.
"""

from __future__ import annotations

import json
import re
from typing import Any

HIDDEN = "[redacted]"

SHOWN = 2_000
"""Characters of a payload that are logged; the SWF history has all of it."""

_PATH_END = re.compile(r"/[\w.~-]{0,40}\Z")

_PLAIN = (
    r"pass(?:word|wd|phrase)|secret|authorization|cookie|(?:api|access|private|signing)[-_ ]?key"
)
_NAME = rf"(?:{_PLAIN}|token|credential|session[-_]?(?:key|id))"
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)

# All repetitions are bounded, so that any line is searched in linear time.
_REST = r"[\w.-]{0,40}"
_ASSIGNED = rf"{_NAME}{_REST}[\"']?\s{{0,4}}=|{_NAME}{_REST}[\"']\s{{0,4}}:"
# In prose a colon ends AWS's error codes, such as ExpiredTokenException, and sentences.
# Nor is a word its secret behind the name of a file or of an activity, as in "passwords.txt: File
# exists" and "myflow_secret-1: completed".
_FILE = rf"{_REST}(?:\.[a-z]{{1,5}}|-\d{{1,6}}):"
_IN_PROSE = rf"(?:{_PLAIN}|(?-i:token|TOKEN))(?!{_FILE}){_REST}:"
_VALUE = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&\"'(){}\[\]]+)"
_SECRET = re.compile(
    rf"(?P<name>(?:{_ASSIGNED}|{_IN_PROSE})\s{{0,4}}(?:(?:bearer|basic)\s{{1,4}})?){_VALUE}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|(?P<user>//[^/\s:@]{0,99}:)[^/\s]{1,999}(?=@)",
    re.IGNORECASE,
)

_HINTS = (
    *("pass", "secret", "token", "credential", "authori", "cookie", "key", "session"),
    *("akia", "asia", "@"),
)
"""Every match of ``_SECRET`` contains one of these; searching for them costs a tenth."""


def text(original: str) -> str:
    """The text without what looks like a secret."""
    return _SECRET.sub(_hide, original) if may_hold_secret(original) else original


def may_hold_secret(original: str) -> bool:
    """Whether the text, or one that it begins, may hold what looks like a secret."""
    low = original.lower()
    return any(each in low for each in _HINTS)


def _hide(found: re.Match[str]) -> str:
    if (found["name"] or "").rstrip().endswith(":") and _is_in_path(found):
        return found[0]
    return f"{found['name'] or found['user'] or ''}{HIDDEN}"


def _is_in_path(found: re.Match[str]) -> bool:
    """Whether the name ends a path, as in ``/run/secret: File exists``."""
    return bool(_PATH_END.search(found.string, max(0, found.start() - 41), found.start()))


def value(original: Any) -> Any:
    """The JSON value without what looks like a secret."""
    match original:
        case str():
            return text(original)
        case dict():
            return {name: _member(str(name), each) for name, each in original.items()}
        case list() | tuple():
            return [value(each) for each in original]
        case _:
            return original


def _member(name: str, each: Any) -> Any:
    return HIDDEN if _SECRET_NAME.search(name) and each not in (None, "") else value(each)


def payload(encoded: str | None) -> str:
    """An input or result in JSON as it is logged: redacted, and cut if it is long."""
    try:
        shown = json.dumps(value(json.loads(encoded or "null")), ensure_ascii=False)
    except (ValueError, RecursionError):
        shown = text(encoded or "")
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}… ({len(shown):,} characters)"
