"""A real browser for tests and screenshots: chromium over its debugging pipe.

The protocol is JSON, a message ended by a zero byte, on two pipes that chromium takes as
descriptors 3 and 4 (``--remote-debugging-pipe``).
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

LONGEST = 60.0
"""Seconds for anything that a test waits for: a busy machine takes seconds for a page."""

POLL = "new Promise((done) => {{ const look = () => {{ const found = ({0}); \
if (found) done(found); else setTimeout(look, 50); }}; look(); }})"


def dom_of(url: str, home: Path, milliseconds: int) -> str:
    """The document of a page, tags and all, as the browser has built it.

    Args:
        url: The page.
        home: A folder for the browser's own files.
        milliseconds: Of the page's own time, after which it is read.
    """
    done = subprocess.run(
        [
            *(str(PROGRAM), *FLAGS, f"--user-data-dir={home}"),
            *(f"--virtual-time-budget={milliseconds}", "--dump-dom", url),
        ],
        capture_output=True,
        text=True,
        timeout=2 * LONGEST,
        check=True,
    )
    return done.stdout


class Browser:
    """One window of chromium.

    Args:
        commands: The pipe to chromium.
        answers: The pipe from it.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._numbers = itertools.count(1)
        self._unread = b""
        self._session = ""
        self.console: list[str] = []
        """Dialogs that a page opened, and errors of its scripts."""

    def open_window(self, width: int, height: int, scheme: str = "light") -> None:
        """Open the window."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self.send("Page.enable")
        self.send("Runtime.enable")
        self.resize(width, height)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.send("Emulation.setDeviceMetricsOverride", **size)

    def go(self, url: str) -> None:
        """Open a page."""
        self.send("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> Any:
        """The first true value of an expression of JavaScript."""
        return self.evaluate(POLL.format(condition))

    def wait_for_text(self, text: str, selector: str = "body") -> None:
        """Wait until the visible text of an element contains this, in capitals or not."""
        place = f"document.querySelector({json.dumps(selector)})"
        wanted = json.dumps(text.lower())
        self.wait_for(f"{place} && {place}.innerText.toLowerCase().includes({wanted})")

    def wait_for_element(self, selector: str) -> None:
        """Wait until the page has such an element."""
        self.wait_for(f"document.querySelector({json.dumps(selector)})")

    def text(self, selector: str = "body") -> str:
        """The visible text of an element."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def click(self, text: str, selector: str = "button, a") -> None:
        """Click the first visible element whose text contains this, once there is one."""
        self.wait_for(
            f"(() => {{ const found = [...document.querySelectorAll({json.dumps(selector)})].find("
            f"(each) => each.offsetParent && each.textContent.includes({json.dumps(text)}));"
            " if (found) found.click(); return Boolean(found); })()"
        )

    def fill(self, selector: str, value: str) -> None:
        """Give a field a value, as by typing."""
        field = json.dumps(selector)
        self.wait_for(f"document.querySelector({field})")
        self.evaluate(
            f"(() => {{ const field = document.querySelector({field}); field.value ="
            f" {json.dumps(value)};"
            " field.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )

    def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" and len(key) == 1 else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, **text)

    def screenshot(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol; returns its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != number:
            self._note(answer)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def _note(self, event: dict[str, Any]) -> None:
        if event["method"] == "Page.javascriptDialogOpening":
            self.console.append(f"dialog: {event['params']['message']}")
        elif event["method"] == "Runtime.exceptionThrown":
            self.console.append(json.dumps(event["params"]["exceptionDetails"])[:500])

    def _receive(self) -> dict[str, Any]:
        end = time.monotonic() + LONGEST
        while b"\0" not in self._unread:
            readable, _, _ = select.select([self._answers], [], [], max(end - time.monotonic(), 0))
            chunk = os.read(self._answers, 2**20) if readable else b""
            assert chunk, "chromium does not answer"
            self._unread += chunk
        message, _, self._unread = self._unread.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


PIPED = """
import os, sys
commands, answers = (os.dup(os.dup(int(each))) for each in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Moves the pipes to the descriptors that chromium reads from and writes to, over any others."""


@contextlib.contextmanager
def browser(width: int = 1280, height: int = 900, scheme: str = "light") -> Iterator[Browser]:
    """A browser of its own with one window.

    Args:
        width: Pixels.
        height: Pixels.
        scheme: ``light`` or ``dark``.
    """
    assert PROGRAM, "no browser is installed"
    (commands, ours), (answers, theirs) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        piped = [sys.executable, "-S", "-c", PIPED, str(commands), str(theirs)]
        started = subprocess.Popen(
            [*piped, PROGRAM, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={home}"],
            pass_fds=(commands, theirs),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(theirs)
        try:
            made = Browser(ours, answers)
            made.open_window(width, height, scheme)
            yield made
        finally:
            started.kill()
            started.wait(30)
            os.close(ours)
            os.close(answers)
