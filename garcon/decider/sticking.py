"""One process that sticks to its executions: what it polls, keeps, and tells SWF with its answers.

The rules are in ``sticky`` (the private list), ``reduced`` (what may be gone on from) and ``polls``
(two lists at once). The life of a task here: ``next`` receives it, ``reduce`` finds its state,
``members`` says what goes with the answer, ``answered`` hears whether SWF took it.
"""

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from garcon import limits, trouble
from garcon.decider.polls import Polls
from garcon.decider.reading import Reader, Received
from garcon.decider.reduced import Reduced
from garcon.decider.sticky import Sticky, private_list
from garcon.log import GarconLogger

Ask = Callable[[Mapping[str, Any]], Received]


@dataclass(frozen=True)
class _InHand:
    """A task that is being decided.

    Attributes:
        reduced: Its state; None if it could not be had.
        came_back: Whether it came by the private list.
    """

    reduced: Reduced | None
    came_back: bool


class Sticking(GarconLogger):
    """What one process knows and polls.

    Args:
        client: Gives the client for calls that are no polls.
        domain: The domain.
        task_list: The flow's own list.
        sticky: The settings.
    """

    def __init__(
        self, client: Callable[[], Any], domain: str, task_list: str, sticky: Sticky
    ) -> None:
        self._sticky = sticky
        self._shared = task_list
        self._reader = Reader(client, domain, sticky)
        self._polls: Polls[Received] = Polls()
        self._in_hand: dict[str, _InHand] = {}
        self._told = False  # whether SWF may know of the private list
        self._awaited = False  # whether more may come by it soon: it was named, or brought a task
        self._leaving = False

    @functools.cached_property
    def private(self) -> str:
        """The process's own list."""
        return private_list()

    def next(self, request: Mapping[str, Any], ask: Ask) -> Received:
        """The first answer of either list. The private one is polled once SWF was told of it.

        Args:
            request: The members of the poll of the flow's own list.
            ask: Makes one long poll.
        """
        # The latest page first: if the state is at hand, it is the only one needed.
        shared = functools.partial(ask, {**request, "reverseOrder": True})
        return self._polls.next({self._shared: shared, **self._own_poll(request, ask)})

    def _own_poll(self, request: Mapping[str, Any], ask: Ask) -> dict[str, Callable[[], Received]]:
        if not self._told:
            return {}
        self._awaited = False
        own = {"taskList": {"name": self.private}, "startAtPreviousStartedEvent": True}
        return {self.private: functools.partial(ask, {**request, **own})}

    def give_back(self) -> None:
        """Stick to nothing any more: each answer from now on names the flow's own list."""
        self._leaving = True

    def leave(
        self, request: Mapping[str, Any], ask: Ask, seconds: float | None = None
    ) -> Iterator[Received]:
        """Wait for the polls that are open: what they bring must be decided.

        For a while the private list is polled again as long as tasks come by it, so that the
        executions that go on just now are given back. The others wait for its timeout, once.

        Args:
            request: The members of the poll of the flow's own list.
            ask: Makes one long poll.
            seconds: That while; as long as a task may wait there if not given.
        """
        self.give_back()
        while_ = self._sticky.schedule_to_start if seconds is None else seconds
        until = time.monotonic() + while_
        while True:
            if self._awaited and time.monotonic() < until:
                self._polls.open_all(self._own_poll(request, ask))
            if not self._polls.open:
                return
            try:
                yield self._polls.wait()
            except trouble.ERRORS as error:
                self.logger.warning("A poll failed while leaving: %s", error)

    def reduce(self, task: Received) -> Reduced:
        """The state that the task is to be decided from; see ``Reader.read`` for what it raises."""
        came_back = task.request["taskList"]["name"] == self.private
        self._awaited |= came_back
        reduced = None
        try:
            reduced = self._reader.read(task)
        finally:
            self._in_hand[task["taskToken"]] = _InHand(reduced, came_back)
        return reduced

    def members(self, token: str) -> dict[str, Any]:
        """What the answer to a task says of the list for the next one."""
        in_hand = self._in_hand.get(token, _InHand(None, came_back=False))
        if in_hand.reduced and not self._leaving:
            # From here on SWF may know of it, though it is not heard that it took the answer.
            self._told = self._awaited = True
            seconds = limits.seconds(self._sticky.schedule_to_start)
            return {"taskList": {"name": self.private}, "taskListScheduleToStartTimeout": seconds}
        # For good: it is the execution's own list. A task that came by it is there already.
        return {"taskList": {"name": self._shared}} if in_hand.came_back else {}

    def answered(self, token: str, *, accepted: bool) -> None:
        """Keep the state of a task whose answer SWF accepted; forget that of any other."""
        in_hand = self._in_hand.pop(token, None)
        if in_hand and in_hand.reduced and accepted and not self._leaving:
            self._reader.cache.keep(in_hand.reduced)
