"""The replayer: a startup job that decides recorded histories again, before new code serves.

Rules:

1. It stops at the first decision that differs from its history: one is enough to stop new code, and
   ``python -m garcon replay`` shows the others to the author.
2. Open executions are a gate of their own, see ``open_gate``. Other histories come from a folder of
   files as ``python -m garcon history`` writes them, or from SWF: the latest executions of this
   workflow type, open and closed. Files of other workflow types are skipped. A folder without a
   history of this type is refused, because it would check nothing; so is a folder with a truncated
   history.
3. Another version of an activity type is not a difference: deciders know activities by name and id,
   and the registrar has reported the new version.
4. A transient error ends the job without a verdict, and the supervisor starts another after a wait.
   So does a request to leave.
5. A replay has no effects: the flow's ``on_exception`` is not called, and SWF gets no decision. An
   error that the decider raised at the decision that differs is part of the verdict.
"""

from __future__ import annotations

import contextlib
import logging
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from setproctitle import setproctitle

from garcon import claims, client
from garcon.decider import history_replay as replaying
from garcon.errors import GarconError
from garcon.executions import history_check, listing, recorded_history
from garcon.executions.criteria import Criteria
from garcon.executions.values import Execution
from supervisor import exit_codes
from supervisor.child.jobs import open_gate
from supervisor.child.jobs.throttle_wait import ThrottleWait
from supervisor.ipc import messages
from supervisor.logs import log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.child.flow_loader import Flow
    from supervisor.child.shutdown import Shutdown
    from supervisor.config.setting_types import HistorySource

Events = list[dict[str, Any]]
Recorded = tuple[str, Execution | None, Events]
"""A name for people, the execution if it is known, and the events."""

SHOWN_CHARACTERS = 400
"""Characters shown of a decision, whose input may have 32,768."""

SHOWN_DECISIONS = 5
"""Decisions shown of one decision task, which may have a hundred."""


class NothingToReplay(GarconError):
    """The folder holds no history of this flow."""


def replay(flow: Flow, worker: int, shutdown: Shutdown, histories: HistorySource) -> int:
    """Decide the histories again and report the verdict; returns the exit code."""
    setproctitle(f"garcon: replaying {flow.name}")
    with contextlib.suppress(AttributeError):  # an object may refuse attributes
        flow.target.on_exception = None
    try:
        if verdict := _verdict(flow, worker, shutdown, histories):
            shutdown.send(verdict)
    except claims.ClaimStoreUnavailable as error:
        log.LOGGER.warning("%s", error)
        return exit_codes.GAVE_UP
    except GarconError as error:
        shutdown.send(messages.FlowRefused(worker, str(error), exit_codes.USAGE))
    except client.ERRORS as error:
        problem = client.explain(error, f"reading histories of {flow.name}", _own(flow))
        if problem.transient:
            log.LOGGER.warning("%s", problem.sentence)
            return exit_codes.GAVE_UP
        shutdown.send(messages.FlowRefused(worker, problem.sentence, exit_codes.USAGE))
    return 0


def _verdict(
    flow: Flow, worker: int, shutdown: Shutdown, histories: HistorySource
) -> messages.ChannelMessage | None:
    if histories.open is not None:
        return _open_verdict(flow, worker, shutdown, histories.open)
    executions = decisions = 0
    for name, execution, recorded in _recorded(flow, histories):
        if shutdown.requested:
            return None
        events = replaying.of_own_versions(flow.target, recorded)
        with _logged_errors() as errors:
            ids = execution.wire() if execution else None
            difference = next(replaying.differences(flow.target, events, execution=ids), None)
        if difference:
            return _non_deterministic(worker, name, difference, errors)
        executions += 1
        decisions += sum(1 for _ in replaying.turns(events))
    return messages.Replayed(worker, executions, decisions)


def _open_verdict(
    flow: Flow, worker: int, shutdown: Shutdown, number: int
) -> messages.ChannelMessage | None:
    sample, decisions, harm = open_gate.OpenSample(flow.build), 0, None
    throttle_wait = ThrottleWait(f"reading open executions of {flow.name}", shutdown)
    try:
        for execution, events in open_gate.open_histories(flow, number, throttle_wait):
            if shutdown.requested:
                return None
            with _logged_errors() as errors:
                found = open_gate.misfit(flow, execution, events)
            workflow_id = execution.workflow_id
            is_harmed = sample.add(workflow_id, open_gate.note_of(events), fits=found is None)
            sample.unserved_lists |= open_gate.unserved_lists(flow, events)
            decisions += sum(1 for _ in replaying.turns(events))
            if found and is_harmed and harm is None:
                harm = _non_deterministic(worker, workflow_id, found, errors)
    except client.ERRORS as error:
        problem = client.explain(error, f"reading open executions of {flow.name}", _own(flow))
        if problem.transient:
            raise
        return messages.Replayed(worker, sample.fitting, decisions, problem.sentence)
    if harm and sample.is_harmful:
        builds = tuple(sorted({build for _, build in sample.misfits}))
        return msgspec.structs.replace(harm, builds=builds, report=sample.report)
    return messages.Replayed(worker, sample.fitting, decisions, sample.report)


def _non_deterministic(
    worker: int, workflow_id: str, first: replaying.Difference, errors: list[str]
) -> messages.NonDeterministic:
    return messages.NonDeterministic(
        worker=worker,
        workflow_id=workflow_id,
        event_id=first.completed_id,
        recorded=_shown(first.recorded),
        decided=_shown(first.decided),
        why=errors[-1] if errors else "",
    )


def _shown(decisions: tuple[str, ...]) -> tuple[str, ...]:
    shown = [_shortened(decision) for decision in decisions[:SHOWN_DECISIONS]]
    more = len(decisions) - SHOWN_DECISIONS
    return (*shown, *([f"... and {more} more"] if more > 0 else []))


def _shortened(text: str) -> str:
    return textwrap.shorten(text, SHOWN_CHARACTERS, placeholder=" ...")


class _ErrorCollector(logging.Handler):
    """Collects the messages of logged errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[0] if record.exc_info else None
        message = record.getMessage()
        self.errors.append(_shortened(f"{raised.__name__}: {message}" if raised else message))


@contextlib.contextmanager
def _logged_errors() -> Iterator[list[str]]:
    """Collect the errors that garcon logs within the block, and show none of garcon's lines.

    A replay logs the error of a decision that differs, and no other. Warnings are not collected:
    they may be about decisions that did not differ.
    """
    collector, logger = _ErrorCollector(), logging.getLogger("garcon")
    before, logger.propagate = logger.propagate, False
    logger.addHandler(collector)
    try:
        yield collector.errors
    finally:
        logger.removeHandler(collector)
        logger.propagate = before


# --- finding the histories ------------------------------------------------------------------------


def _recorded(flow: Flow, histories: HistorySource) -> Iterator[Recorded]:
    if histories.last is None:
        return _of_folder(flow, Path(histories))
    return _of_swf(flow, histories.last)


def _of_folder(flow: Flow, folder: Path) -> Iterator[Recorded]:
    found = 0
    for path in sorted(folder.glob("*.json")):
        events = history_check.check(recorded_history.load(path), str(path))
        if _workflow(events) == flow.name:
            found += 1
            execution = recorded_history.execution(events)
            yield execution.workflow_id if execution else path.name, execution, events
        else:
            log.LOGGER.warning("Skipped %s, a history of another workflow.", path)
    if not found:
        missing = f"no history of {flow.name} among its *.json files"
        raise NothingToReplay(
            f"--gate-replay {folder}: there is {missing if folder.is_dir() else 'no such folder'}."
            " Write some with python -m garcon history, or leave the gate out."
        )


def _of_swf(flow: Flow, last: int) -> Iterator[Recorded]:
    swf = client.calling(_own(flow))
    for each in listing.take(swf, flow.domain, Criteria(names=frozenset({flow.name})), last):
        events = recorded_history.since(swf, flow.domain, each.execution, 0)
        yield each.execution.workflow_id, each.execution, events


def _workflow(events: Events) -> str:
    return str(recorded_history.attributes(events[0]).get("workflowType", {}).get("name"))


def _own(flow: Flow) -> Any:
    return getattr(flow.target, "client", None)
