"""One service: requests checked, given to the engine, and kept in the journal if there is one.

No clock, lock or socket: threads (`inprocess`) and a server (`exchange`) carry requests here in
their own ways. A request is a `Request`, its outcome what the engine says.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garcon import __version__
from garcon.local import protocol, validation
from garcon.local.engine import (
    EMPTY_POLLS,
    Answer,
    Engine,
    ExecutionSummary,
    Fault,
    Invocation,
    Settings,
    Waiting,
    Wakeup,
)
from garcon.local.journal import Entry, Journal, JournalError, chosen_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

READING = (
    "Describe",
    "List",
    "Count",
    "GetWorkflowExecutionHistory",
)
"""How the names of operations begin that change nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call: an operation of the model and its members, not yet checked."""

    operation: str
    body: bytes

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.operation.startswith(READING)

    @property
    def polls(self) -> bool:
        """Whether it asks for a task."""
        return self.operation in EMPTY_POLLS


@dataclass(frozen=True, slots=True)
class _Poll:
    """A waiting poll as the journal would write it."""

    place: int
    at: float
    operation: str
    params: dict[str, Any]


class Service:
    """The service's state and its journal.

    Args:
        settings: figures of the engine.
        seed: what run ids are made from; None takes the journal's, or a new one.
        lambda_available: whether somebody runs lambda functions.
        state: the journal's file, to continue from and to keep; None keeps nothing.

    Raises:
        JournalError: the file cannot be continued from.
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
        self.seed = self._journal.seed if self._journal else chosen_seed(seed)
        self.engine = Engine(settings, seed=self.seed, lambda_available=lambda_available)
        self.latest = 0.0
        """The time of the latest input, in seconds since the epoch: no clock may begin earlier."""
        self._polls: dict[str, _Poll] = {}
        if self._journal:
            self._continue(self._journal)

    def call(self, request: Request, now: float, poller: str) -> Answer | Waiting:
        """Check and carry out one request.

        Args:
            request: the call.
            now: the time, in seconds since the epoch.
            poller: who calls, if the request gives no identity.

        Raises:
            Fault: the call is refused and has changed nothing.
        """
        protocol.check_size(request.body)
        params = validation.read_request(request.operation, request.body)
        label = params.get("identity") or poller
        outcome = self.engine.call(request.operation, params, now, poller=label)
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
        elif not params.get("nextPageToken"):  # which asks for a page and changes nothing
            journal.write(now, operation, params)

    def take_wakeups(self) -> list[Wakeup]:
        """Answers of waiting polls since last asked; the inputs that led to them are kept."""
        wakeups = self.engine.take_wakeups()
        if self._journal:
            for wakeup in wakeups:
                poll = self._polls.pop(wakeup.poll_id, None)
                if poll and wakeup.answer.body["taskToken"]:
                    _write(self._journal, poll)
            self._journal.flush()
        return wakeups

    def disconnect(self, poll_id: str, now: float) -> None:
        """The connection of a waiting poll has gone."""
        self.engine.disconnect(poll_id, now)
        poll = self._polls.pop(poll_id, None)
        if self._journal and poll:
            _write(self._journal, poll)
            self._journal.write(now, "disconnect", {"poll": poll.place})

    def execution(self, run_id: str) -> ExecutionSummary:
        """The execution with this run id.

        Raises:
            LookupError: there is none, or no longer.
        """
        return self._first(lambda run: run.run_id == run_id, f"the run id {run_id!r}")

    def find(self, workflow_id: str, run_id: str | None = None) -> ExecutionSummary:
        """The execution with these ids, the latest started one if only the workflow id is given.

        Raises:
            LookupError: there is none, or no longer.
        """
        if run_id is not None:
            return self.execution(run_id)
        told = f"the workflow id {workflow_id!r}"
        return self._first(lambda run: run.workflow_id == workflow_id, told)

    def _first(self, is_wanted: Callable[[ExecutionSummary], bool], told: str) -> ExecutionSummary:
        for run in self.engine.executions():
            if is_wanted(run):
                return run
        raise LookupError(f"There is no execution with {told}.")

    def finish_lambda(self, invocation: Invocation, now: float, **how: str) -> None:
        """Report the end of a lambda function, see `Engine.finish_lambda`."""
        self.engine.finish_lambda(invocation.invocation_id, now, **how)
        if self._journal:
            told = {"invocation": invocation.invocation_id, "how": how}
            self._journal.write(now, "finish_lambda", told)

    def close(self, now: float) -> None:
        """Forget the waiting polls and let go of the file."""
        self.engine.forget_polls(now)
        self._polls.clear()
        if self._journal:
            self._journal.write(now, "forget_polls", {})
            self._journal.close()

    def _continue(self, journal: Journal) -> None:
        try:
            self._replay(journal)
        except JournalError:
            journal.close()
            raise

    def _replay(self, journal: Journal) -> None:
        polls: dict[int, str] = {}
        for entry in journal.entries():
            self.latest = max(self.latest, entry.at)
            try:
                _repeat(self.engine, entry, polls)
            except (Fault, LookupError, TypeError) as error:
                told = f"input {entry.place} ({entry.what}) is now refused: {error!r}"
                raise JournalError(
                    f"{journal.path} cannot be continued: {told}. Choose a new file."
                ) from error
            self.engine.take_wakeups()
            self.engine.take_invocations()
        # A process that was killed could not say that its polls had gone.
        self.engine.forget_polls(self.latest)
        journal.write(self.latest, "forget_polls", {})
        journal.flush()


def _write(journal: Journal, poll: _Poll) -> None:
    journal.write(poll.at, poll.operation, poll.params, poll.place)


def _repeat(engine: Engine, entry: Entry, polls: dict[int, str]) -> None:
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
    return {"garcon": __version__, **figures}
