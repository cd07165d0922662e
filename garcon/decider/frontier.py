"""The activities of a flow without a decider to check at the next decision.

In a flow of thousands of activities few can change: those whose requirements have completed and
that have not completed themselves. They are found from those of the decision before, so the cost of
a decision depends on what has changed, not on the size of the flow.

Rules:

1. An activity without generators is *done* once it and all that it requires has completed. It stays
   so: its one instance does not depend on the context, and a completed instance is never scheduled
   again.
2. An activity with generators, or that requires one (or one that is not the flow's), is *dynamic*:
   its instances may change with every result, so it is checked each time.
3. The outcome equals that of checking everything, whichever decisions were made before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from garcon.activity import Activity, ActivityState, FlowProgress

States = Mapping[str, Mapping[str, ActivityState]]


class Graph:
    """The requirements between a flow's activities; the same for all its executions.

    Args:
        activities: All activities of the flow, in its order.
    """

    def __init__(self, activities: Sequence[Activity]) -> None:
        self.places = {each: place for place, each in enumerate(activities)}
        self.names = frozenset(str(each.name) for each in activities)
        self.dependents: dict[Activity, list[Activity]] = defaultdict(list)
        for each in activities:
            for required in set(each.requires):
                self.dependents[required].append(each)
        own = self.places.keys()
        self.dynamic = self._with_dependents(
            each for each in activities if each.generators or not own >= set(each.requires)
        )

    def in_order(self, activities: Iterable[Activity]) -> list[Activity]:
        """These, in the flow's order."""
        return sorted(activities, key=self.places.__getitem__)

    def _with_dependents(self, activities: Iterable[Activity]) -> frozenset[Activity]:
        found: set[Activity] = set()
        left = list(activities)
        while left:
            each = left.pop()
            if each not in found:
                found.add(each)
                left += self.dependents[each]
        return frozenset(found)


class Frontier:
    """The progress of one execution through its flow.

    Args:
        graph: The flow's graph.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._missing = {each: len(set(each.requires)) for each in graph.places}
        self._done: set[Activity] = set()
        self._live = {each for each, missing in self._missing.items() if not missing}
        self._live -= graph.dynamic
        self._names_seen = 0
        self._foreign_names: list[str] = []

    def foreign_names(self, states: dict[str, Any]) -> list[str]:
        """The names of activities in the history that the flow does not have.

        Args:
            states: By activity name; at each call those of the call before, and new ones.
        """
        new = islice(reversed(states), len(states) - self._names_seen)
        self._foreign_names += [each for each in new if each not in self._graph.names]
        self._names_seen = len(states)
        return self._foreign_names

    def view(self, states: States, context: Mapping[str, Any]) -> "View":
        """The activities to check, now that the execution is in these states.

        Args:
            states: By activity name and id; not older than at the last call.
            context: The context of the execution.
        """
        view = View(states, context, self._done)
        left = list(self._live)
        while left:
            each = left.pop()
            if view.completed(each):
                left += self._mark_done(each)
        view.live = self._graph.in_order(self._live | self._graph.dynamic)
        view.blocked = len(self._graph.places) - len(view.live) - len(self._done)
        return view

    def _mark_done(self, activity: Activity) -> list[Activity]:
        """Returns the activities that waited for this one alone: they are live now."""
        self._live.discard(activity)
        self._done.add(activity)
        freed = []
        for each in self._graph.dependents[activity]:
            self._missing[each] -= 1
            if not self._missing[each] and each not in self._graph.dynamic:
                freed.append(each)
        self._live.update(freed)
        return freed


class View(FlowProgress):
    """The progress of the activities at one decision.

    Attributes:
        live: The activities to check, in the flow's order.
        blocked: The number of activities that still wait for others.
    """

    def __init__(self, states: States, context: Mapping[str, Any], done: set[Activity]) -> None:
        super().__init__(states, context)
        self._done = done
        self.live: list[Activity] = []
        self.blocked = 0

    def completed(self, activity: Activity) -> bool:
        """Whether all its instances have completed, and all it requires."""
        return activity in self._done or super().completed(activity)

    @property
    def all_completed(self) -> bool:
        """Whether every activity of the flow has completed."""
        return not self.blocked and all(self.completed(each) for each in self.live)
