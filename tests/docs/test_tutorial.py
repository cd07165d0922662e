"""The tutorial, followed from its first line to its last by a reader who knows nothing else."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.docs.following import Follower
from tests.docs.pages import DOCS, blocks_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.processes]


def free_port() -> str:
    """A port that no program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@pytest.mark.timeout(900)  # half a minute on a quiet machine
def test_the_tutorial_runs_from_top_to_bottom(tmp_path: Path) -> None:
    """Every file, session and command of the tutorial does what the page shows."""
    with Follower(tmp_path, {"4566": free_port()}) as reader:
        for block in blocks_of(DOCS / "tutorial.md"):
            reader.follow(block)
