"""A local SWF with the budgets of a small account, which counts the calls of each second.

``python -m tests.benchmarks.small_account [--port N] [--poll-seconds S] [--share S] [--pollers N]
[--heartbeats RATE] [--state FILE]`` prints its URL. For each line on standard input it prints, in
JSON, the calls since the line before: ``{operation: {second: [taken, refused, gone]}}``; the last
are calls for a task that SWF no longer has. It ends with standard input. Executions are started
without a budget.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from garcon.local.engine import Fault, throttle
from garcon.local.engine.throttle import Rate
from garcon.local.http.server import LocalServer
from garcon.local.server_options import ServerOptions
from garcon.local.service.service import Service

if TYPE_CHECKING:
    from garcon.local import Settings

UNBOUNDED = ("StartWorkflowExecution",)

PLACES = {"ThrottlingException": 1, "LimitExceededFault": 1, "UnknownResourceFault": 2}
"""The counter of each refusal; any other call counts as taken."""

Calls = dict[str, dict[str, list[int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallAccount(ServerOptions):
    """The options, with the polls that a list takes."""

    pollers: int = 1000

    def settings(self) -> Settings:
        """The figures of the engine."""
        # ``slots`` gives the class a new identity, which a bare ``super`` does not know.
        return replace(ServerOptions.settings(self), pollers=self.pollers)


class Tally:
    """The calls of each second."""

    def __init__(self) -> None:
        self._calls: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(
            lambda: defaultdict(lambda: [0, 0, 0])
        )

    def note(self, operation: str, now: float, code: str) -> None:
        """One call, and the code of its refusal."""
        self._calls[operation][str(int(now))][PLACES.get(code, 0)] += 1

    def take(self) -> str:
        """The calls since the last time, in JSON."""
        taken, self._calls = self._calls, defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
        return json.dumps(taken)


def answer_lines(tally: Tally) -> None:
    """Print the calls for each line; end the process with its standard input."""
    for _ in sys.stdin:
        print(tally.take(), flush=True)
    os._exit(0)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--poll-seconds", type=float, default=60.0)
    parser.add_argument("--share", type=float, default=0.0, help="of the rates; 0: no budgets")
    parser.add_argument("--bucket", type=float, default=1.0, help="share of the buckets' sizes")
    parser.add_argument("--pollers", type=int, default=1000)
    parser.add_argument("--heartbeats", type=float, default=0.0, help="their budget a second")
    parser.add_argument("--state", type=Path)
    asked = parser.parse_args()
    rates = {
        name: Rate(max(1.0, rate.size * asked.bucket), rate.refill * asked.share)
        for name, rate in throttle.ACCOUNT.items()
        if asked.share and name not in UNBOUNDED
    }
    if asked.heartbeats:
        budget = Rate(max(1.0, asked.heartbeats), asked.heartbeats)
        rates["RecordActivityTaskHeartbeat"] = budget
    tally, call = Tally(), Service.call

    def counted(service: Service, request: Any, now: float, poller: str) -> Any:
        code = ""
        try:
            return call(service, request, now, poller)
        except Fault as fault:
            code = fault.code
            raise
        finally:
            tally.note(request.operation, now, code)

    options = SmallAccount(
        port=asked.port,
        poll_seconds=asked.poll_seconds,
        quotas=bool(rates),
        pollers=asked.pollers,
        state=asked.state,
    )
    with patch.dict(throttle.ACCOUNT, rates), patch.object(Service, "call", counted):
        server = LocalServer(options)
        print(server.endpoint, flush=True)
        threading.Thread(target=answer_lines, args=(tally,), daemon=True).start()
        server.run()


if __name__ == "__main__":
    main()
