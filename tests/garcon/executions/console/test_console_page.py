"""The console in a real browser, on a large screen and on a telephone."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from garcon.executions.commands.parser import parser
from garcon.local import LocalSWF
from tests import browser
from tests.garcon.executions.console.console_stage import Album, served_console
from tests.garcon.executions.console.hostile_texts import TEXTS
from tests.garcon.local.conformance.account import TimedAccount, complete, decision, schedule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser import Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        browser.PROGRAM is None, reason="no browser is installed: the page is tested in chromium"
    ),
]

DESK, TELEPHONE = (1280, 900), (390, 844)
CROWD = 10_000

# ``innerText`` lacks what is outside of the window: such rows are not drawn.
BLANK = " \t\n\ufeff"
"""The characters that a browser trims; an input of these alone counts as empty."""

EVENTS = "[...document.querySelectorAll('#execution .events summary')]"


class Place:
    """Executions, and the console that shows them.

    Attributes:
        album: Makes executions.
        url: The console's address.
    """

    def __init__(self, album: Album, url: str) -> None:
        self.album = album
        self.url = url


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One failed and one waiting execution among 10,000."""
    # The console counts from the wall's time: the task of one execution waits for some minutes.
    with LocalSWF(start=time.time() - 300) as swf:
        album = Album.of(swf)
        for number in range(CROWD - 2):
            if number == CROWD // 2:
                album.failed("order-4711")
                album.waiting("order-4712")
            album.account.start(f"other-{number}", executionStartToCloseTimeout="31536000")
        file = tmp_path_factory.mktemp("console") / "histories.sqlite"
        with served_console(swf, file, allow_actions=True) as url:
            yield Place(album, url)


@pytest.fixture(params=[DESK, TELEPHONE], ids=["desk", "telephone"])
def window(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A window of each size."""
    with browser.browser(*request.param) as opened:
        yield opened
        assert opened.console == [], "scripts of the page failed, or foreign ones ran"


def test_a_failed_execution_is_found_among_ten_thousand(crowd: Place, window: Browser) -> None:
    """By its status; its reason comes first, and the way back leads to the same list."""
    window.go(crowd.url)
    window.wait_for_text("10,000 in all", "#facts")
    window.fill("#filters [name=status]", "FAILED")
    window.wait_for_text("1 shown, 1 in all", "#facts")
    window.click("order-4711")
    window.wait_for_text("album_resize failed after 2 attempts: No space left on device", ".note")
    text = window.text("#execution")
    assert text.index("No space left on device") < text.lower().index("input")
    assert "resize photo=owl.png" in text
    if window.evaluate("innerWidth") < 500:
        assert not window.evaluate("document.querySelector('nav').offsetParent")
        window.click("← Executions")
        window.wait_for("document.querySelector('nav').offsetParent")
    window.wait_for_text("1 shown", "#facts")


def test_lists_of_the_domain_show_what_waits(tmp_path: Path, window: Browser) -> None:
    """Before an execution is selected; one whose task no worker takes is red, and the first."""
    with LocalSWF(start=time.time() - 300) as swf:
        album = Album.of(swf)
        for number in range(3):
            album.completed(f"order-{number}")
        album.waiting("order-3")
        with served_console(swf, tmp_path / "file") as url:
            window.go(url)
            window.wait_for_text("publishing", "#lists")
            window.wait_for_text("1 waiting · no free worker for", "#lists .bad, #lists")
            assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
            window.click("order-3")
            window.wait_for("document.querySelector('#lists').dataset.of !== 'the domain'")


def test_one_that_waits_is_signalled(crowd: Place, window: Browser) -> None:
    """The page shows what it waits for, sends the signal, and shows it among the events."""
    window.go(crowd.url)
    window.fill("#filters [name=id]", "order-4712")
    window.wait_for_text("1 shown", "#facts")
    window.click("order-4712")
    window.wait_for_text("resize photo=owl.png", "[aria-label=Pending]")
    assert "attempt 2 at" in window.text("[aria-label=Pending]")
    window.wait_for("document.querySelector('#lists').textContent.includes('publishing')")
    window.wait_for_element("#lists .bad")
    width = window.evaluate("innerWidth")
    window.click("Signal…")
    window.fill("dialog [name=name]", f"hurry-{width}")
    window.fill("dialog [name=input]", '{"now": true}')
    assert f"-- order-4712 hurry-{width} " in window.text("dialog .command")
    window.click("Signal", "dialog [type=submit]")
    window.wait_for_text(f"Sent the signal hurry-{width} to order-4712.", "dialog [role=status]")
    window.click("Close", "dialog button")
    window.wait_for(f"{EVENTS}.some((each) => each.textContent.includes('hurry-{width}'))")


def test_a_long_timeline_is_drawn_whole_on_demand(tmp_path: Path, window: Browser) -> None:
    """At first it has the decisions and the latest rows; the choice holds over the next looks."""
    with LocalSWF() as swf:
        account = TimedAccount(swf)
        account.start("long-1", executionStartToCloseTimeout="31536000")
        account.decide(*(schedule(f"step-{number:03}") for number in range(400)))
        with served_console(swf, tmp_path / "file") as url:
            window.go(url)
            window.click("long-1")
            window.wait_for_text("The latest 300 of 401 rows. Show all", "#execution")
            labels = "document.querySelectorAll('.timeline .label')"
            assert window.evaluate(f"{labels}.length") == 300
            assert window.evaluate(f"{labels}[0].innerText") == "decisions"
            assert "step-101" in window.evaluate(f"{labels}[1].innerText")
            window.click("Show all")
            window.wait_for(f"{labels}.length === 401")
            account.in_domain("signal_workflow_execution", workflowId="long-1", signalName="hurry")
            window.wait_for(f"{labels}.length === 402")


def test_the_result_of_an_activity_is_not_that_of_its_execution(
    tmp_path: Path, window: Browser
) -> None:
    """Also if it is the last event so far, as where a decision task waits already."""
    with LocalSWF() as swf:
        account = TimedAccount(swf)
        account.start("twice")
        account.decide(schedule("a"), schedule("b"))
        account.complete_activity()
        account.complete_activity(result='{"of": "an activity"}')
        assert account.kinds("twice")[-1] == "ActivityTaskCompleted"
        with served_console(swf, tmp_path / "file") as url:
            window.go(url)
            window.click("twice")
            window.wait_for_text("Timeline", "#execution")
            panels = "[...document.querySelectorAll('.panel')].map((each) => each.ariaLabel)"
            assert window.evaluate(panels) == ["Input"]


def test_keys_move_in_the_list_and_back(crowd: Place) -> None:
    """Slash goes to the field, j and k move, Enter opens, Escape goes back."""
    with browser.browser() as window:
        window.go(crowd.url)
        window.wait_for_text("10,000 in all", "#facts")
        window.press("/")
        assert window.evaluate("document.activeElement.id") == "filter"
        window.press("Escape")
        window.press("j")
        window.press("j")
        focused = window.evaluate("document.activeElement.querySelector('strong').textContent")
        assert focused == f"other-{CROWD - 4}"
        window.evaluate("document.activeElement.click()")
        window.wait_for_text(str(focused), "#execution h2")
        window.press("Escape")
        window.wait_for_text("Select an execution", "#execution")


def test_more_pages_are_loaded_on_demand(crowd: Place) -> None:
    """The next fifty come after the first, and the field finds text in all of them."""
    with browser.browser() as window:
        window.go(crowd.url)
        window.wait_for_text("50 shown, 10,000 in all", "#facts")
        window.click("Load more")
        window.wait_for_text("100 shown, 10,000 in all", "#facts")
        window.fill("#filter", f"other-{CROWD - 90}")
        window.wait_for_text("1 of 100 loaded", "#facts")


def test_without_actions_a_dialog_shows_the_command_alone(tmp_path: Path) -> None:
    """Nothing can be sent, and the sentence names the option."""
    with LocalSWF() as swf:
        Album.of(swf).waiting("order-1")
        with served_console(swf, tmp_path / "file") as url, browser.browser() as window:
            window.go(url)
            window.click("order-1")
            window.click("Terminate…")
            window.wait_for_text("--allow-actions", "dialog")
            assert not window.evaluate("Boolean(document.querySelector('dialog [type=submit]'))")


def test_a_rerun_is_a_command_for_the_host_of_the_code(tmp_path: Path) -> None:
    """It is shown and never carried out, and the command line takes it as it stands."""
    with LocalSWF() as swf:
        Album.of(swf).failed("order-1")
        file = tmp_path / "file"
        with served_console(swf, file, allow_actions=True) as url, browser.browser() as window:
            window.go(url)
            window.click("order-1")
            window.click("Rerun here…")
            window.fill("dialog [name=activity]", "album_fetch")
            words = shlex.split(window.text("dialog .command"))
            assert not window.evaluate("Boolean(document.querySelector('dialog [type=submit]'))")
    read = parser().parse_args(words[3:])
    assert (read.flow, read.activity, read.execution) == ("MODULE", "album_fetch", "order-1")


def commands_of(window: Browser, url: str, values: list[dict[str, str]]) -> list[str]:
    """The commands that the page shows for signals."""
    window.go(url)
    window.wait_for_text("in all", "#facts")
    return list(
        window.evaluate(
            f"import('/actions.js').then((module) => {json.dumps(values)}.map((each) =>"
            " module.commandOf('signal', each, ['--domain', each.run])))"
        )
    )


def test_the_words_of_a_shown_command_are_those_of_the_page(tmp_path: Path) -> None:
    """A shell reads each hostile text as one word, whatever it holds."""
    values = [{"id": text, "run": text, "name": text, "input": text} for text in TEXTS]
    with LocalSWF() as swf:
        TimedAccount(swf)
        with served_console(swf, tmp_path / "file") as url, browser.browser() as window:
            shown = commands_of(window, url, values)
    script = "\n".join(["python() { printf '%s\\001' \"$@\"; printf '\\002'; }", *shown])
    done = subprocess.run(["sh", "-c", script], capture_output=True, cwd=tmp_path, check=True)
    read = [each.split("\1")[:-1] for each in done.stdout.decode().split("\2")[:-1]]
    assert read == [
        ["-m", "garcon", "signal", f"--domain={text}", f"--run-id={text}", "--", text, text]
        + ([text] if text.strip(BLANK) else [])
        for text in TEXTS
    ]
    assert not (tmp_path / "hacked").exists()


def hostile_execution(account: TimedAccount, text: str) -> Any:
    """An execution whose every text is this one, as far as SWF takes it."""
    forbidden = set(":/|\x00") | {chr(number) for number in (*range(32), *range(127, 160))}
    name = "".join(each for each in text if each not in forbidden).strip()[:250] or "name"
    name = name if "arn" not in name else "name"
    run_id = account.start(name, input=text)
    account.decide(
        schedule(name, input=text),
        decision("RecordMarker", markerName=name, details=text),
        decision("StartTimer", timerId=name, startToFireTimeout="10", control=text),
    )
    account.in_domain("signal_workflow_execution", workflowId=name, signalName=name, input=text)
    token = account.activity_task(identity=text[:256])["taskToken"]
    account.call("respond_activity_task_failed", taskToken=token, reason=text[:256], details=text)
    fail = decision("FailWorkflowExecution", reason=text[:256], details=text)
    account.decide(complete(result=text) if len(text) % 2 else fail)
    return name, run_id


def test_hostile_texts_never_run(tmp_path: Path, window: Browser) -> None:
    """A hundred of them, as ids, inputs, results, reasons, markers, timers and identities."""
    assert len(TEXTS) >= 100
    with LocalSWF() as swf:
        account = TimedAccount(swf)
        shown = [hostile_execution(account, text) for text in TEXTS]
        with served_console(swf, tmp_path / "file", allow_actions=True) as url:
            window.go(url)
            window.wait_for_text("50 shown", "#facts")
            window.click("Load more")
            window.wait_for_text("100 shown", "#facts")
            for name, run_id in shown:
                address = json.dumps([run_id, name, ""])
                window.evaluate(f"location.hash = {address}.map(encodeURIComponent).join('/')")
                wanted = json.dumps(name)
                window.wait_for(
                    f"document.querySelector('#execution h2')?.textContent === {wanted}"
                    " && document.querySelectorAll('#execution .events summary').length > 6"
                )
                window.evaluate(
                    "document.querySelectorAll('#execution details').forEach((each) => {"
                    " each.open = true; })"
                )
            assert window.evaluate("window.hacked") is None
            foreign = (
                "script:not([src='/console.js']), img, iframe, object, embed, svg, style, base"
            )
            assert window.evaluate(f'document.querySelectorAll("{foreign}").length') == 0
