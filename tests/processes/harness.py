"""Real programs for the tests: a supervisor whose log lines can be waited for, and a local SWF.

Every wait has a limit and is for a line, a request or an end, never for time to pass.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent

LIMIT = 40.0
"""Seconds after which a wait has failed: a slow, busy machine is ten times quicker."""

MONITOR = "Serving metrics and health at"
"""The log entry of a monitor's start."""

SHOWN = 60
"""Last lines of a log that a failure shows."""


def environment(**more: str) -> dict[str, str]:
    """A program's environment under test: no settings of the machine's, invalid credentials."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "GARCON_", "BOTO_", "OTEL_"))
    }
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "GARCON_CONTROL": "none",  # of tests that run side by side, each would want the same
        **more,
    }


class Lines:
    """The lines of a stream, read by a thread so that a wait can have a limit."""

    def __init__(self, stream: Any, *, reads_at_once: bool = True) -> None:
        self.seen: list[str] = []
        self._fresh: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        if reads_at_once:
            self._thread.start()

    def _read(self, stream: Any) -> None:
        with (
            stream,
            contextlib.suppress(OSError),
        ):  # so a terminal reports that its other end is closed
            for line in stream:
                self._fresh.put(line.rstrip("\n"))
        self._fresh.put(None)

    def wait_for(self, desired: Callable[[str], bool], what: str) -> str:
        """The next line that is wanted; fails at end-of-file or past the limit."""
        until = time.monotonic() + LIMIT
        while True:
            try:
                line = self._fresh.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {what} within {LIMIT:g} s in:\n{self.text}") from None
            if line is None:
                self._fresh.put(None)
                raise AssertionError(f"the stream ended without {what}:\n{self.text}")
            self.seen.append(line)
            if desired(line):
                return line

    def rest(self) -> str:
        """Everything up to the end of the stream."""
        if self._thread.ident is None:  # not read yet
            self._thread.start()
        self._thread.join(LIMIT)
        with contextlib.suppress(queue.Empty):
            while (line := self._fresh.get_nowait()) is not None:
                self.seen.append(line)
        return self.text

    @property
    def text(self) -> str:
        """The text that has been read so far."""
        return "\n".join(self.seen)


class Program:
    """A program under test, with its output; leaving the block ends it and all below it."""

    READS_OUTPUT = True
    """Whether the output is read from the start, or only after the program's end."""

    def __init__(self, *argv: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            self.command(*argv),
            cwd=ROOT,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.out = Lines(self.process.stdout, reads_at_once=self.READS_OUTPUT)
        self.err = Lines(self.process.stderr, reads_at_once=self.READS_OUTPUT)

    def command(self, *argv: str) -> list[str]:
        """The whole command line."""
        return [sys.executable, *argv]

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send the program itself a signal."""
        self.process.send_signal(number)

    def wait(self, limit: float | None = None) -> int:
        """Wait for its end; returns its exit code. Else: what is left, and its log.

        Args:
            limit: Seconds after which the wait has failed, where something promises fewer.
        """
        limit = limit or LIMIT
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            left = "\n".join(described(each) for each in self.below())
            self.process.kill()  # its log ends with it
            told = "\n".join(self.err.rest().splitlines()[-SHOWN:])
            raise AssertionError(f"no end within {limit:g} s; left:\n{left}\n{told}") from None

    def below(self) -> list[psutil.Process]:
        """Every process below it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children(recursive=True)
        return []

    def titled(self, *words: str) -> list[psutil.Process]:
        """The processes below it whose titles hold all these words."""
        found = []
        for each in self.below():
            with contextlib.suppress(psutil.NoSuchProcess):
                title = " ".join(each.cmdline())
                if all(word in title for word in words):
                    found.append(each)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        left = self.below()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT)
        for each in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(left, timeout=LIMIT)
        self.out.rest()
        self.err.rest()


def described(process: psutil.Process) -> str:
    """One process, for people."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return f"{process.pid} {process.status()} {' '.join(process.cmdline())}"
    return f"{process.pid} is gone"


class Supervisor(Program):
    """``python -m supervisor`` with JSON lines, so that events can be waited for by name."""

    def __init__(self, *argv: str, **variables: str) -> None:
        super().__init__("-m", "supervisor", *argv, "--log-format", "json", **variables)

    def ready(self) -> Self:
        """Wait until every slot is served; on a failure the program is ended."""
        try:
            self.wait_for("full_strength")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def ready_at(self) -> str:
        """Wait until every slot is served; returns the URL of its monitor.

        Either comes first.
        """
        self.ready()
        said = [line for line in self.err.seen if MONITOR in line]
        return monitor_url(parsed(said[0]) if said else self.wait_for_message(MONITOR))

    def wait_for(self, event: str, **facts: Any) -> dict[str, Any]:
        """The next log line of this event and with these facts."""

        def desired(line: str) -> bool:
            told = parsed(line)
            return told.get("event") == event and facts.items() <= told.items()

        return parsed(self.err.wait_for(desired, f"event {event} {facts or ''}"))

    def wait_for_message(self, text: str) -> dict[str, Any]:
        """The next log line that says this."""
        line = self.err.wait_for(lambda line: text in str(parsed(line).get("message")), repr(text))
        return parsed(line)

    def settled(self) -> list[psutil.Process]:
        """The processes below it, once the one that registers has ended.

        Its word that all is registered comes before its end, and workers start by that word.
        """
        until(lambda: not self.titled("garcon: registering"), "the end of the registration")
        return self.below()

    def stop_by_signals(self) -> None:
        """Send TERM until one counts as the second: those within a second are one request."""

        def has_exited() -> bool:
            self.signal(signal.SIGTERM)
            return self.process.poll() is not None

        until(has_exited, "an exit by a second TERM")


def monitor_url(entry: dict[str, Any]) -> str:
    """The URL in the log entry of a monitor's start."""
    return str(entry["message"]).rpartition(" ")[2].rstrip(".")


def parsed(line: str) -> dict[str, Any]:
    """A JSON log line; other lines (a task's own prints) are nothing."""
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def until(holds: Callable[[], Any], what: str, limit: float = LIMIT) -> Any:
    """Look at the kernel's or SWF's state again and again until it holds, within the limit.

    For facts without an announcement: a process is gone, an execution has closed.
    """
    by = time.monotonic() + limit
    rest = threading.Event()
    while not (found := holds()):
        assert time.monotonic() < by, f"not within {limit:g} s: {what}"
        rest.wait(0.01)
    return found


@contextlib.contextmanager
def local_swf(*argv: str) -> Iterator[str]:
    """A local SWF in a process of its own; yields its endpoint."""
    with Program("-m", "garcon.local", "--port", "0", *argv) as program:
        line = program.out.wait_for(lambda line: "http://127.0.0.1:" in line, "endpoint")
        yield line[line.index("http://") :].split()[0].rstrip("/")
