"""The exceptions of the package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import garcon
from garcon.errors import GarconError


def own_exceptions() -> set[type[BaseException]]:
    """All exception classes that modules of the package define."""
    names = [each.name for each in pkgutil.walk_packages(garcon.__path__, "garcon.")]
    modules = [importlib.import_module(each) for each in names if not each.endswith("__main__")]
    return {
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, BaseException) and each.__module__.startswith("garcon.")
    }


def test_all_exceptions_have_one_base() -> None:
    """Callers can catch every exception that the library raises by itself."""
    found = own_exceptions()
    assert len(found) > 20
    assert [each for each in found if not issubclass(each, GarconError)] == []
