"""The timeline of the tutorial: ``python -m tests.docs.pictures`` draws ``docs/podcast.svg``.

The tutorial's own flow runs on a local SWF in virtual time. Its workers take some seconds for each
task, so that the same picture is drawn each time.
"""

from __future__ import annotations

import heapq
import importlib.util
import itertools
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garcon import claims
from garcon import client as clients
from garcon.activity import ExternalActivity, find_workflow_activities
from garcon.decider import DeciderWorker
from garcon.executions import svg, timeline
from garcon.local import LocalSWF
from tests.docs.following import Follower
from tests.docs.pages import DOCS, blocks_of

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURE = DOCS / "podcast.svg"
NOON = 1_767_614_400.0  # 2026-01-05 12:00 UTC
ID = "episode-17"
WIDTH, LAYOUT = 600, 480
"""Pixels of a picture on a page, and those for which it is laid out."""

LONGEST = 160  # seconds; the execution closes before

SECONDS = {
    "podcast_inspect": (4,),
    "podcast_clear": (35,),
    "podcast_transcribe": (52,),
    "podcast_present": (21,),
    "podcast_level": (30,),
    "podcast_encode": (28, 37),
    "podcast_mail": (2,),
    "podcast_publish": (6,),
}
"""Time that the attempts of each activity take, in turn."""


class Hosts:
    """Workers enough for all tasks, each of which takes its time.

    Args:
        swf: The local SWF.
        flow: The flow.
    """

    def __init__(self, swf: LocalSWF, flow: Any) -> None:
        self._swf = swf
        self._client = swf.client()
        self._flow = flow
        self._decider = DeciderWorker(flow)
        self._seconds = {name: itertools.cycle(each) for name, each in SECONDS.items()}
        self._due: list[tuple[float, int, Callable[[], Any]]] = []
        self._numbers = itertools.count(1)

    def at(self, moment: float, act: Callable[[], Any]) -> None:
        """Do something at that time."""
        heapq.heappush(self._due, (moment, next(self._numbers), act))

    def work(self) -> None:
        """Decide and work until nothing is due."""
        while True:
            self._decide()
            self._take_tasks()
            if not self._due:
                return
            moment, _, act = heapq.heappop(self._due)
            if moment > self._swf.now:
                self._swf.advance(moment - self._swf.now)
            act()

    def _decide(self) -> None:
        while self._waiting("decision", self._flow.name):
            self._decider.run(identity="a decider")

    def _take_tasks(self) -> None:
        for each in find_workflow_activities(self._flow):
            while self._waiting("activity", str(each.task_list)):
                done = self._swf.now + next(self._seconds[str(each.name)])
                self.at(done, self._work_on(each))

    def _work_on(self, activity: Any) -> Callable[[], Any]:
        is_external = isinstance(activity, ExternalActivity)
        return self._external(activity) if is_external else self._own(activity)

    def _own(self, activity: Any) -> Callable[[], Any]:
        execution = activity.poll_for_activity(identity=f"worker {next(self._numbers)}")
        return lambda: activity.perform(execution)

    def _external(self, activity: Any) -> Callable[[], Any]:
        token = self._client.poll_for_activity_task(
            domain=activity.domain, taskList={"name": activity.task_list}, identity="rights.py"
        )["taskToken"]
        return lambda: self._client.respond_activity_task_completed(
            taskToken=token, result='{"cleared": true}'
        )

    def _waiting(self, kind: str, task_list: str) -> int:
        count = getattr(self._client, f"count_pending_{kind}_tasks")
        waiting: int = count(domain=self._flow.domain, taskList={"name": task_list})["count"]
        return waiting


def tutorial_flow(folder: Path) -> Any:
    """The flow as it is at the end of the tutorial's chapter on claims."""
    reader = Follower(folder, {})
    for block in blocks_of(DOCS / "tutorial.md"):
        if block.title.startswith("podcast.py"):
            reader.follow(block)
        if "transcribed = create" in block.text:
            break
    spec = importlib.util.spec_from_file_location("podcast", folder / "podcast.py")
    assert spec
    assert spec.loader
    flow = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(flow)
    return flow


def _busy_twice(flow: Any) -> Callable[[str], None]:
    attempts = itertools.count(1)

    def upload(title: str) -> None:
        if next(attempts) <= 2:
            raise ConnectionError("the server is busy")

    flow.send_mail = lambda workflow_id, text: None
    return upload


def draw() -> str:
    """Run an episode; returns its timeline as SVG."""
    with tempfile.TemporaryDirectory() as name, LocalSWF(start=NOON) as swf:
        flow = tutorial_flow(Path(name))
        flow.upload = _busy_twice(flow)
        claims.configure(f"file:{name}")
        client = swf.client()
        with clients.use(client):
            hosts = Hosts(swf, flow)
            client.start_workflow_execution(
                domain=flow.domain,
                workflowId=ID,
                workflowType={"name": flow.name, "version": "1.0"},
                input='{"recording": "rain-42.wav"}',
            )
            decision = {"workflowId": ID, "signalName": "decision", "input": '{"approved": true}'}
            signal = {"domain": flow.domain, **decision}
            hosts.at(NOON + 95, lambda: client.signal_workflow_execution(**signal))
            for second in range(LONGEST):  # a look at each second, for SWF's own timers
                hosts.at(NOON + second, lambda: None)
            hosts.work()
        claims.configure(None)
        return fit_page(svg.as_svg(timeline.timeline(swf.history(ID)), ID))


def fit_page(picture: str) -> str:
    """A picture that a page scales as a whole: on a phone its text is a little smaller."""
    size = re.compile(r'width="\d+" height="(\d+)"')
    return size.sub(rf'width="{WIDTH}" viewBox="0 0 {LAYOUT} \1"', picture, count=1)


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
