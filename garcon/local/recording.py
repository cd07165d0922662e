"""Histories as files: fetched from any SWF, in the format of the AWS CLI.

    python -m garcon.local.recording --domain cafe order-17 > order-17.json

The file has the form of `aws swf get-workflow-execution-history`: {"events": [...]}. Timestamps are
written as seconds since the epoch, and may be text in files of the CLI; no code reads them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from garcon.payload import safe_json

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

Events: TypeAlias = list[dict[str, Any]]
"""The events of one history, oldest first, with the members of the model's HistoryEvent."""


def fetch(client: "SWFClient", domain: str, workflow_id: str, run_id: str | None = None) -> Events:
    """All events of one execution (GetWorkflowExecutionHistory).

    Args:
        client: client of SWF or of a local SWF.
        domain: domain of the execution.
        workflow_id: workflow id of the execution.
        run_id: by default the latest run: the open one, else the one started last.

    Raises:
        LookupError: the execution does not exist.
        botocore.exceptions.ClientError: the service refused a call.
    """
    run_id = run_id or latest_run(client, domain, workflow_id)
    pages = client.get_paginator("get_workflow_execution_history").paginate(
        domain=domain, execution={"workflowId": workflow_id, "runId": run_id}
    )
    return [_plain(event) for page in pages for event in page["events"]]


def latest_run(client: "SWFClient", domain: str, workflow_id: str) -> str:
    """The run id of the open run, else of the one started last.

    Raises:
        LookupError: there is no run within the retention period.
    """
    filters: Any = {
        "domain": domain,
        "executionFilter": {"workflowId": workflow_id},
        "startTimeFilter": {"oldestDate": 0},
    }
    infos = [
        *client.list_open_workflow_executions(**filters)["executionInfos"],
        *client.list_closed_workflow_executions(**filters)["executionInfos"],
    ]
    if not infos:
        raise LookupError(f"The domain {domain} has no execution {workflow_id}.")
    return infos[0]["execution"]["runId"]


def write(events: Events, path: Path) -> None:
    """Write a history to a file."""
    path.write_text(dumps(events), encoding="utf-8")


def dumps(events: Events) -> str:
    """A history as the text of a file."""
    return json.dumps({"events": events}, indent=1) + "\n"


def read(path: Path) -> Events:
    """The history in a file.

    Raises:
        ValueError: the file holds no history; the message names the file.
    """
    try:
        content = safe_json.loads_strictly(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} holds no history: {error}") from error
    events: Events | None = content.get("events") if isinstance(content, dict) else None
    if not events:
        raise ValueError(f'{path} holds no history: it should be {{"events": [...]}}')
    return events


def _plain(event: Any) -> dict[str, Any]:
    return {**event, "eventTimestamp": event["eventTimestamp"].timestamp()}


def main(argv: Sequence[str] | None = None) -> int:
    """Print a history; region, credentials and endpoint are those of boto3's configuration.

    Returns:
        The exit code: 1, with a sentence on standard error, if the history cannot be fetched.
    """
    parser = argparse.ArgumentParser(
        prog="python -m garcon.local.recording", description="Print the history of an execution."
    )
    parser.add_argument("--domain", required=True, help="domain of the execution")
    parser.add_argument("--run-id", help="default: the open run, else the one started last")
    parser.add_argument("workflow_id", help="workflow id of the execution")
    arguments = parser.parse_args(argv)
    try:
        client: SWFClient = boto3.client("swf")
        events = fetch(client, arguments.domain, arguments.workflow_id, arguments.run_id)
    except (LookupError, BotoCoreError, ClientError) as error:
        print(f"garcon.local.recording: {error}", file=sys.stderr)  # noqa: T201 - a command's message
        return 1
    sys.stdout.write(dumps(events))
    return 0


if __name__ == "__main__":
    sys.exit(main())
