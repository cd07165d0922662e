"""Spans of OpenTelemetry for executions, decisions and attempts.

The tree of a family of runs::

    execution tour                           at its close, with its whole duration
      decision tour                          one for each decision task
        schedule tour_settle_up              the first request for an activity's id
          attempt tour_settle_up             one for each attempt; the tasks' own spans below
        start concert
          execution concert                  the child that was started
      execution tour                         the run that continues this one

Rules:

1. An error of the SDK, or of a processor or sampler, is logged once; the task goes on.
2. Whether a span is sampled depends on its trace id alone, so that all processes agree: the sampler
   is asked for the trace's root, from any process.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self, TypeVar

from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from garcon.tracing import derived_ids as ids
from garcon.tracing.seam import Begun, Ending, Run, TracedAttempt, TracedClosing, TracedDecision
from garcon.version import VERSION

T = TypeVar("T")
Attributes = Mapping[str, str | int]

_LOGGER = logging.getLogger("garcon")

_NANOSECONDS = 1_000_000_000

_next_ids: ContextVar[tuple[int, int] | None] = ContextVar("garcon_span_ids", default=None)
"""Trace and span id of the span that is being made; ``None`` for the spans of others."""

_logged: list[bool] = []
"""Holds a value once an error was logged."""


class DerivedIds(IdGenerator):
    """The ids of garcon's spans, and for all others those of another generator."""

    def __init__(self, others: IdGenerator) -> None:
        self._others = others

    def generate_trace_id(self) -> int:
        """The id of a new trace."""
        derived = _next_ids.get()
        return derived[0] if derived else self._others.generate_trace_id()

    def generate_span_id(self) -> int:
        """The id of a new span."""
        derived = _next_ids.get()
        if derived is None:
            return self._others.generate_span_id()
        _next_ids.set(None)  # a processor may make a span of its own at the start of this one
        return derived[1]

    def is_trace_id_random(self) -> bool:
        """Whether the bits of the trace id are random."""
        return _next_ids.get() is None and self._others.is_trace_id_random()


class SpanBlock:
    """A span of garcon (``seam.TracedBlock``)."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        """Make it the current span."""
        self._token = _harmless(lambda: attach(set_span_in_context(self._span)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Make the span before it the current one again; end this one if its block raised."""
        if token := self._token:
            _harmless(lambda: detach(token))
        if kind:
            _harmless(lambda: self._span.set_attribute("error.type", kind.__qualname__))
            self.end(Ending("raised", is_error=True))

    def end(self, ending: Ending) -> None:
        """End it now."""
        _harmless(lambda: _end(self._span, ending))


class SpanTracer:
    """Makes the spans of one process (``seam.Tracer``).

    Args:
        provider: Where they go; its generator of ids is wrapped.
    """

    def __init__(self, provider: TracerProvider) -> None:
        open_provider: Any = provider  # the SDK's annotations name one of its own generators
        open_provider.id_generator = DerivedIds(open_provider.id_generator)
        self._sampler = open_provider.sampler
        self._tracer = provider.get_tracer("garcon", VERSION)

    def attempt(self, attempt: TracedAttempt) -> SpanBlock:
        """The span of an attempt, a child of the first request for its activity."""
        run = attempt.run
        attributes = _names(run, attempt.domain) | {
            "garcon.activity.id": attempt.activity_id,
            "garcon.activity.name": attempt.name,
            "garcon.event.id": attempt.event_id,
        }
        if attempt.task_list:
            attributes["garcon.task_list"] = attempt.task_list
        parent = ids.begun_span(run, attempt.activity_id, is_child=False)
        name, span_id = f"attempt {attempt.name}", ids.attempt_span(run, attempt.event_id)
        return self._block(_trace_of(attempt), name, span_id, parent, attributes)

    def decision(self, decision: TracedDecision) -> SpanBlock:
        """The span of a decision, a child of its execution."""
        run, span_id = decision.run, ids.decision_span(decision.run, decision.event_id)
        attributes = _of_workflow(decision) | {"garcon.event.id": decision.event_id}
        name, parent = f"decision {decision.workflow_type}", ids.execution_span(run)
        return self._block(_trace_of(decision), name, span_id, parent, attributes)

    def begun(self, decision: TracedDecision, things: Iterable[Begun]) -> None:
        """Make the spans of requests: they have no duration, and their attempts are below them."""
        for thing in things:
            _harmless(lambda thing=thing: self._begin(decision, thing))  # type: ignore[misc]

    def closed(self, closing: TracedClosing) -> None:
        """Make the span of the execution."""
        _harmless(lambda: self._close(closing))

    def _begin(self, decision: TracedDecision, thing: Begun) -> None:
        run = decision.run
        span_id = ids.repeated_span(run, thing.id, decision.event_id)
        if thing.is_first:
            span_id = ids.begun_span(run, thing.id, is_child=thing.is_child)
        name = f"{'start' if thing.is_child else 'schedule'} {thing.name}"
        attributes = _names(run, decision.domain) | _of_begun(thing)
        parent = ids.decision_span(run, decision.event_id)
        trace, kind = _trace_of(decision), SpanKind.PRODUCER
        self._start(trace, name, span_id, parent, kind=kind, attributes=attributes).end()

    def _close(self, closing: TracedClosing) -> None:
        decision, now = closing.decision, time.time_ns()
        span = self._start(
            _trace_of(decision),
            f"execution {decision.workflow_type}",
            ids.execution_span(decision.run),
            _above(closing),
            kind=SpanKind.INTERNAL,
            attributes=_of_workflow(decision),
            start=min(round(closing.began_at * _NANOSECONDS), now),
        )
        _end(span, closing.ending, now)

    def _block(
        self, trace: int, name: str, span_id: int, parent: int, attributes: Attributes
    ) -> SpanBlock:
        def start() -> Span:
            return self._start(
                trace, name, span_id, parent, kind=SpanKind.CONSUMER, attributes=attributes
            )

        return SpanBlock(_harmless(start) or INVALID_SPAN)

    def _start(
        self,
        trace: int,
        name: str,
        span_id: int,
        parent: int | None,
        *,
        kind: SpanKind,
        attributes: Attributes,
        start: int | None = None,
    ) -> Span:
        context = Context()
        if parent:
            context = set_span_in_context(NonRecordingSpan(self._remote(trace, parent)), context)
        token = _next_ids.set((trace, span_id))
        try:
            return self._tracer.start_span(name, context, kind, attributes, start_time=start)
        finally:
            _next_ids.reset(token)

    def _remote(self, trace: int, span_id: int) -> SpanContext:
        is_sampled = self._sampler.should_sample(Context(), trace, "garcon").decision.is_sampled()
        flags = TraceFlags(TraceFlags.SAMPLED if is_sampled else TraceFlags.DEFAULT)
        return SpanContext(trace, span_id, is_remote=True, trace_flags=flags)


def _trace_of(traced: TracedAttempt | TracedDecision) -> int:
    """The id of the trace: carried to this process, or derived if the run is the root."""
    return int(traced.trace, 16) if traced.trace else ids.trace_id(traced.run)


def _above(closing: TracedClosing) -> int | None:
    """The span above an execution's: the run that it continues, or its parent's request for it.

    The closing decision of the run before would say more, but a process that knows the new run
    alone cannot derive its id.
    """
    run = closing.decision.run
    if closing.continued:
        return ids.execution_span(Run(run.workflow_id, closing.continued))
    if closing.parent:
        return ids.begun_span(closing.parent, run.workflow_id, is_child=True)
    return None


def _names(run: Run, domain: str) -> dict[str, str | int]:
    return {
        "garcon.domain": domain,
        "garcon.workflow.id": run.workflow_id,
        "garcon.run.id": run.run_id,
    }


def _of_workflow(decision: TracedDecision) -> dict[str, str | int]:
    return _names(decision.run, decision.domain) | {
        "garcon.workflow.type": decision.workflow_type,
        "garcon.workflow.version": decision.workflow_version,
    }


def _of_begun(thing: Begun) -> dict[str, str | int]:
    if thing.is_child:
        return {"garcon.child.workflow.id": thing.id, "garcon.child.workflow.type": thing.name}
    return {
        "garcon.activity.id": thing.id,
        "garcon.activity.name": thing.name,
        "garcon.attempt": thing.attempt,
    }


def _end(span: Span, ending: Ending, at: int | None = None) -> None:
    span.set_attribute("garcon.outcome", ending.outcome)
    if ending.reason:
        span.set_attribute("garcon.reason", ending.reason)
    if ending.is_error:
        span.set_status(Status(StatusCode.ERROR, ending.reason))
    span.end(at)


def _harmless(call: Callable[[], T]) -> T | None:
    """The call's value; ``None`` if it raised (rule 1)."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - processors and samplers are code of others
        _log_once(error)
        return None


def _log_once(error: Exception) -> None:
    if _logged:
        return
    _logged.append(True)
    _LOGGER.error(
        "A span was not made, and later ones may not be either; the work goes on.", exc_info=error
    )
