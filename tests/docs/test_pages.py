"""All pages: links lead somewhere, code fits a terminal and is Python where it says so."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, ROOT, blocks_of, every_page, outside_blocks

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\]\(([^)\s]+)\)")
COLUMNS = 80
MARKED = re.compile(r"^<!-- command: \w+ -->\n```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""Commands that CI takes out of a page."""


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = outside_blocks(page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).strip().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """A relative link names a file of the project, and its anchor a heading of that page."""
    dead = []
    for link in LINK.findall(outside_blocks(page.read_text(encoding="utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.name)
def test_code_fits_a_terminal(page: Path) -> None:
    """No line of a block is wider than 80 columns, but for the README's marked commands."""
    marked = MARKED.findall(page.read_text(encoding="utf-8"))
    wide = [
        f"{block.where}: {line}"
        for block in blocks_of(page)
        if block.text not in marked
        for line in block.text.splitlines()
        if len(line) > COLUMNS
    ]
    assert wide == []


@pytest.mark.parametrize("page", every_page(), ids=lambda page: page.name)
def test_python_is_python(page: Path) -> None:
    """Every block of Python can be parsed."""
    for block in blocks_of(page):
        if block.language == "python":
            ast.parse(block.text, block.where)


def test_pages_are_found() -> None:
    """The checks above look at the pages of the site and at those beside the code."""
    names = {str(each.relative_to(ROOT)) for each in every_page()}
    assert {"README.md", "docs/tutorial.md", "docs/reference.md"} <= names


def test_the_index_leads_to_every_page() -> None:
    """A page that the index or the site's navigation forgets is a page that no reader finds."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in DOCS.glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, page.name
        assert f" {page.name}\n" in navigation, page.name
