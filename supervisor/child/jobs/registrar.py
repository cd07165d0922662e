"""The registrar: a startup job that registers the flow, once for all workers of a generation.

Rules:

1. It lists the registered types and registers only those that are missing: a restart that changes
   no type costs three calls. It reports the new ones, with the versions that were there before.
2. A final refusal by SWF is reported in a sentence, with its exit code. A transient error is
   retried, but not for long: after a mistyped address a person waits for that sentence. A throttle
   is waited out (``throttle_wait``).
3. A host without the claim store that open executions need is refused (``claim_check``).
4. A domain that a setting names, and not the flow, is registered only with ``--register-domain``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from setproctitle import setproctitle

from garcon import client
from garcon.aws import aws_errors
from garcon.aws.retrying import Clock, call_until_accepted
from garcon.decider.registration.existing_types import MissingType, missing
from garcon.decider.registration.flow_types import FORBIDDEN, RegistrableKind, RegistrationRefused
from garcon.decider.registration.flow_types import register as register_one
from garcon.utils import UNKNOWN, error_code
from supervisor import exit_codes
from supervisor.child.jobs import claim_check
from supervisor.child.jobs.throttle_wait import ThrottleWait
from supervisor.child.poll_backoff import BACKOFF, OutageLog, retry_logger
from supervisor.ipc import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.child.flow_loader import Flow
    from supervisor.child.shutdown import Shutdown

T = TypeVar("T")

DOMAIN = RegistrableKind.DOMAIN

REGISTER_SECONDS = 10.0
"""Seconds for which transient errors are retried: long enough for a hiccup."""

NAMED_TYPES = 50
"""New types that are reported by name: a flow's first registration may have more."""


def register(flow: Flow, worker: int, shutdown: Shutdown, *, types: bool) -> int:
    """Register the flow's types, or only check its domain; reports, and returns the exit code."""
    setproctitle(f"garcon: registering {flow.name}")
    own = getattr(flow.target, "client", None)
    what = f"registering {flow.name} in the domain {flow.domain}"

    log_retry, clock = retry_logger(what, OutageLog()), Clock(sleep=shutdown.wait)
    throttle_wait = ThrottleWait(what, shutdown)

    def call(attempt: Callable[[], T]) -> T:
        return call_until_accepted(
            partial(throttle_wait.call, attempt),
            REGISTER_SECONDS,
            log_retry,
            clock=clock,
            is_transient=_is_hiccup,
            backoff=BACKOFF,
        )

    try:
        new = (_register_types if types else _check_domain)(flow, client.calling(own), call)
    except RegistrationRefused as error:
        shutdown.send(messages.FlowRefused(worker, str(error), exit_codes.USAGE))
    except client.ERRORS as error:
        problem = client.explain(error, what, own)
        code = exit_codes.GAVE_UP if problem.transient else exit_codes.USAGE
        shutdown.send(messages.FlowRefused(worker, problem.sentence, code))
    else:
        refusal = claim_check.missing_store(flow, client.calling(own))
        shutdown.send(
            messages.FlowRefused(worker, refusal, exit_codes.USAGE)
            if refusal
            else messages.Registered(worker, new)
        )
    return 0


def _is_hiccup(error: Exception) -> bool:
    """Whether another attempt may help within seconds."""
    return aws_errors.is_transient(error) and not aws_errors.is_busy(error)


def _register_types(
    flow: Flow, swf: Any, call: Callable[[Callable[[], Any]], Any]
) -> tuple[str, ...]:
    """Register the missing types; returns their descriptions."""
    lacking: list[MissingType] = call(partial(missing, swf, flow.target))
    if not flow.may_register_domain:
        lacking = [each for each in lacking if each.registration.kind is not DOMAIN]
        if lacking:
            _ensure_domain(flow, swf, call)
    new = [str(each) for each in lacking if call(partial(register_one, swf, each.registration))]
    more = [f"and {len(new) - NAMED_TYPES} more"] if len(new) > NAMED_TYPES else []
    return (*new[:NAMED_TYPES], *more)


def _ensure_domain(flow: Flow, swf: Any, call: Callable[[Callable[[], Any]], Any]) -> None:
    try:
        call(partial(swf.describe_domain, name=flow.domain))
    except client.ERRORS as error:
        if error_code(error) in FORBIDDEN:
            return  # registering the types will find out
        if error_code(error) != UNKNOWN:
            raise
        raise RegistrationRefused(
            f"SWF has no domain {flow.domain}{_place(flow)}. Correct --domain (GARCON_DOMAIN), or"
            " register it with --register-domain: SWF deletes no domain."
        ) from error


def _place(flow: Flow) -> str:
    place = client.where(getattr(flow.target, "client", None))
    return f" at {place}" if place else ""


def _check_domain(
    flow: Flow, swf: Any, call: Callable[[Callable[[], Any]], Any]
) -> tuple[str, ...]:
    call(partial(swf.describe_domain, name=flow.domain))
    return ()
