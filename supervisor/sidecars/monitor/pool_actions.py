"""The changes that the page of the pool makes, for those who have its key (``--http-actions``).

Rules:

1. A change is a request of the control protocol, and goes the way of the commands. ``stop`` is not
   among them: it abandons tasks, and should cost more than a click.
2. The key is new with each monitor. It stands in a file beside the control socket that only the
   supervisor's user may read: who can read it can use the control socket, too.
3. The page sends the key as a header. No browser adds it to the request of a page of another
   origin, as it would a cookie.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor.ipc.control_client import Connection
from supervisor.ipc.messages import control_protocol
from supervisor.ipc.private_files import open_private

if TYPE_CHECKING:
    from supervisor.ipc.messages.control_protocol import Request

KEY_BYTES = 32

CHANGES = (
    control_protocol.ScaleRequest,
    control_protocol.QuietRequest,
    control_protocol.ResumeRequest,
    control_protocol.RecycleRequest,
    control_protocol.RestartRequest,
    control_protocol.DrainRequest,
)
"""The requests that the page may make."""


class PoolActions:
    """The changes of one pool.

    Args:
        control: The path of its control socket.

    Attributes:
        key_file: The file that has the key.
    """

    def __init__(self, control: str) -> None:
        self._control = Path(control)
        self._key = secrets.token_urlsafe(KEY_BYTES)
        self.key_file = Path(f"{control}.key")

    def publish_key(self) -> None:
        """Write the key to its file. Raises ``OSError``."""
        aside = Path(f"{self.key_file}.new")
        with os.fdopen(open_private(aside), "w", encoding="ascii") as file:
            file.write(f"{self._key}\n")
        aside.rename(self.key_file)

    def withdraw_key(self) -> None:
        """Remove the file. Raises ``OSError``."""
        self.key_file.unlink(missing_ok=True)

    def takes(self, key: str) -> bool:
        """Whether a request brought the key."""
        return secrets.compare_digest(key.encode(), self._key.encode())

    def carry_out(self, body: bytes) -> str:
        """Make the change of a request; returns the supervisor's sentence.

        Args:
            body: A line of the control protocol.

        Raises:
            InvalidRequest: It is not a request, or not of a change that the page makes.
            CommandFailed: The supervisor refused it, or does not answer.
        """
        request: Request = control_protocol.parse_request(body)
        if not isinstance(request, CHANGES):
            raise control_protocol.InvalidRequest("The page does not make this request.")
        with Connection(self._control) as connection:
            return connection.call(request).text
