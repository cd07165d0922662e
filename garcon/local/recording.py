"""Histories as files: taken from any SWF, kept as the AWS CLI writes them.

    python -m garcon.local.recording --domain cafe order-17 > order-17.json

The file is what `aws swf get-workflow-execution-history` prints: {"events": [...]}. Timestamps are
seconds since the epoch when written here, and may be text in files of others; nobody reads them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from garcon import untrusted

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

Events: TypeAlias = list[dict[str, Any]]
"""The events of one history, oldest first, with the members of the model's HistoryEvent."""


def fetch(client: "SWFClient", domain: str, workflow_id: str, run_id: str | None = None) -> Events:
    """All events of one execution (GetWorkflowExecutionHistory).

    Args:
        client: of the service, or of a local one.
        domain: where it runs or ran.
        workflow_id: which it is.
        run_id: the latest run if not given: the open one, else the one started last.

    Raises:
        LookupError: there is no such execution.
        botocore.exceptions.ClientError: the service refused.
    """
    run_id = run_id or latest_run(client, domain, workflow_id)
    pages = client.get_paginator("get_workflow_execution_history").paginate(
        domain=domain, execution={"workflowId": workflow_id, "runId": run_id}
    )
    return [_plain(event) for page in pages for event in page["events"]]


def latest_run(client: "SWFClient", domain: str, workflow_id: str) -> str:
    """The run id of the open run, else of the one started last.

    Raises:
        LookupError: the service remembers none.
    """
    wanted: Any = {
        "domain": domain,
        "executionFilter": {"workflowId": workflow_id},
        "startTimeFilter": {"oldestDate": 0},
    }
    found = [
        *client.list_open_workflow_executions(**wanted)["executionInfos"],
        *client.list_closed_workflow_executions(**wanted)["executionInfos"],
    ]
    if not found:
        raise LookupError(f"The domain {domain} has no execution {workflow_id}.")
    return found[0]["execution"]["runId"]


def write(events: Events, path: Path) -> None:
    """Keep a history."""
    path.write_text(dumps(events), encoding="utf-8")


def dumps(events: Events) -> str:
    """A history as the text of a file."""
    return json.dumps({"events": events}, indent=1) + "\n"


def read(path: Path) -> Events:
    """A history that was kept.

    Raises:
        ValueError: the file holds none.
    """
    try:
        told = untrusted.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} holds no history: {error}") from error
    events: Events | None = told.get("events") if isinstance(told, dict) else None
    if not events:
        raise ValueError(f'{path} holds no history: it should be {{"events": [...]}}')
    return events


def _plain(event: Any) -> dict[str, Any]:
    return {**event, "eventTimestamp": event["eventTimestamp"].timestamp()}


def main(argv: Sequence[str] | None = None) -> int:
    """Print a history; the region, credentials and endpoint are those boto3 finds.

    Returns:
        The exit code: 1, and a sentence on standard error, if there is no such history.
    """
    parser = argparse.ArgumentParser(
        prog="python -m garcon.local.recording", description="Print the history of an execution."
    )
    parser.add_argument("--domain", required=True, help="where it runs or ran")
    parser.add_argument("--run-id", help="the open run, or the one started last, if not given")
    parser.add_argument("workflow_id", help="which execution")
    said = parser.parse_args(argv)
    try:
        client: SWFClient = boto3.client("swf")
        events = fetch(client, said.domain, said.workflow_id, said.run_id)
    except (LookupError, BotoCoreError, ClientError) as error:
        print(f"garcon.local.recording: {error}", file=sys.stderr)  # noqa: T201 - for the person
        return 1
    sys.stdout.write(dumps(events))
    return 0


if __name__ == "__main__":
    sys.exit(main())
