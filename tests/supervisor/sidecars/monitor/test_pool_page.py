"""The page of the pool in a real browser, with hostile texts for all that it shows."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from supervisor.config.setting_types import HttpAddress
from supervisor.ipc.messages import ListState, Role, Slot, Status, Task, TaskList, WorkerStatus
from supervisor.ipc.messages.control_protocol import NoteReply
from supervisor.ipc.messages.status import DeployStatus, EmptySlot, GenerationStatus
from supervisor.ipc.messages.tallies import Tallies
from supervisor.sidecars.monitor.routes import application
from supervisor.sidecars.observation import Observation, Source
from tests import browser
from tests.garcon.executions.console.hostile_texts import TEXTS
from tests.serving import served

if TYPE_CHECKING:
    import contextlib

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.PROGRAM is None, reason="no browser is installed"),
]

LISTS = [TaskList(text, Role.ACTIVITY, text) for text in TEXTS]


def hostile_status() -> Status:
    """A pool whose every text is one of the corpus."""
    return Status(
        leaving=TEXTS[0],
        lists=tuple(ListState(each, desired=1, ready=1, working=1) for each in LISTS),
        generations=(GenerationStatus(1, TEXTS[0], "ready", (TEXTS[1],)),),
        workers=tuple(
            WorkerStatus(
                number,
                1,
                Slot(LISTS[number], 0),
                "working",
                1.0,
                leaving=False,
                task=Task(LISTS[number].name, text, "run", text, 60.0),
                deaths=1,
                last_death=text,
                pid=number + 1,
            )
            for number, text in enumerate(TEXTS)
        ),
        empty_slots=(EmptySlot(Slot(LISTS[0], 1), 3.0, 1, TEXTS[0]),),
        sidecars=(),
        pending_reports=1,
        deaths={TEXTS[0]: 1},
        deploy=DeployStatus(1, TEXTS[0], "\n".join(TEXTS)),
    )


class HostileSource(Source):
    """A pool of hostile texts, without a supervisor."""

    def observe_with_notes(self) -> tuple[Observation, list[NoteReply]]:
        """The same at each look."""
        notes = [
            NoteReply(time=0.0, level="warning", event="stacks", text=text) for text in TEXTS[-30:]
        ]
        return Observation(hostile_status(), Tallies((), {}), {}, 0.0), notes


def page(source: Source) -> contextlib.AbstractContextManager[str]:
    """The page's address."""
    return served(lambda address: application(source, HttpAddress.parse(address)))


def test_hostile_texts_never_run() -> None:
    """A hundred of them, as ids, lists, causes of death, reports and log entries."""
    with page(HostileSource("/run/control", TEXTS[2])) as at, browser.browser() as window:
        window.go(f"http://{at}")
        window.wait_for(f"document.querySelectorAll('#workers tbody tr').length === {len(TEXTS)}")
        window.wait_for("document.querySelectorAll('#notes li').length === 30")
        assert window.evaluate("window.hacked") is None
        foreign = "script:not([src='/pool.js']), img, iframe, object, embed, svg, base"
        assert window.evaluate(f'document.querySelectorAll("{foreign}").length') == 0
        assert window.console == []


def test_the_command_for_a_hostile_list_is_one_word_of_a_shell() -> None:
    """A shell reads the list's name as it is."""
    with page(HostileSource("/run/it's here", "album")) as at, browser.browser() as window:
        window.go(f"http://{at}")
        window.wait_for("document.querySelectorAll('#lists tbody tr').length > 0")
        shown = window.evaluate(
            f"import('/changes.js').then((module) => {json.dumps(TEXTS)}.map((list) =>"
            " module.commandOf('quiet', { list }, \"/run/it's here\")))"
        )
    assert [shlex.split(each) for each in shown] == [
        ["python", "-m", "supervisor", "quiet", "--control=/run/it's here", "--", text]
        for text in TEXTS
    ]
