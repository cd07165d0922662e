"""The pictures of all pages: ``python -m tests.docs.page_pictures``.

They are taken by chromium. Those of executions are of a local SWF in virtual time:
``docs/local-page.png`` of its own page, ``docs/console.png`` and ``docs/console-telephone.png`` of
the console. ``docs/pool-page.png`` and ``docs/pool-page-telephone.png`` are of a real pool.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from garcon.local import LocalSWF
from garcon.local.service.clock import VirtualClock
from tests.browser import browser
from tests.docs.pages import DOCS
from tests.docs.pool_on_show import pool
from tests.garcon.executions.console.console_stage import Album, served_console
from tests.garcon.local.conformance.account import Account, over_http
from tests.garcon.local.conftest import client_of

if TYPE_CHECKING:
    from tests.browser import Browser

AGO = 150  # seconds from the first start to the console's picture
NOON = 1_767_614_400.0  # 2026-01-05 12:00 UTC
DESK, TELEPHONE = (1280, 940), (390, 844)


def main() -> None:
    """Take all five."""
    clock = VirtualClock(NOON)
    with over_http(clock) as running, browser(*DESK) as window:
        account = Account(client_of(running.endpoint), "photos")
        fill(Album(account, lambda seconds: clock.move_to(clock.now() + seconds)))
        window.go(running.endpoint)
        take(window, "album-16", "local-page.png")
    # The console counts from the wall's time, and an open execution until then.
    with LocalSWF(start=time.time() - AGO) as swf, tempfile.TemporaryDirectory() as folder:
        fill(Album(Account(swf.client(), "photos"), swf.advance))
        file = Path(folder) / "histories.sqlite"
        with served_console(swf, file, "photos", allow_actions=True) as url:
            for size, name in ((DESK, "console.png"), (TELEPHONE, "console-telephone.png")):
                with browser(*size) as window:
                    window.go(url)
                    take(window, "album-16", name)

    take_pool()


def take_pool() -> None:
    """Both pictures of the pool's page."""
    with pool() as url:
        for size, name in ((DESK, "pool-page.png"), (TELEPHONE, "pool-page-telephone.png")):
            with browser(*size) as window:
                window.go(f"{url}/?still")
                window.wait_for_text("was killed by SIGKILL", "#notes")
                (DOCS / name).write_bytes(window.screenshot())


def fill(album: Album) -> None:
    """Executions of each kind."""
    for number in (12, 13, 14):
        album.completed(f"album-{number}")
    album.waiting("album-15")
    album.failed("album-16")
    album.completed("album-17")


def take(window: Browser, workflow_id: str, name: str) -> None:
    """The picture of an execution."""
    window.click(workflow_id)
    window.wait_for_text("Timeline", "#execution")
    (DOCS / name).write_bytes(window.screenshot())


if __name__ == "__main__":
    main()
