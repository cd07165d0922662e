"""Control characters in text that others wrote, such as a line break or ESC, made visible.

A line break in a reason could forge a log line, and an escape sequence reaches the terminal of
the reader of the log. Besides C0, DEL and C1 these are the line and paragraph separators, which
break lines, and the bidirectional controls, which reorder what is shown.
"""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_COLOUR = re.compile("\x1b\\[[0-9;]*m")

_REPORT_LINE = re.compile(r"\n(?=  )")

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    r"""The text on one line that no terminal obeys: ``\n`` for a line break, ``\x1b`` for ESC."""
    return _CONTROL.sub(_escaped, text)


def report_lines(text: str) -> list[str]:
    """The lines of a report: only a line break before an indented line was written by us."""
    return [escape(line) for line in _REPORT_LINE.split(text)]


def plain(text: str) -> str:
    """A line that was written to a terminal: without its colours, everything else escaped."""
    return escape(_COLOUR.sub("", text))


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")  # noqa: PLR2004 - one byte
