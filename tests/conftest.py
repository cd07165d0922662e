"""The draws of property tests: the same examples at each run, or new ones.

The same are drawn as long as the same modules are loaded, whose constants hypothesis draws, too.
``HYPOTHESIS_PROFILE=random`` draws new ones, which finds more the more often it is run; a failure
prints how to draw the same once more. Neither measures time: machines are slow and busy.

The garbage collector is off while tests are collected, and never visits what that made: it would go
through half a million objects that live to the end, a quarter of the collection's time.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.fakes.metadata_service import Metadata

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("random", derandomize=False, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without the garbage collector, and keep it from what that made."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of ``tests/processes``, so that the fast tests can do without them.

    Raises:
        pytest.UsageError: The name of a test holds an address, which each process has another of.
    """
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid}: give ids to its parameters")
        if "processes" in item.path.parts:
            item.add_marker("processes")


@pytest.fixture
def service() -> Iterator[Metadata]:
    """An instance metadata service, ended afterwards."""
    with Metadata() as made:
        yield made
