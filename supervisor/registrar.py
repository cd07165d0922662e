"""The registrar: a fork that registers the flow, once for all workers of a generation.

What SWF refuses for good is said in a sentence, with the exit code that fits. What may pass is
tried again, but not for long: whoever has just typed a wrong address waits for the sentence.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from setproctitle import setproctitle

from garcon import client, decider, trouble
from garcon.decider.registering import register as register_one
from garcon.decider.registering import registration
from supervisor import messages
from supervisor.flow import CANNOT_KEEP_ALIVE, USAGE
from supervisor.insisting import insist

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.flow import Flow
    from supervisor.leaving import Leaving

REGISTER_SECONDS = 10.0
"""Seconds that a passing trouble may last at the start: a hiccup does."""


def register(flow: Flow, worker: int, leaving: Leaving, *, types: bool) -> int:
    """Register what the flow needs, or only look for its domain; say how that went."""
    setproctitle(f"garcon: registering {flow.name}")
    own = getattr(flow.target, "client", None)
    what = f"registering {flow.name} in the domain {flow.domain}"
    try:
        for call in _calls(flow, client.calling(own), types=types):
            insist(call, what, REGISTER_SECONDS, leaving.rest, trouble.is_passing)
    except decider.RegistrationRefused as error:
        leaving.say(messages.Refused(worker, str(error), USAGE))
    except client.ERRORS as error:
        told = client.explain(error, what, own)
        code = CANNOT_KEEP_ALIVE if told.passing else USAGE
        leaving.say(messages.Refused(worker, told.sentence, code))
    else:
        leaving.say(messages.Registered(worker))
    return 0


def _calls(flow: Flow, swf: object, *, types: bool) -> list[Callable[[], object]]:
    if not types:
        return [partial(swf.describe_domain, name=flow.domain)]  # type: ignore[attr-defined]  # boto3 makes it
    return [partial(register_one, swf, each) for each in registration(flow.target)]
