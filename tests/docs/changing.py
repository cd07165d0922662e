"""A changed part of a Python file, put where a reader would put it.

Rule: a statement that has the name of one in the file replaces it; all imports together count as
one statement. A new statement stands in front of the next one that the file has, or at the end.
"""

from __future__ import annotations

import ast
import itertools
from typing import NamedTuple


class Statement(NamedTuple):
    """A statement at a module's top, or all of its imports.

    Attributes:
        name: Its name in the module; "imports" and "docstring" for these.
        text: Its lines.
    """

    name: str
    text: str

    @property
    def is_block(self) -> bool:
        """Whether two blank lines stand around it."""
        return self.text.startswith(("@", "def ", "class "))


def change(source: str, part: str) -> str:
    """The file with the part in it."""
    statements = _statements(source)
    position = len(statements)
    for new in reversed(_statements(part)):
        names = [each.name for each in statements]
        if new.name in names:
            position = names.index(new.name)
            statements[position] = new
        else:
            statements.insert(position, new)
    first, *rest = statements
    pairs = itertools.pairwise([first, *rest])
    return first.text + "\n" + "".join(f"{_gap(*pair)}{pair[1].text}\n" for pair in pairs)


def _statements(source: str) -> list[Statement]:
    lines = source.splitlines()
    groups = itertools.groupby(ast.parse(source).body, _group)
    return [_statement(name, list(nodes), lines) for name, nodes in groups]


def _statement(name: str, nodes: list[ast.stmt], lines: list[str]) -> Statement:
    decorators: list[ast.expr] = getattr(nodes[0], "decorator_list", [])
    first = min([nodes[0].lineno, *(each.lineno for each in decorators)])
    return Statement(name, "\n".join(lines[first - 1 : nodes[-1].end_lineno]))


def _group(node: ast.stmt) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "imports"
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    return str(getattr(node, "name", "docstring"))


def _gap(before: Statement, after: Statement) -> str:
    if before.is_block or after.is_block:
        return "\n\n"
    return "\n" if {before.name, after.name} & {"imports", "docstring"} else ""
