"""pytest fixtures. Their imports are inside the fixtures, so that a run without them pays for this
file alone.
"""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from garcon.local import LocalSWF

STOP_TIMEOUT = 10.0
"""Seconds to wait for the server's end; it takes a fraction of one."""


@pytest.fixture
def local_swf() -> "Iterator[LocalSWF]":
    """A fresh Amazon SWF in this process, with virtual time."""
    from garcon.local import LocalSWF  # noqa: PLC0415 - see the head of this file

    with LocalSWF() as swf:
        yield swf


@pytest.fixture
def local_swf_endpoint() -> Iterator[str]:
    """The endpoint of a fresh Amazon SWF over HTTP, for programs under test; with the wall's time.

    Empty polls end after a second, so that a program which waits for its polls ends soon.
    """
    from garcon.local.http import server  # noqa: PLC0415 - same; needs the extra 'local'

    with server.LocalServer(server.ServerOptions(poll_seconds=1.0)) as running:
        thread = threading.Thread(target=running.run, name="local SWF", daemon=True)
        thread.start()
        yield running.endpoint
        running.stop()
        thread.join(STOP_TIMEOUT)
