"""Troubleshooting by message: every quoted message is one that the code has."""

from __future__ import annotations

import re

from tests.docs.messages import VALUE, messages
from tests.docs.pages import DOCS

PAGE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^- `(.+?)`$", PAGE, re.MULTILINE)


def is_known(quoted: str) -> bool:
    """Whether the code has this text; values at its ends may be left out.

    A sentence about a call begins with the call, whose text in the code has no capital.
    """
    text = quoted.strip(f"{VALUE} ")
    return any(
        each in known for each in (text, text[:1].lower() + text[1:]) for known in messages()
    )


def test_every_quoted_message_is_in_the_code() -> None:
    """An operator who searches the page for a message of a program finds it word for word."""
    assert [each for each in QUOTED if not is_known(each)] == []


def test_the_page_has_messages() -> None:
    """The page's entries are found, and an invented message is not known."""
    assert len(QUOTED) > 50
    assert not is_known("The worker … has a headache.")


def test_no_message_is_quoted_twice() -> None:
    """Each message has one place."""
    assert len(set(QUOTED)) == len(QUOTED)
