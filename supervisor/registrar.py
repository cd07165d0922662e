"""The registrar: a fork that registers the flow, once for all workers of a generation.

Rules of this file:

1. What is there is listed, and only what is not there is registered: a restart that changes no type
   costs three calls. What was new is told, with the versions that were there.
2. What SWF refuses for good is said in a sentence, with the exit code that fits. What may pass is
   tried again, but not for long: whoever has just typed a wrong address waits for the sentence.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from setproctitle import setproctitle

from garcon import client, decider, trouble
from garcon.decider.registering import register as register_one
from supervisor import exits, messages
from supervisor.insisting import insist

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.flow import Flow
    from supervisor.leaving import Leaving

T = TypeVar("T")

REGISTER_SECONDS = 10.0
"""Seconds that a passing trouble may last at the start: a hiccup does."""

TOLD = 50
"""New types that are told of: of a flow's first registration there may be more."""


def register(flow: Flow, worker: int, leaving: Leaving, *, types: bool) -> int:
    """Register what the flow needs, or only look for its domain; say how that went."""
    setproctitle(f"garcon: registering {flow.name}")
    own = getattr(flow.target, "client", None)
    what = f"registering {flow.name} in the domain {flow.domain}"

    def call(attempt: Callable[[], T]) -> T:
        return insist(attempt, what, REGISTER_SECONDS, leaving.rest, trouble.is_passing)

    try:
        new = (_register if types else _look)(flow, client.calling(own), call)
    except decider.RegistrationRefused as error:
        leaving.say(messages.Refused(worker, str(error), exits.USAGE))
    except client.ERRORS as error:
        told = client.explain(error, what, own)
        code = exits.GAVE_UP if told.passing else exits.USAGE
        leaving.say(messages.Refused(worker, told.sentence, code))
    else:
        leaving.say(messages.Registered(worker, new))
    return 0


def _register(flow: Flow, swf: Any, call: Callable[[Callable[[], Any]], Any]) -> tuple[str, ...]:
    """Register what is missing; returns what was new."""
    missing: list[decider.Missing] = call(partial(decider.missing, swf, flow.target))
    new = [str(each) for each in missing if call(partial(register_one, swf, each.wanted))]
    more = [f"and {len(new) - TOLD} more"] if len(new) > TOLD else []
    return (*new[:TOLD], *more)


def _look(flow: Flow, swf: Any, call: Callable[[Callable[[], Any]], Any]) -> tuple[str, ...]:
    call(partial(swf.describe_domain, name=flow.domain))
    return ()
