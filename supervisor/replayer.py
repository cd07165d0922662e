"""The replayer: a fork that decides recorded histories again, before new code serves.

Rules of this file:

1. The first decision that differs from what a history shows ends it: one is enough to stop new
   code, and the person who repairs it has ``python -m garcon replay`` for the others.
2. Histories come from a folder of files as ``python -m garcon history`` writes them, or from SWF:
   the latest executions of this workflow type, open and closed. One of another workflow type is
   left out; a folder without any of this one is refused, for it would check nothing. So is one
   with a file that holds no whole history: whoever gave it wants it checked.
3. A new version of an activity's type is no contradiction: a decider knows its activities by name
   and id. Registering has told of it.
4. Trouble that passes ends it without a word: the supervisor sends another after a rest. So does
   being told to leave.
5. Nobody is woken by a rehearsal: the flow's ``on_exception`` is not called, and SWF is told
   nothing. What the decider raised at the decision that differs is told with it.
"""

from __future__ import annotations

import contextlib
import logging
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setproctitle import setproctitle

from garcon import activity, claims, client, decider
from garcon.errors import GarconError
from garcon.local import replay as replaying
from garcon.workflow import checking, history, listing
from supervisor import exits, log, messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from supervisor.flow import Flow
    from supervisor.histories import Histories
    from supervisor.leaving import Leaving

Events = list[dict[str, Any]]
Recorded = tuple[str, Events]
"""A workflow id (of a file that does not tell it, the file's name), and the events."""

SHOWN = 400
"""Characters of a decision that are shown: its input may have 32,768."""

MOST = 5
"""Decisions that are shown of one decision task; there may be a hundred."""


class NothingToReplay(GarconError):
    """The folder holds no history of this flow."""


def replay(flow: Flow, worker: int, leaving: Leaving, histories: Histories) -> int:
    """Decide them again, and say how that went; returns the exit code."""
    setproctitle(f"garcon: replaying {flow.name}")
    with contextlib.suppress(AttributeError):  # an object that cannot be told has its reasons
        flow.target.on_exception = None
    try:
        if verdict := _verdict(flow, worker, leaving, histories):
            leaving.say(verdict)
    except claims.Unavailable as error:
        log.LOGGER.warning("%s", error)
        return exits.GAVE_UP
    except GarconError as error:
        leaving.say(messages.Refused(worker, str(error), exits.USAGE))
    except client.ERRORS as error:
        told = client.explain(error, f"reading histories of {flow.name}", _own(flow))
        if told.passing:
            log.LOGGER.warning("%s", told.sentence)
            return exits.GAVE_UP
        leaving.say(messages.Refused(worker, told.sentence, exits.USAGE))
    return 0


def _verdict(
    flow: Flow, worker: int, leaving: Leaving, histories: Histories
) -> messages.Said | None:
    executions = decisions = 0
    for workflow_id, recorded in _recorded(flow, histories):
        if leaving.asked:
            return None
        events = of_these_versions(recorded, _versions(flow))
        with _errors() as raised:
            found = next(replaying.differences(flow.target, events), None)
        if found:
            return _contradicted(worker, workflow_id, found, raised)
        executions += 1
        decisions += sum(1 for _ in replaying.turns(events))
    return messages.Replayed(worker, executions, decisions)


def _contradicted(
    worker: int, workflow_id: str, first: replaying.Difference, raised: list[str]
) -> messages.Contradicted:
    return messages.Contradicted(
        worker=worker,
        workflow_id=workflow_id,
        event_id=first.completed_id,
        recorded=_shown(first.recorded),
        decided=_shown(first.decided),
        why=raised[-1] if raised else "",
    )


def _shown(decisions: tuple[str, ...]) -> tuple[str, ...]:
    shown = [textwrap.shorten(each, SHOWN, placeholder=" ...") for each in decisions[:MOST]]
    more = len(decisions) - MOST
    return (*shown, *([f"... and {more} more"] if more > 0 else []))


class _Words(logging.Handler):
    """Keeps the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[0] if record.exc_info else None
        said = f"{raised.__name__}: {record.getMessage()}" if raised else record.getMessage()
        self.said.append(textwrap.shorten(said, SHOWN, placeholder=" ..."))


@contextlib.contextmanager
def _errors() -> Iterator[list[str]]:
    """What garcon logs as errors within the block, of which nothing is shown.

    A replay logs the error of a decision that differs, and no other. Warnings are not kept: they
    may be about decisions that did not differ.
    """
    words, logger = _Words(), logging.getLogger("garcon")
    before, logger.propagate = logger.propagate, False
    logger.addHandler(words)
    try:
        yield words.said
    finally:
        logger.removeHandler(words)
        logger.propagate = before


def of_these_versions(events: Events, versions: Mapping[str, str]) -> Events:
    """The events as if the activities had been scheduled with these versions of their types.

    Args:
        events: A history.
        versions: By the name of the type; those of other names stay.
    """
    return [_of_version(each, versions) for each in events]


def _of_version(event: dict[str, Any], versions: Mapping[str, str]) -> dict[str, Any]:
    member = "activityTaskScheduledEventAttributes"
    name = event.get(member, {}).get("activityType", {}).get("name")
    if name not in versions:
        return event
    type_ = {"name": name, "version": versions[name]}
    return {**event, member: {**event[member], "activityType": type_}}


def _versions(flow: Flow) -> dict[str, str]:
    found = activity.find_workflow_activities(flow.target)
    return {str(each.name): decider.activity_version(each, flow.target) for each in found}


# --- where they are -------------------------------------------------------------------------------


def _recorded(flow: Flow, histories: Histories) -> Iterator[Recorded]:
    if histories.last is None:
        return _of_folder(flow, Path(histories))
    return _of_swf(flow, histories.last)


def _of_folder(flow: Flow, folder: Path) -> Iterator[Recorded]:
    found = 0
    for path in sorted(folder.glob("*.json")):
        events = checking.checked(history.load(path), str(path))
        if _workflow(events) == flow.name:
            found += 1
            execution = history.execution(events)
            yield execution.workflow_id if execution else path.name, events
        else:
            log.LOGGER.warning("%s is a history of another workflow: it is left out.", path)
    if not found:
        there = f"no history of {flow.name} among its *.json files"
        raise NothingToReplay(
            f"--gate-replay {folder}: there is {there if folder.is_dir() else 'no such folder'}."
            " Write some with python -m garcon history, or leave the gate out."
        )


def _of_swf(flow: Flow, last: int) -> Iterator[Recorded]:
    swf = client.calling(_own(flow))
    for each in listing.take(swf, flow.domain, listing.Wanted(name=flow.name), last):
        yield each.execution.workflow_id, history.since(swf, flow.domain, each.execution, 0)


def _workflow(events: Events) -> str:
    return str(history.attributes(events[0]).get("workflowType", {}).get("name"))


def _own(flow: Flow) -> Any:
    return getattr(flow.target, "client", None)
