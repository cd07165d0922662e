"""Markers: values that a flow records in its history, so that every later decision reads the same.

The n-th marker of a name that a run requests is the n-th in the history. A decider requests them in
the same order in every run, so each request finds its record.

In a replay the history ends before the markers of the decision at hand; these are in
``replayed_markers``.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from garcon.aws import limits
from garcon.decider.decisions import record_marker
from garcon.decider.scheduling.run_record import RunRecord
from garcon.payload import codec


class MarkerRecorder:
    """The markers of one run.

    Args:
        record: The record of the run.
    """

    def __init__(self, record: RunRecord) -> None:
        self._record = record
        self._requests: Counter[str] = Counter()

    def is_recorded(self, name: str) -> bool:
        """Whether the next marker of that name is in the history."""
        return self._requests[name] < len(self._record.history.markers.get(_fit(name), ()))

    def is_skipped(self, name: str) -> bool:
        """Whether this is a replay of a decision that code without this marker made."""
        is_replay = self._record.history.replayed_markers is not None
        return is_replay and not self.is_recorded(name) and not self._replayed(name)

    def _replayed(self, name: str) -> list[str | None]:
        """In a replay, the details of the next markers that the recorded decision made."""
        known = len(self._record.history.markers.get(_fit(name), ()))
        replayed = (self._record.history.replayed_markers or {}).get(_fit(name), [])
        return replayed[self._requests[name] - known :]

    def effect(self, name: str, find: Callable[[], Any]) -> Any:
        """As ``value``, if ``find`` may return another value each time.

        A replay compares what followed from the value, so it takes the recorded one.
        """
        if not self.is_recorded(name) and (replayed := self._replayed(name)):
            recorded = codec.decode(replayed[0], f"The value of the marker {name}")
            return self.value(name, lambda: recorded)
        return self.value(name, find)

    def value(self, name: str, find: Callable[[], Any]) -> Any:
        """The value recorded under the name; if there is none, that of ``find`` is recorded.

        Raises:
            payload.TooLarge: The value is longer than a marker holds.
            TypeError: JSON has no form for it.
        """
        what = f"The value of the marker {name}"
        is_recorded = self.is_recorded(name)
        number, self._requests[name] = self._requests[name], self._requests[name] + 1
        if is_recorded:
            return codec.decode(self._record.history.markers[_fit(name)][number], what)
        text = codec.encode(find(), what)
        self._record.add(record_marker(_fit(name), text))
        return codec.decode(text, what)  # as later runs read it: tuples become lists


def _fit(name: str) -> str:
    return limits.activity_id(name)  # marker names have the same bound
