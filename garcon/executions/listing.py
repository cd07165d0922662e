"""Lists and counts of executions, the open and the closed ones as one.

SWF lists and counts open and closed executions apart, see ``criteria`` for its filters.
"""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from garcon.executions import parsing, recorded_history
from garcon.executions.criteria import Criteria
from garcon.executions.values import Execution, Summary

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

PAGE = 100  # executions; a list for people is seldom longer
LARGEST_PAGE = 1_000  # executions; SWF's bound
OLDEST = 0  # the epoch: SWF has nothing older

_OPEN = "list_open_workflow_executions"
_CLOSED = "list_closed_workflow_executions"


@dataclass(frozen=True, slots=True)
class Count:
    """A number of executions.

    Attributes:
        number: The number.
        truncated: Whether SWF stopped counting, so that there are more.
    """

    number: int
    truncated: bool = False


def take(
    swf: "SWFClient", domain: str, criteria: Criteria, limit: int | None
) -> tuple[Summary, ...]:
    """The executions that meet the criteria, latest start first, at most ``limit``.

    Raises:
        botocore.exceptions.ClientError: SWF refused the call.
    """
    page = PAGE if limit is not None and limit <= PAGE else LARGEST_PAGE
    return tuple(itertools.islice(found(swf, domain, criteria, page), limit))


def found(
    swf: "SWFClient", domain: str, criteria: Criteria, page: int = LARGEST_PAGE
) -> Iterator[Summary]:
    """The executions that meet the criteria, latest start first; a page is read when it is needed.

    Raises:
        botocore.exceptions.ClientError: SWF refused the call.
    """
    lists = [
        _listed(swf, operation, request, page)
        for operation, request in _requests(domain, criteria).items()
    ]
    summaries = heapq.merge(*lists, key=lambda summary: summary.started, reverse=True)
    matching = filter(criteria.matches, summaries)
    if not criteria.reasons:
        return matching
    return (each for each in matching if criteria.has_reason(_reason(swf, domain, each)))


def count(swf: "SWFClient", domain: str, criteria: Criteria) -> Count:
    """The number of executions that meet the criteria.

    SWF counts them if one filter selects them (CountOpen- and CountClosedWorkflowExecutions, a call
    each); otherwise they are listed, 1,000 a call.

    Raises:
        botocore.exceptions.ClientError: SWF refused the call.
    """
    if not criteria.are_sendable:
        return Count(sum(1 for _ in found(swf, domain, criteria)))
    calls: dict[str, Any] = {
        _OPEN: swf.count_open_workflow_executions,
        _CLOSED: swf.count_closed_workflow_executions,
    }
    requests = _requests(domain, criteria)
    answers = [calls[operation](**request) for operation, request in requests.items()]
    return Count(
        sum(answer["count"] for answer in answers), any(each.get("truncated") for each in answers)
    )


def _requests(domain: str, criteria: Criteria) -> dict[str, dict[str, Any]]:
    """The operations that list such executions, and the members of their calls."""
    times = {"oldestDate": criteria.since or OLDEST}
    members = {
        "domain": domain,
        "startTimeFilter": times | ({"latestDate": criteria.until} if criteria.until else {}),
    }
    open_ = {_OPEN: members | criteria.open_filter()} if criteria.lists_open else {}
    return open_ | ({_CLOSED: members | criteria.closed_filter()} if criteria.lists_closed else {})


def _reason(swf: "SWFClient", domain: str, summary: Summary) -> str | None:
    """The reason with which an execution closed."""
    latest = recorded_history.newest(swf, domain, summary.execution, 1)
    return recorded_history.attributes(latest[0]).get("reason")


def open_sample(swf: Any, domain: str, name: str, number: int) -> list[Summary]:
    """Open executions of a type: half of them those that started last, half the oldest ones.

    Args:
        swf: A client.
        domain: The domain.
        name: Name of the workflow type.
        number: The most executions.

    Raises:
        botocore.exceptions.ClientError: SWF refused a call.
    """
    request = _of_type(domain, name)
    newest = list(itertools.islice(_listed(swf, _OPEN, request, min(number, PAGE)), number))
    if len(newest) < number:
        return newest
    half = number // 2
    reverse = {**request, "reverseOrder": True}
    oldest = itertools.islice(_listed(swf, _OPEN, reverse, min(max(half, 1), PAGE)), half)
    found = {each.execution: each for each in (*newest[: number - half], *oldest)}
    return list(found.values())


def oldest_open(swf: Any, domain: str, name: str, number: int) -> list[Summary]:
    """Open executions of a type, the oldest ones first; a call for each thousand.

    Args:
        swf: A client.
        domain: The domain.
        name: Name of the workflow type.
        number: The most executions.

    Raises:
        botocore.exceptions.ClientError: SWF refused a call.
    """
    request = {**_of_type(domain, name), "reverseOrder": True}
    return list(itertools.islice(_listed(swf, _OPEN, request, min(number, LARGEST_PAGE)), number))


def latest(swf: "SWFClient", domain: str, workflow_id: str) -> Execution | None:
    """The open run of an id, else the run that started last.

    Raises:
        botocore.exceptions.ClientError: SWF refused the call.
    """
    request = {
        "domain": domain,
        "startTimeFilter": {"oldestDate": OLDEST},
        "executionFilter": {"workflowId": workflow_id},
    }
    runs = itertools.chain.from_iterable(
        _listed(swf, operation, request, 1) for operation in (_OPEN, _CLOSED)
    )
    return next((summary.execution for summary in runs), None)


def _of_type(domain: str, name: str) -> dict[str, Any]:
    """The request for all executions of a type, those that started last first."""
    return {
        "domain": domain,
        "startTimeFilter": {"oldestDate": OLDEST},
        "typeFilter": {"name": name},
    }


def _listed(swf: Any, operation: str, request: dict[str, Any], page: int) -> Iterator[Summary]:
    pages = swf.get_paginator(operation).paginate(**request, PaginationConfig={"PageSize": page})
    return (parsing.summary(info) for answer in pages for info in answer["executionInfos"])
