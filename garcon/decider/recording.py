"""What a flow writes into its history, so that every later decision reads the same (markers).

The n-th marker of a name that a run of the decider asks for is the n-th in the history. So a flow
that asks for them in the same order, as a decider does, finds what it has recorded.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from garcon import limits, payload
from garcon.decider.decisions import Decision, record_marker
from garcon.event import History


class Recorder:
    """The markers of one run of a decider.

    Args:
        history: What happened so far.
        add: Takes a decision.
    """

    def __init__(self, history: History, add: Callable[[Decision], None]) -> None:
        self._history = history
        self._add = add
        self._asked: Counter[str] = Counter()

    def is_recorded(self, name: str) -> bool:
        """Whether the next marker of that name is in the history."""
        return self._asked[name] < len(self._history.markers.get(_fit(name), ()))

    def value(self, name: str, find: Callable[[], Any]) -> Any:
        """The value recorded under the name; if there is none, ``find`` says it, once.

        Raises:
            payload.TooLarge: The value is longer than a marker holds.
            TypeError: JSON has no form for it.
        """
        what = f"The value of the marker {name}"
        is_recorded = self.is_recorded(name)
        number, self._asked[name] = self._asked[name], self._asked[name] + 1
        if is_recorded:
            return payload.decode(self._history.markers[_fit(name)][number], what)
        text = payload.encode(find(), what)
        self._add(record_marker(_fit(name), text))
        return payload.decode(text, what)  # as it will be read back: tuples are lists


def _fit(name: str) -> str:
    return limits.activity_id(name)  # marker names have the same bound
