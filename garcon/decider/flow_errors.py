"""Errors of a flow's own code while it is decided: they become decisions.

Rules:

1. An error fails the workflow: it is the reason, its traceback the details. Exceptions that end
   the process are none (``ENDS_PROCESS``).
2. A result that is not ready ends the decision quietly.
3. A non-deterministic decider decides nothing but a long wait: restored code can go on.
4. A claim store that does not answer decides nothing: the decision task times out and comes again.
"""

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

from garcon import claims
from garcon.activity import ActivityInstanceNotReadyException
from garcon.decider.decisions import Decision, fail_workflow
from garcon.decider.nondeterminism import NonDeterminism
from garcon.decider.response import long_wait
from garcon.history.states import Impossible
from garcon.user_code.exceptions import ENDS_PROCESS
from garcon.user_code.forks import end_child
from garcon.user_code.text import traceback_of


class ErrorsAsDecisions:
    """Within the block, an error replaces the decisions by the one that it leads to.

    Args:
        decisions: The decisions made within the block.
        report: Logs the error and passes it to the user's handler.

    Raises:
        ClaimStoreUnavailable: The claim store did not answer.
    """

    def __init__(
        self, decisions: list[Decision], report: Callable[[BaseException], object]
    ) -> None:
        self._decisions = decisions
        self._report = report
        self._process = os.getpid()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> bool:
        if os.getpid() != self._process:
            end_child("the decider", error)
        if isinstance(error, ActivityInstanceNotReadyException):
            return True
        if error is None or isinstance(error, (*ENDS_PROCESS, claims.ClaimStoreUnavailable)):
            return False
        self._decisions[:] = [_decision_of(error)]
        self._report(error)
        return True


def _decision_of(error: BaseException) -> Decision:
    if isinstance(error, NonDeterminism):
        return long_wait()
    if isinstance(error, Impossible):
        return fail_workflow(error, error.details)
    return fail_workflow(error, traceback_of(error))
