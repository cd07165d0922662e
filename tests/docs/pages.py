"""Pages of the documentation, and the blocks of code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^```(?P<info>[^`\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]*)"')


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: The word behind its fence; empty if there is none.
        title: Its title: the name of a file or of a terminal; empty if it has none.
        text: Its lines.
        where: Page and line, for messages.
    """

    language: str
    title: str
    text: str
    where: str


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    return [_block(each, text, page) for each in _BLOCK.finditer(text)]


def _block(found: re.Match[str], text: str, page: Path) -> Block:
    info = found["info"]
    title = _TITLE.search(info)
    where = f"{page.name}:{text.count(chr(10), 0, found.start()) + 1}"
    return Block(info.split(" ")[0], title[1] if title else "", found["text"], where)


def outside_blocks(text: str) -> str:
    """A page's text without its blocks of code."""
    return _BLOCK.sub("", text)


def every_page() -> list[Path]:
    """All pages that people read: those of the site, and those beside the code."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
