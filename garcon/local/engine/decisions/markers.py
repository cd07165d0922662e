"""RecordMarker: a note in the history; nothing can go wrong with it."""

from garcon.local.engine.decisions.turn import Turn
from garcon.local.engine.messages import Body
from garcon.local.engine.wire import given


def record_marker(turn: Turn, request: Body) -> None:
    """RecordMarker."""
    turn.record("MarkerRecorded", given(request, "markerName", "details"))
