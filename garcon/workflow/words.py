"""Texts for people: lengths of time, columns of a terminal, nothing that a terminal would obey."""

import unicodedata

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
TENTHS = 10  # seconds from which one decimal is enough


def duration(seconds: float) -> str:
    """A length of time in a few characters: ``0.12 s``, ``3 min 20 s``, ``2 d 4 h``."""
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds >= TENTHS else f"{seconds:.2f} s"
    for unit, name, small, small_name in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", 1, "s"),
    ):
        if seconds >= unit:
            left = int(seconds % unit // small)
            return f"{int(seconds // unit)} {name}" + (f" {left} {small_name}" if left else "")
    raise AssertionError("a minute is the smallest unit")


def printable(text: str) -> str:
    """The text in one line, without what a terminal or an XML reader would take for an order."""
    flat = " ".join(text.split())
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in flat)


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(map(_cell, text))


def fit(text: str, width: int) -> str:
    """The text in exactly so many columns, cut with an ellipsis or filled with spaces."""
    shown = text if cells(text) <= width else _cut(text, width - 1) + "…"
    return shown + " " * (width - cells(shown))


def _cut(text: str, width: int) -> str:
    taken = 0
    for number, each in enumerate(text):
        taken += _cell(each)
        if taken > width:
            return text[:number]
    return text


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
