"""An endpoint that only counts: holds polls, hands out tasks on command, prints each request.

``python -m tests.benchmarks.endpoint [PORT]`` prints its port, then one line a request:
``<monotonic seconds> <operation> <identity>``. Commands on standard input, one a line:
``tasks N`` hands N activity tasks to waiting polls, ``end N`` answers all but N polls empty,
``batch N`` hands out N tasks without a line for each request, and prints when all are answered:
``<monotonic seconds> Batch <requests>``; ``hold S`` ends polls after S seconds; ``trip S`` sends
each answer S seconds late; ``rate N S`` lets N tasks a second arrive for S seconds, without a line
for each request, and prints how many were answered and how long they waited in seconds:
``<monotonic seconds> Rate <answered> <median> <p99> <longest>``. A task handed out to a poll has a
line, too: ``<monotonic seconds> Task <number>``.

It is not an SWF: it exists so that the clock starts at the socket, with almost no cost of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import deque

EMPTY = b'{"startedEventId":0,"taskToken":""}'
DOMAIN = {
    "domainInfo": {"name": "bench", "status": "REGISTERED"},
    "configuration": {"workflowExecutionRetentionPeriodInDays": "1"},
}
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


def emit(what: str, more: object) -> None:
    """Print one line for the benchmark."""
    print(f"{time.monotonic():.6f} {what} {more}", flush=True)


class Server:
    """Waiting polls and tasks that wait for a poll."""

    def __init__(self) -> None:
        self.waiting: deque[asyncio.StreamWriter] = deque()
        self.tasks: deque[bytes] = deque()
        self.serials: dict[asyncio.StreamWriter, int] = {}  # the latest poll of each connection
        self.offering: asyncio.Task[None] | None = None
        self.count = 0
        self.owed = 0  # answers that a batch still waits for
        self.requests = 0
        self.hold = 0.0  # seconds that a poll is held; 0 for ever
        self.trip = 0.0  # seconds that an answer is on its way
        self.arrivals: dict[bytes, float] = {}  # of tasks that wait, while their waits count
        self.waits: list[float] = []
        self.answered = 0
        self.is_silent = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(
                    line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
                )
                members = {name.lower(): value for name, value in fields.items()}
                body = await reader.readexactly(int(members.get("content-length", "0")))
                self.take(members["x-amz-target"].split(".")[-1], json.loads(body or b"{}"), writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            if writer in self.waiting:
                self.waiting.remove(writer)
        finally:
            with contextlib.suppress(RuntimeError):  # the end of the program has closed the loop
                writer.close()

    def take(
        self, operation: str, members: dict[str, object], writer: asyncio.StreamWriter
    ) -> None:
        """One request."""
        self.requests += 1
        if not self.owed and not self.is_silent:
            emit(operation, members.get("identity", "-"))
        if operation == "RespondActivityTaskCompleted" and self.owed:
            self.owed -= 1
            if not self.owed:
                emit("Batch", self.requests)
        self.answered += operation.startswith("Respond")
        if operation == "DescribeDomain":
            self.send(writer, json.dumps(DOMAIN).encode())
        elif operation not in POLLS:
            self.send(writer, b"{}")
        elif self.tasks and operation == POLLS[0]:
            self.hand_out(writer, self.tasks.popleft())
        else:
            self.waiting.append(writer)
            if self.hold:
                number = self.serials[writer] = self.requests
                asyncio.get_running_loop().call_later(self.hold, self.expire, writer, number)

    def send(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        """One answer, late if it is to be."""
        if self.trip:
            asyncio.get_running_loop().call_later(self.trip, writer.write, answer(body))
        else:
            writer.write(answer(body))

    def hand_out(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        """A task for a poll."""
        if (arrived := self.arrivals.pop(body, None)) is not None:
            self.waits.append(time.monotonic() - arrived)
        if not self.owed and not self.is_silent:
            emit("Task", self.count)
        self.send(writer, body)

    def expire(self, writer: asyncio.StreamWriter, number: int) -> None:
        """The end of a poll that got nothing."""
        if self.serials[writer] == number and writer in self.waiting:
            self.waiting.remove(writer)
            self.send(writer, EMPTY)

    def arrive(self) -> None:
        """One more task."""
        self.count += 1
        body = task(self.count)
        self.arrivals[body] = time.monotonic()
        if self.waiting:
            self.hand_out(self.waiting.popleft(), body)
        else:
            self.tasks.append(body)

    async def offer(self, rate: float, seconds: float) -> None:
        """Tasks one by one for so long, and what came of them."""
        self.waits, self.answered, self.is_silent = [], 0, True
        began, offered = time.monotonic(), 0
        while (now := time.monotonic() - began) < seconds:
            while offered < now * rate:
                offered += 1
                self.arrive()
            await asyncio.sleep(0.002)
        self.is_silent = False
        waits = sorted(self.waits) or [0.0]
        figures = (waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1])
        emit("Rate", " ".join(map(str, (self.answered, *figures))))
        self.arrivals.clear()

    def command(self, line: str) -> None:
        """One line from the benchmark."""
        word, *rest = line.split()
        if word == "end":
            left = int(rest[0]) if rest else 0
            while len(self.waiting) > left:
                self.send(self.waiting.popleft(), EMPTY)
        elif word == "hold":
            self.hold = float(rest[0])
        elif word == "trip":
            self.trip = float(rest[0])
        elif word == "rate":
            self.offering = asyncio.create_task(self.offer(float(rest[0]), float(rest[1])))
        elif word in ("tasks", "batch"):
            if word == "batch":
                self.owed, self.requests = int(rest[0]), 0
            for _ in range(int(rest[0])):
                self.count += 1
                body = task(self.count)
                if self.waiting:
                    self.hand_out(self.waiting.popleft(), body)
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
