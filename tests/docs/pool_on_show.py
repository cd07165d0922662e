"""A real pool for the pictures of its page: tasks of some seconds, and a worker that dies."""

from __future__ import annotations

import contextlib
import json
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from tests.processes.harness import LIMIT, Supervisor, local_swf, until

if TYPE_CHECKING:
    from collections.abc import Iterator

ALBUMS = 8

FLOW = """
import time
from garcon import activity, runner, task

domain, name = "photos", "album"
create = activity.create(domain, name)


@task.decorate(timeout=300)
def get(album):
    return {"photos": 6}


@task.decorate(timeout=60)
def shrink(photo):
    time.sleep(15 + 3 * photo)


def each_photo(context):
    return ({"photo": number} for number in range(context["photos"]))


fetch = create(name="fetch", run=runner.Sync(get.fill(album="album")))
resize = create(
    name="resize",
    retry=3,
    requires=[fetch],
    generators=[each_photo],
    run=runner.Sync(shrink.fill(photo="photo")),
)
"""


@contextlib.contextmanager
def pool() -> Iterator[str]:
    """The page's address of a pool that is at work; one of its workers has died with a task."""
    with (
        tempfile.TemporaryDirectory(prefix="garcon-") as folder,
        local_swf("--poll-seconds", "1", "--no-ghosts") as endpoint,
    ):
        Path(folder, "album.py").write_text(FLOW, encoding="utf-8")
        words = ["--flow", "album", "--workers", "4", "--pool", "fetch=2", "--http", "127.0.0.1:0"]
        words += ["--endpoint-url", endpoint, "--http-actions"]
        words += ["--scale", "resize=4..6", "--scale-interval", "1"]
        variables = {"PYTHONPATH": folder, "GARCON_CONTROL": f"{folder}/control.sock"}
        with Supervisor(*words, **variables) as running:
            url = running.ready_at()
            start(endpoint)
            busy = until(lambda: working(url, "resize"), "a worker that resizes a photo")
            next(each for each in running.titled("garcon:") if each.pid == busy[0]).kill()
            running.wait_for("worker_died")
            running.wait_for("reported")
            running.wait_for("scaled")
            until(lambda: len(working(url, "resize")) >= 4, "a replacement, and all at work")
            yield url


def start(endpoint: str) -> None:
    """Executions for some minutes."""
    swf = boto3.client("swf", endpoint_url=endpoint, region_name="us-east-1")
    for number in range(ALBUMS):
        swf.start_workflow_execution(
            domain="photos",
            workflowId=f"album-{number}",
            workflowType={"name": "album", "version": "1.0"},
            taskList={"name": "album"},
            input=json.dumps({"album": number}),
        )


def working(url: str, activity: str) -> list[int]:
    """The pids of the workers of an activity that have a task."""
    with urllib.request.urlopen(f"{url}/api/pool", timeout=LIMIT) as answer:  # noqa: S310 - our own
        workers: list[dict[str, Any]] = json.load(answer)["status"]["workers"]
    of_list = [each for each in workers if each["slot"] and each["task"]]
    return [each["pid"] for each in of_list if each["slot"]["task_list"]["short_name"] == activity]
