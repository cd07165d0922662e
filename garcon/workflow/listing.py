"""Lists of executions, open and closed, as one.

SWF lists open and closed executions apart and takes one filter beside the time: the narrowest is
sent, and the others are applied to what comes back.
"""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from garcon.workflow import reading
from garcon.workflow.values import Execution, Status, Summary

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

PAGE = 100  # executions; a list for people is seldom longer
EVER = 0  # the epoch: SWF has nothing older


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which executions; what is ``None`` does not matter.

    Attributes:
        name: Of the workflow type.
        status: Open, or how they closed.
        tag: One of their tags.
        since: When they were started at the earliest.
    """

    name: str | None = None
    status: Status | None = None
    tag: str | None = None
    since: datetime | None = None

    def fits(self, each: Summary) -> bool:
        """Whether an execution is wanted, of those with the tag; a tag is always SWF's filter."""
        return self.name in (None, each.name) and self.status in (None, each.status)

    @property
    def filter(self) -> dict[str, Any]:
        """The one filter to send."""
        if self.tag:
            return {"tagFilter": {"tag": self.tag}}
        if self.status not in (None, Status.OPEN):
            return {"closeStatusFilter": {"status": str(self.status)}}
        return {"typeFilter": {"name": self.name}} if self.name else {}


def take(swf: "SWFClient", domain: str, wanted: Wanted, limit: int) -> tuple[Summary, ...]:
    """The executions wanted, latest start first.

    Raises:
        botocore.exceptions.ClientError: SWF refused.
    """
    lists = {
        Status.OPEN: ("list_open_workflow_executions",),
        None: ("list_open_workflow_executions", "list_closed_workflow_executions"),
    }.get(wanted.status, ("list_closed_workflow_executions",))
    asked = {
        "domain": domain,
        "startTimeFilter": {"oldestDate": wanted.since or EVER},
        **wanted.filter,
    }
    found = heapq.merge(
        *(_listed(swf, each, asked, PAGE) for each in lists),
        key=lambda each: each.started,
        reverse=True,
    )
    return tuple(itertools.islice(filter(wanted.fits, found), limit))


def latest(swf: "SWFClient", domain: str, workflow_id: str) -> Execution | None:
    """The open run of an id, else the one started last.

    Raises:
        botocore.exceptions.ClientError: SWF refused.
    """
    asked = {
        "domain": domain,
        "startTimeFilter": {"oldestDate": EVER},
        "executionFilter": {"workflowId": workflow_id},
    }
    runs = itertools.chain.from_iterable(
        _listed(swf, each, asked, 1)
        for each in ("list_open_workflow_executions", "list_closed_workflow_executions")
    )
    return next((each.execution for each in runs), None)


def _listed(swf: Any, operation: str, asked: dict[str, Any], page: int) -> Iterator[Summary]:
    pages = swf.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": page})
    return (reading.summary(each) for told in pages for each in told["executionInfos"])
