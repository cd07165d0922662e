"""Rules of the doctor about the source of a flow's module: what its objects no longer show."""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from garcon.activity import Activity, ActivityWorker
from garcon.decider import DeciderWorker
from garcon.doctor.findings import Finding

_NOT_JSON = frozenset({"Decimal", "bytes", "date", "datetime", "frozenset", "now", "set", "today"})
"""Names of functions whose results JSON does not have."""


def examine(module: ModuleType) -> Iterator[Finding]:
    """The findings about a module's source and its classes."""
    yield from _overrides(module)
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):  # no source: frozen, or typed at a prompt
        return
    for node in ast.walk(tree):
        where = f"{module.__file__}, line {getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Call):
            yield from _call(node, where)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            yield from _returned(node.value, where)


def _overrides(module: ModuleType) -> Iterator[Finding]:
    """Workers of one's own: a supervisor runs garcon's."""
    for name, found in vars(module).items():
        if not inspect.isclass(found) or found.__module__ != module.__name__:
            continue
        for base in (DeciderWorker, ActivityWorker):
            if issubclass(found, base):
                methods = sorted(
                    each for each in vars(found) if callable(getattr(base, each, None))
                )
                yield Finding(
                    "own-worker",
                    f"class {name}",
                    f"It overrides {', '.join(methods) or 'nothing'} of {base.__name__}. Its own "
                    "run() calls these, as in 1.x; `python -m supervisor` runs garcon's class.",
                    "Run it in a loop of your own, or move the change into the flow or its tasks.",
                )
        if issubclass(found, Activity) and {"run", "poll_for_activity"} & vars(found).keys():
            yield Finding(
                "own-loop",
                f"class {name}",
                "It overrides run or poll_for_activity of Activity. ActivityWorker calls them, as "
                "in 1.x; `python -m supervisor` polls by itself.",
                "Override execute_activity, which both call.",
            )


def _call(node: ast.Call, where: str) -> Iterator[Finding]:
    options = {each.arg for each in node.keywords}
    if "generator" in options and "name" in options:
        yield Finding(
            "generator-option",
            where,
            "generator= makes one instance in 1.x, which ignores it, with the id …-1; here each "
            "dictionary of the generator is an instance with an id of its own.",
            "Let running executions end first, or remove the option.",
        )
    if _name(node.func) == "ActivityWorker" and ("activities" in options or len(node.args) > 1):
        yield Finding(
            "chosen-activities",
            where,
            "1.x ignores names in activities= that the flow does not have, and short ones; here "
            "short names count, and an unknown one is an error.",
            "Check the names.",
        )


def _returned(values: ast.Dict, where: str) -> Iterator[Finding]:
    for value in values.values:
        if _is_not_json(value):
            yield Finding(
                "result-not-json",
                where,
                f"It returns {ast.unparse(value)}, which JSON does not have. 1.x fails each "
                "attempt; here the activity fails once, with a reason that says NotSendable.",
                "Return a list, a number or a text.",
            )


def _is_not_json(value: Any) -> bool:
    if isinstance(value, ast.Set | ast.SetComp):
        return True
    if isinstance(value, ast.Constant):
        return isinstance(value.value, bytes)
    return isinstance(value, ast.Call) and _name(value.func) in _NOT_JSON


def _name(function: ast.expr) -> str:
    return str(getattr(function, "id", None) or getattr(function, "attr", ""))
