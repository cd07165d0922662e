"""An endpoint that only counts: holds polls, hands out tasks on command, tells when what came.

``python -m tests.benchmarks.endpoint [PORT]`` prints its port, then one line a request:
``<monotonic seconds> <operation> <identity>``. Commands on standard input, one a line:
``tasks N`` hands N activity tasks to waiting polls, ``end N`` answers all but N polls empty,
``batch N`` hands out N tasks without a line for each request, and tells when all are answered:
``<monotonic seconds> Batch <requests>``.

It is no SWF: it exists so that the clock starts at the socket, with almost no cost of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque

EMPTY = b'{"startedEventId":0,"taskToken":""}'
POLLS = ("PollForActivityTask", "PollForDecisionTask")


def answer(body: bytes) -> bytes:
    """An HTTP response with this JSON body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Content-Type: application/x-amz-json-1.0\r\n\r\n" + body


def task(number: int) -> bytes:
    """The body of an activity task."""
    return json.dumps(
        {
            "taskToken": f"token-{number}",
            "activityId": "noop-1",
            "startedEventId": 6,
            "workflowExecution": {"workflowId": f"bench-{number}", "runId": "run"},
            "activityType": {"name": "bench_noop", "version": "1.0"},
            "input": "{}",
        }
    ).encode()


def tell(what: str, more: object) -> None:
    """One line for the benchmark."""
    print(f"{time.monotonic():.6f} {what} {more}", flush=True)


class Server:
    """Waiting polls and tasks that wait for a poll."""

    def __init__(self) -> None:
        self.waiting: deque[asyncio.StreamWriter] = deque()
        self.tasks: deque[bytes] = deque()
        self.count = 0
        self.owed = 0  # answers that a batch still waits for
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(
                    line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
                )
                told = {name.lower(): value for name, value in fields.items()}
                body = await reader.readexactly(int(told.get("content-length", "0")))
                self.take(told["x-amz-target"].split(".")[-1], json.loads(body or b"{}"), writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            if writer in self.waiting:
                self.waiting.remove(writer)
        finally:
            writer.close()

    def take(self, operation: str, told: dict[str, object], writer: asyncio.StreamWriter) -> None:
        """One request."""
        self.requests += 1
        if not self.owed:
            tell(operation, told.get("identity", "-"))
        if operation == "RespondActivityTaskCompleted" and self.owed:
            self.owed -= 1
            if not self.owed:
                tell("Batch", self.requests)
        if operation not in POLLS:
            writer.write(answer(b"{}"))
        elif self.tasks and operation == POLLS[0]:
            writer.write(answer(self.tasks.popleft()))
        else:
            self.waiting.append(writer)

    def command(self, line: str) -> None:
        """One line from the benchmark."""
        word, *rest = line.split()
        if word == "end":
            left = int(rest[0]) if rest else 0
            while len(self.waiting) > left:
                self.waiting.popleft().write(answer(EMPTY))
        elif word in ("tasks", "batch"):
            if word == "batch":
                self.owed, self.requests = int(rest[0]), 0
            for _ in range(int(rest[0])):
                self.count += 1
                body = task(self.count)
                if self.waiting:
                    self.waiting.popleft().write(answer(body))
                else:
                    self.tasks.append(body)


async def main(port: int = 0) -> None:
    """Serve until standard input ends; port 0 takes a free one."""
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", port, backlog=1024)
    print(listening.sockets[0].getsockname()[1], flush=True)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        server.command(line.decode())


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
