"""The task lists that one decider polls, and the list that each of its answers names.

Rules:

1. A decider that is not sticky polls the flow's own list; its answers name no list.
2. A sticky decider also polls its private list, from the moment that an answer may have named it.
   That is before SWF accepts the answer: the acceptance may be lost on its way.
3. An answer names the private list only if the execution's state is kept: another process, or this
   one without the state, would have to read the full history there.
4. A decider that is leaving gives its executions back: its answers name the flow's own list, for
   good. A task of the flow's own list needs no name for that.
5. A decider of a build may poll the list of its build, too, or it alone. A task that came by it was
   returned by code that does not fit: the next one comes by the same list, again with a timeout.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from garcon.aws import limits
from garcon.decider.sticky.stickiness import Sticky, private_list

Request = Mapping[str, Any]

BUILD_SECONDS = 30
"""Seconds that a decision task waits on the list of a build. Its deciders poll it all the time, so
a longer wait means that there is none, or that all of them are busy for half a minute."""


@dataclass(frozen=True)
class Build:
    """A build of the flow's code, and the task lists that one of its deciders serves.

    Attributes:
        id: Its id, at most 64 characters.
        serves_flow: Whether it polls the flow's own list.
        serves_build: Whether it polls the list of its build; one decider a host is enough.
    """

    id: str
    serves_flow: bool = True
    serves_build: bool = True


def build_list(flow_name: str, build: str) -> str:
    """The name of the task list that only deciders of a build poll."""
    ending = f"@{build}"
    return f"{flow_name[: limits.NAME - len(ending)]}{ending}"


class ListChoice:
    """Chooses the lists of one decider.

    Args:
        shared: The flow's own list.
        sticky: The settings; None for a decider that is not sticky.
        build: The decider's build; None for none.

    Attributes:
        shared: The flow's own list.
        own_build: The list of the decider's build; empty without one.
    """

    def __init__(self, shared: str, sticky: Sticky | None, build: Build | None = None) -> None:
        self.shared = shared
        self.own_build = build_list(shared, build.id) if build else ""
        self._polled = tuple(
            name
            for name, is_served in (
                (shared, build is None or build.serves_flow),
                (self.own_build, build is not None and build.serves_build),
            )
            if is_served
        )
        self._sticky = sticky
        takes_over = sticky is not None and sticky.takes_over
        self._is_private_known = takes_over  # an answer has named the private list
        self._expects_private_task = takes_over  # named or served since its last poll was requested
        self._is_leaving = False

    @functools.cached_property
    def private(self) -> str:
        """The process's own list. Named at its first use, because a fork needs another name."""
        return (self._sticky and self._sticky.private_list) or private_list()

    def give_back(self) -> None:
        """From now on, let answers name the flow's own list."""
        self._is_leaving = True

    def requests(self, request: Request) -> dict[str, Request]:
        """The polls to have open, by the name of their list.

        Args:
            request: Members of a plain poll of the flow's own list (PollForDecisionTask).
        """
        # The latest page first: if the state is kept, no other page is needed.
        order = {} if self._sticky is None else {"reverseOrder": True}
        requests: dict[str, Request] = {
            name: {**request, "taskList": {"name": name}, **order} for name in self._polled
        }
        return requests | self._private_request(request) if self._is_private_known else requests

    def last_requests(self, request: Request) -> dict[str, Request]:
        """The polls that a leaving decider still has to open, by the name of their list.

        Args:
            request: As for ``requests``.
        """
        return self._private_request(request) if self._expects_private_task else {}

    def _private_request(self, request: Request) -> dict[str, Request]:
        self._expects_private_task = False
        only_new_events = {"taskList": {"name": self.private}, "startAtPreviousStartedEvent": True}
        return {self.private: {**request, **only_new_events}}

    def is_private(self, request: Request) -> bool:
        """Whether a poll asked the private list."""
        return self._sticky is not None and request["taskList"]["name"] == self.private

    def drop_build(self, request: Request) -> bool:
        """Poll the list of the build no longer; returns whether this request was for it alone."""
        is_for_build = request["taskList"]["name"] == self.own_build
        if not is_for_build or self._polled == (self.own_build,):
            return False
        self._polled = (self.shared,)
        return True

    def place_of(self, request: Request) -> int:
        """The list that a poll asked: 0 the flow's own, 1 the private one, 2 that of the build."""
        name = request["taskList"]["name"]
        return 0 if name == self.shared else 2 if name == self.own_build else 1

    def note_private_task(self) -> None:
        """A task came by the private list, so that more may follow."""
        self._expects_private_task = True

    def answer_members(self, *, has_state: bool, came_by: str) -> dict[str, Any]:
        """The members of RespondDecisionTaskCompleted that name the list of the next task.

        Args:
            has_state: Whether the execution's state will be kept.
            came_by: The list that the task came by.
        """
        if self._sticky and has_state and not self._is_leaving:
            self._is_private_known = self._expects_private_task = True
            return _members(self.private, limits.seconds(self._sticky.schedule_to_start))
        if came_by == self.shared:
            return {}
        if came_by == self.own_build and not self._is_leaving:
            return _members(self.own_build, str(BUILD_SECONDS))
        return {"taskList": {"name": self.shared}}

    def members_of_build(self, build: str) -> dict[str, Any]:
        """The members that bring the next task to a decider of this build, if there is one."""
        return _members(build_list(self.shared, build), str(BUILD_SECONDS))

    @property
    def keeps_states(self) -> bool:
        """Whether later tasks of an execution may come back to this process."""
        return self._sticky is not None and not self._is_leaving


def _members(task_list: str, seconds: str) -> dict[str, Any]:
    # Never without the timeout: a list without a poller would keep the execution for good.
    return {"taskList": {"name": task_list}, "taskListScheduleToStartTimeout": seconds}
