"""Which activities of a flow without a decider are worth a look at this decision.

A flow of thousands of activities has few that can change: those whose requirements have completed
and that have not completed themselves. They are found from those of the decision before, so that a
decision costs what has changed, not what there is.

Rules:

1. An activity without generators is *settled* once it and all that it requires has completed. That
   is for good: its one instance does not depend on the context, and what has completed is never
   scheduled again.
2. An activity with generators, or that requires one (or one that is not the flow's), is *loose*:
   its instances may change with every result, so it is looked at each time.
3. The outcome is that of looking at everything, whichever decisions were made before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from garcon.activity import Activity, ActivityState, Progress

States = Mapping[str, Mapping[str, ActivityState]]


class Graph:
    """Who requires whom; the same for all executions of a flow.

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
        self.loose = self._with_dependents(
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
    """How far one execution is.

    Args:
        graph: Of its flow.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._missing = {each: len(set(each.requires)) for each in graph.places}
        self._settled: set[Activity] = set()
        self._live = {each for each, missing in self._missing.items() if not missing}
        self._live -= graph.loose
        self._names_seen = 0
        self._strangers: list[str] = []

    def strangers(self, states: dict[str, Any]) -> list[str]:
        """The names of activities in the history that the flow does not have.

        Args:
            states: By activity name; at each look those of the look before, and new ones.
        """
        new = islice(reversed(states), len(states) - self._names_seen)
        self._strangers += [each for each in new if each not in self._graph.names]
        self._names_seen = len(states)
        return self._strangers

    def look(self, states: States, context: Mapping[str, Any]) -> "View":
        """What is to be looked at, now that the execution is in these states.

        Args:
            states: By activity name and id; later ones than at the last look.
            context: The context of the execution.
        """
        view = View(states, context, self._settled)
        left = list(self._live)
        while left:
            each = left.pop()
            if view.completed(each):
                left += self._settle(each)
        view.live = self._graph.in_order(self._live | self._graph.loose)
        view.beyond = len(self._graph.places) - len(view.live) - len(self._settled)
        return view

    def _settle(self, activity: Activity) -> list[Activity]:
        """It is settled; those that waited for it alone are live now."""
        self._live.discard(activity)
        self._settled.add(activity)
        freed = []
        for each in self._graph.dependents[activity]:
            self._missing[each] -= 1
            if not self._missing[each] and each not in self._graph.loose:
                freed.append(each)
        self._live.update(freed)
        return freed


class View(Progress):
    """How far the activities are at one decision.

    Attributes:
        live: Those worth a look, in the flow's order.
        beyond: How many still wait for others.
    """

    def __init__(self, states: States, context: Mapping[str, Any], settled: set[Activity]) -> None:
        super().__init__(states, context)
        self._settled = settled
        self.live: list[Activity] = []
        self.beyond = 0

    def completed(self, activity: Activity) -> bool:
        """Whether all its instances have completed, and all it requires."""
        return activity in self._settled or super().completed(activity)

    @property
    def all_completed(self) -> bool:
        """Whether every activity of the flow has completed."""
        return not self.beyond and all(self.completed(each) for each in self.live)
