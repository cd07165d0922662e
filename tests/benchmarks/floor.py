"""The floor of all costs: imports once, forks N workers, waits, replaces dead ones.

``python -m tests.benchmarks.floor N ENDPOINT``; it lacks readiness, backoff and reports.
"""

import os
import signal
import sys

import boto3
from botocore.config import Config

from tests.benchmarks import flow

client = boto3.client(
    "swf",
    endpoint_url=sys.argv[2],
    config=Config(read_timeout=70, retries={"total_max_attempts": 1}),
)
leaving = False


def leave(*_: object) -> None:
    """Finish the task in progress."""
    global leaving  # noqa: PLW0603 - forty lines
    leaving = True
    for each in workers:
        os.kill(each, signal.SIGTERM)


def fork() -> int:
    """One worker: poll, do, complete."""
    if pid := os.fork():
        return pid
    workers.clear()
    while not leaving:
        task = client.poll_for_activity_task(
            domain=flow.domain,
            taskList={"name": str(flow.noop.task_list)},
            identity=str(os.getpid()),
        )
        if task.get("taskToken"):
            client.respond_activity_task_completed(taskToken=task["taskToken"], result="{}")
    os._exit(0)


workers: set[int] = set()
signal.signal(signal.SIGTERM, leave)
workers.update(fork() for _ in range(int(sys.argv[1])))
while workers:
    workers.discard(os.wait()[0])
    if not leaving:
        workers.add(fork())
