"""The link of retired code to the supervisor that serves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from supervisor.ipc import channel, messages
from supervisor.ipc.conventions import CHANNEL_DESCRIPTOR, SERVING_CHANNEL
from supervisor.ipc.messages import (
    GenerationStatus,
    Launch,
    SidecarReady,
    SidecarUnneeded,
    TerminationNotice,
)
from supervisor.logs import log
from supervisor.parent.serving_link import ServingLink

if TYPE_CHECKING:
    from collections.abc import Iterator


class Code:
    """A core that serves, or not yet."""

    def __init__(self) -> None:
        self.ready = False
        self.unused: float | None = None

    def unused_for(self, _now: float) -> float | None:
        """How long its build was unused, if it ends for that."""
        return self.unused

    def launch(self) -> Launch:
        """Whether it serves."""
        return Launch.READY if self.ready else Launch.PENDING

    def status(self, _now: float) -> Any:
        """Its generations."""
        old = GenerationStatus(1, "retiring", "ready", (), build="x")
        active = GenerationStatus(2, "active", "ready", (), build="b1")
        return messages.Status(None, (), (old, active), (), (), (), 0, {})


@pytest.fixture
def ends() -> Iterator[tuple[channel.Channel, ServingLink]]:
    """The end of the supervisor that serves, and the link of retired code."""
    theirs, ours = channel.pair()
    os.set_blocking(ours.fileno(), False)
    yield theirs, ServingLink(ours, "retired@x")
    theirs.close()
    ours.close()
    log.process_facts.pop("build", None)


def test_the_build_is_announced_once(ends: tuple[channel.Channel, ServingLink]) -> None:
    """When the code serves; from then on its log lines have the build."""
    theirs, link = ends
    code: Any = Code()
    link.announce(code, 1.0)
    assert theirs.receive() is None
    code.ready = True
    for _ in range(2):
        link.announce(code, 2.0)
    assert theirs.receive() == SidecarReady("retired@x", build="b1")
    assert theirs.receive() is None
    assert log.process_facts["build"] == "b1"


def test_the_end_of_an_unused_build_is_announced_once(
    ends: tuple[channel.Channel, ServingLink],
) -> None:
    """After the build itself."""
    theirs, link = ends
    code: Any = Code()
    code.unused = 90_000.0
    link.announce(code, 1.0)
    assert theirs.receive() is None
    code.ready = True
    for _ in range(3):
        link.announce(code, 2.0)
    assert isinstance(theirs.receive(), SidecarReady)
    assert theirs.receive() == SidecarUnneeded("retired@x", 90_000.0)
    assert theirs.receive() is None


def test_the_end_of_the_other_supervisor_is_a_drain(
    ends: tuple[channel.Channel, ServingLink],
) -> None:
    """It is not a signal: a second one does not stop what it has asked to finish."""
    theirs, link = ends
    theirs.send(messages.PoolRequested())
    assert link.receive() == []
    theirs.close()
    (event,) = link.receive()
    assert isinstance(event, TerminationNotice)
    assert event.within is None
    code: Any = Code()
    code.ready = True
    link.announce(code, 1.0)  # which is no longer received


def test_a_supervisor_that_no_other_started_has_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable names the sidecar, and is for this process alone."""
    assert ServingLink.inherited({}) is None
    passed = []

    def inherited(number: int) -> object:
        passed.append(number)
        return object()

    monkeypatch.setattr(channel.Channel, "inherited", inherited)
    monkeypatch.setattr(os, "set_blocking", lambda number, _: passed.append(number))
    variables = {SERVING_CHANNEL: "retired@x"}
    assert ServingLink.inherited(variables) is not None
    assert passed == [CHANNEL_DESCRIPTOR] * 2
    assert variables == {}
