"""One service: requests are validated, given to the engine, and kept in the journal if it has one.

This module has no clock, lock or socket: `threaded_service` and `async_service` carry requests
here, each in its own way. The outcome of a request is the engine's.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garcon.local.engine import (
    EMPTY_POLLS,
    Answer,
    Engine,
    ExecutionSummary,
    Fault,
    Invocation,
    LostTask,
    Settings,
    Waiting,
    Wakeup,
)
from garcon.local.service import protocol, request_validation
from garcon.local.service.journal import Journal, JournalEntry, JournalError, choose_seed
from garcon.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGGER = logging.getLogger("garcon.local")

READING = (
    "Describe",
    "List",
    "Count",
    "GetWorkflowExecutionHistory",
)
"""Beginnings of the names of operations that change nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call, not yet validated: operation, body, and the region it was signed for."""

    operation: str
    body: bytes
    region: str = ""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.operation.startswith(READING)

    @property
    def polls(self) -> bool:
        """Whether it polls for a task."""
        return self.operation in EMPTY_POLLS


@dataclass(frozen=True, slots=True)
class _Poll:
    """A waiting poll in the form of a journal entry."""

    place: int
    at: float
    operation: str
    params: dict[str, Any]


class Service:
    """The engine and its journal.

    Args:
        settings: figures of the engine.
        seed: source of run ids; None takes the journal's, or a new one.
        lambda_available: whether the shell runs lambda functions.
        state: the journal's file, to continue from and to keep; None keeps nothing.

    Attributes:
        seed: the seed in use.
        engine: the engine.
        latest: time of the latest input, in seconds since the epoch; a clock must not be earlier.

    Raises:
        JournalError: the file cannot be continued.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        seed: int | None = 0,
        lambda_available: bool = False,
        state: Path | None = None,
    ) -> None:
        settings = settings or Settings()
        self._journal = Journal(state, _origin(settings), seed) if state else None
        self.seed = self._journal.seed if self._journal else choose_seed(seed)
        self.engine = Engine(settings, seed=self.seed, lambda_available=lambda_available)
        self.latest = 0.0
        self._polls: dict[str, _Poll] = {}
        if self._journal:
            self._continue(self._journal)

    def call(self, request: Request, now: float, poller: str) -> Answer | Waiting:
        """Validate and carry out one request.

        Args:
            request: the call.
            now: the time, in seconds since the epoch.
            poller: label of the caller, for requests without an identity.

        Raises:
            Fault: the call is refused and has changed nothing.
        """
        protocol.check_size(request.body)
        params = request_validation.read_request(request.operation, request.body)
        label = params.get("identity") or poller
        outcome = self.engine.call(
            request.operation, params, now, poller=label, region=request.region
        )
        if self._journal and not request.reads:
            self._keep(self._journal, request.operation, params, now, outcome)
        return outcome

    def _keep(
        self,
        journal: Journal,
        operation: str,
        params: dict[str, Any],
        now: float,
        outcome: Answer | Waiting,
    ) -> None:
        if isinstance(outcome, Waiting):
            self._polls[outcome.poll_id] = _Poll(journal.reserve(), now, operation, params)
        elif not params.get("nextPageToken"):  # a request for a further page changes nothing
            journal.write(now, operation, params)

    def take_wakeups(self) -> list[Wakeup]:
        """Remove and return the answers of waiting polls; the inputs that led to them are kept.

        Raises:
            JournalError: the journal cannot be written.
        """
        wakeups = self.engine.take_wakeups()
        if self._journal:
            for wakeup in wakeups:
                poll = self._polls.pop(wakeup.poll_id, None)
                if poll and "taskToken" in wakeup.answer.body:
                    _write(self._journal, poll)
            self._journal.flush()
        for task in self.engine.take_lost_tasks():
            _log_lost(task)
        return wakeups

    def disconnect(self, poll_id: str, now: float) -> None:
        """Report that the connection of a waiting poll is gone."""
        self.engine.disconnect(poll_id, now)
        poll = self._polls.pop(poll_id, None)
        if self._journal and poll:
            _write(self._journal, poll)
            self._journal.write(now, "disconnect", {"poll": poll.place})

    def execution(self, run_id: str) -> ExecutionSummary:
        """The execution with this run id.

        Raises:
            LookupError: the execution does not exist, or no longer.
        """
        if run := self.engine.execution(run_id):
            return run
        raise LookupError(f"There is no execution with the run id {run_id!r}.")

    def find(self, workflow_id: str, run_id: str | None = None) -> ExecutionSummary:
        """The execution with these ids, or the latest one of the workflow id.

        Raises:
            LookupError: the execution does not exist, or no longer.
        """
        if run_id is not None:
            return self.execution(run_id)
        for run in self.engine.executions():
            if run.workflow_id == workflow_id:
                return run
        raise LookupError(f"There is no execution with the workflow id {workflow_id!r}.")

    def finish_lambda(self, invocation: Invocation, now: float, **outcome: str) -> None:
        """Report the end of a lambda function, see `Engine.finish_lambda`."""
        self.engine.finish_lambda(invocation.invocation_id, now, **outcome)
        if self._journal:
            params = {"invocation": invocation.invocation_id, "how": outcome}
            self._journal.write(now, "finish_lambda", params)

    def close(self, now: float) -> None:
        """Remove the waiting polls and close the file.

        Raises:
            JournalError: the journal cannot be written.
        """
        self.engine.forget_polls(now)
        self._polls.clear()
        if self._journal:
            self._journal.write(now, "forget_polls", {})
            self._journal.close()

    def _continue(self, journal: Journal) -> None:
        try:
            self._replay(journal)
        except BaseException:
            journal.close()
            raise

    def _replay(self, journal: Journal) -> None:
        polls: dict[int, str] = {}
        for entry in journal.entries():
            self.latest = max(self.latest, entry.at)
            try:
                _repeat(self.engine, entry, polls)
            except (Fault, LookupError, TypeError) as error:
                problem = f"input {entry.place} ({entry.what}) is now refused: {error!r}"
                raise JournalError(
                    f"{journal.path} cannot be continued: {problem}. Choose a new file."
                ) from error
            self.engine.take_wakeups()
            self.engine.take_invocations()
            self.engine.take_lost_tasks()
        # A process that was killed could not report that its polls were gone.
        self.engine.forget_polls(self.latest)
        journal.write(self.latest, "forget_polls", {})
        journal.flush()


def _write(journal: Journal, poll: _Poll) -> None:
    journal.write(poll.at, poll.operation, poll.params, poll.place)


def _repeat(engine: Engine, entry: JournalEntry, polls: dict[int, str]) -> None:
    params: Mapping[str, Any] = entry.params
    if entry.what == "disconnect":
        if poll_id := polls.get(params["poll"]):
            engine.disconnect(poll_id, entry.at)
    elif entry.what == "finish_lambda":
        engine.finish_lambda(params["invocation"], entry.at, **params["how"])
    elif entry.what == "forget_polls":
        engine.forget_polls(entry.at)
    else:
        outcome = engine.call(entry.what, entry.params, entry.at)
        if isinstance(outcome, Waiting):
            polls[entry.place] = outcome.poll_id


def _origin(settings: Settings) -> dict[str, str]:
    figures = {name: str(value) for name, value in asdict(settings).items()}
    return {"garcon": VERSION, **figures}


def _log_lost(task: LostTask) -> None:
    LOGGER.warning(
        "The %s of execution %s (run %s) was given to the poller %s of the list %s, whose "
        "connection is gone. No worker has it, so it must time out, as in SWF; --no-ghosts or "
        "Settings(ghosts=False) turns this off.",
        f"{task.kind} task {task.name}".rstrip(),
        task.workflow_id,
        task.run_id,
        task.poller,
        task.task_list,
    )
