"""The messages in the code: every text and pattern of text that a program may show."""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING

from tests import measures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VALUE = "…"
"""Stands for a value, on pages and here."""

_LOGGED = re.compile(r"%(?:\.\d+)?[sdrfg]")


@functools.cache
def messages() -> frozenset[str]:
    """All texts of both packages, with ``…`` for each value."""
    return frozenset(
        re.sub(f"{VALUE}+", VALUE, text) for path in measures.files() for text in _texts(path)
    )


def _texts(path: Path) -> Iterator[str]:
    comments: set[ast.AST] = set()
    for node in ast.walk(measures.tree_of(path)):  # a statement comes before its parts
        if node in comments:
            continue  # a docstring
        if isinstance(node, ast.Expr):
            comments.add(node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield _LOGGED.sub(VALUE, node.value)
        elif isinstance(node, ast.JoinedStr):
            yield "".join(_part(each) for each in node.values)


def _part(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else VALUE
