"""Commands that change something: scale, restart, recycle, drain, stop, quiet, resume.

A command that waits follows the notes from before its request on, so that it misses none. All but
``resume``, which harms nothing, need a named supervisor, or a person who confirms the only one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from supervisor.cli.commands import formatting
from supervisor.cli.commands.connection import connect, connect_to_change
from supervisor.ipc.control_client import NO_SUPERVISOR, NOT_DONE, CommandFailed
from supervisor.ipc.messages.control_protocol import (
    DrainRequest,
    QuietRequest,
    RecycleRequest,
    RestartRequest,
    ResumeRequest,
    ScaleRequest,
    StopRequest,
)

if TYPE_CHECKING:
    import argparse

    from supervisor.ipc.control_client import Connection
    from supervisor.ipc.messages.control_protocol import NoteReply

_SIZE = re.compile(r"(.+)=([+-]?)(\d{1,6})")

_READY = {"full_strength", "generation_active"}
_FAILED = {"generation_failed", "generation_rolled_back", "list_degraded"}
"""Events that end a restart."""


# --- sizes ----------------------------------------------------------------------------------------


def scale(given: argparse.Namespace) -> int:
    """``LIST=N``, ``LIST=+N`` or ``LIST=-N``, one after the other."""
    requests = [_scale_request(text) for text in given.sizes]
    with connect_to_change(given) as connection:
        _answer(given, *(connection.call(request).text for request in requests))
    return 0


def _scale_request(text: str) -> ScaleRequest:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise CommandFailed(
            f"{text}: expected LIST=N, LIST=+N or LIST=-N, as in resize=4.", NO_SUPERVISOR
        )
    name, sign, number = found[1], found[2], int(found[3])
    if not sign:
        return ScaleRequest(list=name, size=number)
    return ScaleRequest(list=name, by=number if sign == "+" else -number)


# --- restart --------------------------------------------------------------------------------------


def restart(given: argparse.Namespace) -> int:
    """Replace the generation; with ``--wait`` until all its workers are ready, or it has failed."""
    with connect_to_change(given) as connection:
        if given.wait:
            connection.follow()
        done = connection.call(RestartRequest())
        if not given.wait:
            _answer(given, done.text)
            return 0
        end, report = _end_of_restart(connection, done.generation or 0)
    is_ready = end.event in _READY
    _answer(given, f"{end.text} {report}".rstrip(), ok=is_ready)
    return 0 if is_ready else NOT_DONE


def _end_of_restart(connection: Connection, generation: int) -> tuple[NoteReply, str]:
    """The note that ends it, and what the replay gate let pass.

    A generation without slots is never at full strength, only active.
    """
    report = ""
    for note in connection.notes():
        if note.event == "histories_replayed" and note.facts.get("generation") == generation:
            report = str(note.facts.get("report", ""))
        is_empty = note.event == "generation_active" and not note.facts.get("workers")
        is_end = is_empty or note.event == "full_strength" or note.event in _FAILED
        if is_end and note.facts.get("generation") == generation:
            return note, report
    raise CommandFailed(f"The supervisor exited before generation {generation} was ready.")


def recycle(given: argparse.Namespace) -> int:
    """Replace one worker, the replacement first."""
    with connect_to_change(given) as connection:
        _answer(given, connection.call(RecycleRequest(pid=given.pid)).text)
    return 0


# --- the end --------------------------------------------------------------------------------------


def drain(given: argparse.Namespace) -> int:
    """Exit when no task is in progress; with a list, only quiet that list."""
    return quiet(given) if given.list else _leave(given, DrainRequest(), code_if_abandoned=NOT_DONE)


def stop(given: argparse.Namespace) -> int:
    """Exit now, and abandon the tasks in progress."""
    return _leave(given, StopRequest(), code_if_abandoned=0)


def _leave(
    given: argparse.Namespace, request: DrainRequest | StopRequest, *, code_if_abandoned: int
) -> int:
    with connect_to_change(given) as connection:
        if given.wait:
            connection.follow()
        done = connection.call(request)
        if not given.wait:
            _answer(given, done.text)
            return 0
        reports = [note for note in connection.notes() if note.event == "drain_report"]
    if not reports:
        raise CommandFailed("The supervisor exited without a drain report.")
    is_clean = reports[-1].facts.get("code") == 0
    _answer(given, reports[-1].text, ok=is_clean, **reports[-1].facts)
    return 0 if is_clean else code_if_abandoned


# --- quiet ----------------------------------------------------------------------------------------


def quiet(given: argparse.Namespace) -> int:
    """Stop polling; with ``--wait`` until no task is in progress."""
    with connect_to_change(given) as connection:
        if given.wait:
            connection.follow()
        done = connection.call(QuietRequest(given.list))
        if given.wait:
            _wait_until_still(connection, set(done.lists))
    _answer(given, done.text)
    return 0


def _wait_until_still(connection: Connection, lists: set[object]) -> None:
    if not lists:
        return
    for note in connection.notes():
        name = note.facts.get("task_list")
        if note.event == "resumed" and name in lists:
            raise CommandFailed(f"{name} was resumed meanwhile.")
        if note.event == "list_empty":
            lists.discard(name)
        if not lists:
            return
    raise CommandFailed("The supervisor exited before all tasks were finished.")


def resume(given: argparse.Namespace) -> int:
    """Poll again."""
    with connect(given) as connection:
        _answer(given, connection.call(ResumeRequest(given.list)).text)
    return 0


def _answer(given: argparse.Namespace, *texts: str, ok: bool = True, **facts: object) -> None:
    if given.json:
        formatting.print_json({"ok": ok, "message": " ".join(texts), **facts})
        return
    for text in texts:
        formatting.print_prose(text)
