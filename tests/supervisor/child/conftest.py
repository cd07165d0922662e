"""What a worker does to its process for the rest of its life ends with the test of it."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from supervisor.child import shutdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """A worker ignores signals at its end: then no Ctrl-C would end the run of the tests."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _own_fork_hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a worker does at a fork: Python forgets no hook, and other tests fork, too."""
    is_over: list[bool] = []
    register = os.register_at_fork

    def until_the_end(hook: Callable[[], object]) -> Callable[[], object]:
        return lambda: None if is_over else hook()

    def registered(**hooks: Callable[[], object]) -> None:
        for name, hook in hooks.items():
            is_own = hook.__module__ == shutdown.__name__
            register(**{name: until_the_end(hook) if is_own else hook})

    monkeypatch.setattr(os, "register_at_fork", registered)
    yield
    is_over.append(True)


@pytest.fixture(autouse=True)
def _closed_descriptors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pipes of shutdown flags and crash records: else the tests run out of descriptors."""
    opened: dict[int, tuple[int, int]] = {}

    def noted(opening: Callable[..., Any]) -> Callable[..., Any]:
        def opens(*arguments: Any) -> Any:
            made = opening(*arguments)
            for number in made if isinstance(made, tuple) else (made,):
                opened[number] = _file(number)
            return made

        return opens

    for name in ("pipe2", "memfd_create"):
        monkeypatch.setattr(os, name, noted(getattr(os, name)))
    yield
    for number, file in opened.items():
        with contextlib.suppress(OSError):  # closed by its owner
            if _file(number) == file:  # its number may be that of another file now
                os.close(number)


def _file(number: int) -> tuple[int, int]:
    status = os.fstat(number)
    return status.st_dev, status.st_ino
