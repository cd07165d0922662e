"""Ids of traces and spans, derived from what SWF gives to every process that works on a run.

Rules:

1. A trace is one family of runs, by its root run; ``family_trace`` says how a process knows it.
2. The same thing has the same id in every process. So a worker can name the span of a decider as
   its parent, and no id of a span is carried from one to the other.
3. The bits of a digest are as even as random ones, which samplers by ratio need.
"""

import hashlib

from garcon.tracing.seam import Run

TRACE_BYTES, SPAN_BYTES = 16, 8  # W3C Trace Context


def trace_id(root: Run) -> int:
    """Id of the trace of a family, by its root run."""
    return _digest(TRACE_BYTES, "trace", root.workflow_id, root.run_id)


def execution_span(run: Run) -> int:
    """Id of a run from its start to its close."""
    return _digest(SPAN_BYTES, "execution", run.run_id)


def decision_span(run: Run, event_id: int) -> int:
    """Id of a decision, by the number of its DecisionTaskStarted event."""
    return _digest(SPAN_BYTES, "decision", run.run_id, str(event_id))


def begun_span(run: Run, id_: str, *, is_child: bool) -> int:
    """Id of the first request for an activity or child: all that its worker or decider knows."""
    return _digest(SPAN_BYTES, "child" if is_child else "activity", run.run_id, id_)


def repeated_span(run: Run, id_: str, event_id: int) -> int:
    """Id of a further request, by the number of its decision's DecisionTaskStarted event."""
    return _digest(SPAN_BYTES, "repeated", run.run_id, id_, str(event_id))


def attempt_span(run: Run, event_id: int) -> int:
    """Id of an attempt, by the number of its ActivityTaskStarted event."""
    return _digest(SPAN_BYTES, "attempt", run.run_id, str(event_id))


def _digest(size: int, *parts: str) -> int:
    text = "\0".join(("garcon", *parts))  # no id of SWF has a zero character
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:size]) or 1  # 0 is the invalid id
