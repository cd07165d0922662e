"""Errands that a fork is made for: registering the flow, and speaking for the dead.

Rules of this file:

1. An errand does one thing and ends. What SWF refuses for good is said in a sentence; what may pass
   is tried again, with rests, for as long as the supervisor's patience lasts.
2. A reporter knows nothing but the task's token and what to say. That SWF no longer knows the task
   counts as done: somebody, or a timeout, was quicker.
3. A decision task cannot be failed (there is no such call). It is answered with a timer of zero
   seconds, which makes the next decision task come at once.
"""

from __future__ import annotations

import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from setproctitle import setproctitle

from garcon import client, decider
from garcon.decider.registration import register as register_one
from garcon.decider.registration import registration
from supervisor import log, messages
from supervisor.flow import CANNOT_KEEP_ALIVE, USAGE
from supervisor.messages import Result
from supervisor.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.flow import Flow
    from supervisor.leaving import Leaving

GONE = "UnknownResourceFault"
"""SWF's word for a task that is answered or timed out, or whose execution has closed."""

REGISTER_SECONDS = 10.0
"""Seconds that a passing trouble may last at the start: a hiccup does; an address that is wrong
does not, and whoever waits for the sentence should not wait long."""

REPORT_SECONDS = 60.0
"""Seconds that one reporter tries: then it ends, and the supervisor rests and forks another."""


def register(flow: Flow, worker: int, leaving: Leaving, *, types: bool) -> int:
    """Register what the flow needs, or only look for its domain; say how that went."""
    setproctitle(f"garcon: registering {flow.name}")
    own = getattr(flow.target, "client", None)
    swf = client.calling(own)
    what = f"registering {flow.name} in the domain {flow.domain}"
    try:
        if types:
            for each in registration(flow.target):
                _insist(partial(register_one, swf, each), what, leaving, REGISTER_SECONDS)
        else:
            look = partial(swf.describe_domain, name=flow.domain)
            _insist(look, what, leaving, REGISTER_SECONDS)
    except decider.RegistrationRefused as error:
        leaving.say(messages.Refused(worker, str(error), USAGE))
    except client.ERRORS as error:
        trouble = client.explain(error, what, own)
        code = CANNOT_KEEP_ALIVE if trouble.passing else USAGE
        leaving.say(messages.Refused(worker, trouble.sentence, code))
    else:
        leaving.say(messages.Registered(worker))
    return 0


def report(flow: Flow, order: messages.Report, worker: int, leaving: Leaving) -> int:
    """Tell SWF that the task's holder died, and say so."""
    task = order.task
    setproctitle(f"garcon: reporting {task.activity_id or 'a decision'} of {task.workflow_id}")
    own = getattr(flow.target, "client", None)
    what = f"reporting that {task.activity_id or 'a decision'} of {task.workflow_id} was lost"
    try:
        _insist(lambda: _tell(order, own), what, leaving, REPORT_SECONDS)
    except ClientError as error:
        if error.response["Error"]["Code"] != GONE:
            raise
        leaving.say(messages.Done(worker, Result.GONE))
    else:
        leaving.say(messages.Done(worker, Result.FAILED))
    return 0


def _tell(order: messages.Report, own: object) -> None:
    swf: Any = client.calling(own)  # boto3's stubs ask for more precise decisions than garcon's
    token = order.task.token
    match order.answer:
        case messages.Complete(result):
            swf.respond_activity_task_completed(taskToken=token, **_given(result=result))
        case messages.Fail(reason, details):
            swf.respond_activity_task_failed(
                taskToken=token, reason=reason, **_given(details=details)
            )
        case messages.Cancel(details):
            swf.respond_activity_task_canceled(taskToken=token, **_given(details=details))
        case messages.HandBack():
            swf.respond_decision_task_completed(taskToken=token, decisions=decider.hand_back())


def _given(**texts: str | None) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None}


def _insist(attempt: Callable[[], object], what: str, leaving: Leaving, seconds: float) -> None:
    """Attempt until it works, is refused for good, or the time is over."""
    outage, until = Outage(random.Random()), time.monotonic() + seconds
    while True:
        try:
            attempt()
        except client.ERRORS as error:
            trouble = client.explain(error, what)
            rest, speak = outage.failed(time.monotonic())
            if not trouble.passing or leaving.asked or time.monotonic() + rest > until:
                raise
            if speak:
                log.LOGGER.warning("%s Trying again.", trouble.sentence)
            leaving.rest(rest)
        else:
            return
