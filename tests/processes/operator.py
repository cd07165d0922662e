"""An operator: commands that speak to a pool over its control socket."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from tests.processes.harness import LIMIT, Program, Supervisor

if TYPE_CHECKING:
    from pathlib import Path


class Operator:
    """A pool of the test flow with a control socket, and the operator's commands to it.

    Args:
        folder: For the socket.
        endpoint: The SWF.
        argv: Further options of the pool.
        flow: Which flow it serves.
        variables: Of its environment.
    """

    def __init__(
        self,
        folder: Path,
        endpoint: str,
        *argv: str,
        flow: str = "tests.processes.flow",
        **variables: str,
    ) -> None:
        self.path = str(folder / "control.sock")
        self.argv = ("--flow", flow, "--endpoint-url", endpoint, "--control", self.path, *argv)
        self.variables = variables

    def pool(self) -> Supervisor:
        """Start the pool, and wait until it is ready."""
        return self.starting().ready()

    def starting(self) -> Supervisor:
        """Start the pool."""
        return Supervisor(*self.argv, **self.variables)

    def begin(self, *words: str) -> Program:
        """Begin a command."""
        return Program("-m", "supervisor", *words, "--control", self.path)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command to its end: exit code, output, errors."""
        with self.begin(*words) as program:
            return program.wait(), program.out.rest(), program.err.rest()

    def do(self, *words: str) -> str:
        """Run a command that works; returns its output."""
        code, out, err = self.run(*words)
        assert code == 0, f"{words}: {code}, {out}, {err}"
        return out

    def ask(self, *words: str) -> Any:
        """Run a command that works, with ``--json``."""
        return json.loads(self.do(*words, "--json"))

    def connect(self) -> socket.socket:
        """A connection of one's own."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(LIMIT)
        client.connect(self.path)
        return client
