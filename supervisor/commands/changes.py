"""The commands that change something: ``scale``, ``restart``, ``drain``, ``quiet`` and their kin.

Who waits follows the notes, from before the request on, so that none is missed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from supervisor.commands import showing
from supervisor.commands.asking import NOBODY, NOT_DONE, Failed, Supervisor, connect
from supervisor.messages import asks

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

_SIZE = re.compile(r"(.+)=([+-]?)(\d{1,6})")


def scale(given: argparse.Namespace) -> int:
    """``LIST=N``, ``LIST=+N`` or ``LIST=-N``, one after the other."""
    requests = [_sized(each) for each in given.sizes]
    with connect(given) as supervisor:
        _tell(given, [supervisor.done(each).text for each in requests])
    return 0


def _sized(text: str) -> asks.AskScale:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise Failed(f"{text}: it takes LIST=N, LIST=+N or LIST=-N, as in resize=4.", NOBODY)
    name, sign, number = found[1], found[2], int(found[3])
    if not sign:
        return asks.AskScale(list=name, size=number)
    return asks.AskScale(list=name, by=number if sign == "+" else -number)


def restart(given: argparse.Namespace) -> int:
    """Replace the generation; with ``--wait`` until it serves all seats, or was given up."""
    with connect(given) as supervisor:
        if given.wait:
            supervisor.follow()
        done = supervisor.done(asks.AskRestart())
        if not given.wait:
            _tell(given, [done.text])
            return 0
        end = _end_of_restart(supervisor, done.generation or 0)
    serves = end.event in _SERVES
    _tell(given, [end.text], ok=serves)
    return 0 if serves else NOT_DONE


_SERVES = {"full_strength", "generation_current"}
_FAILS = {"generation_abandoned", "generation_returned", "list_degraded"}


def _end_of_restart(supervisor: Supervisor, generation: int) -> asks.Told:
    """The note that tells how it ended; where no seat is wanted, to be current is all."""
    for told in supervisor.notes():
        is_idle = told.event == "generation_current" and not told.facts.get("workers")
        is_end = is_idle or told.event == "full_strength" or told.event in _FAILS
        if is_end and told.facts.get("generation") == generation:
            return told
    raise Failed(f"The supervisor ended before generation {generation} served.")


def drain(given: argparse.Namespace) -> int:
    """Leave when nothing is in hand; of a list: be quiet."""
    return quiet(given) if given.list else _leave(given, asks.AskDrain(), dirty=NOT_DONE)


def stop(given: argparse.Namespace) -> int:
    """Leave now, whatever is in hand."""
    return _leave(given, asks.AskStop(), dirty=0)


def _leave(given: argparse.Namespace, request: asks.Ask, *, dirty: int) -> int:
    """Ask to leave; ``dirty`` is the exit code where work was abandoned."""
    with connect(given) as supervisor:
        if given.wait:
            supervisor.follow()
        done = supervisor.done(request)
        if not given.wait:
            _tell(given, [done.text])
            return 0
        report = None
        for told in supervisor.notes():
            report = told if told.event == "drain_report" else report
    if report is None:
        raise Failed("The supervisor ended without a drain report.")
    clean = report.facts.get("code") == 0
    _tell(given, [report.text], ok=clean, **report.facts)
    return 0 if clean else dirty


def quiet(given: argparse.Namespace) -> int:
    """Poll no more; with ``--wait`` until nothing is in hand any more."""
    with connect(given) as supervisor:
        if given.wait:
            supervisor.follow()
        done = supervisor.done(asks.AskQuiet(given.list))
        if given.wait:
            _wait_until_still(supervisor, set(done.lists))
    _tell(given, [done.text])
    return 0


def _wait_until_still(supervisor: Supervisor, lists: set[object]) -> None:
    if not lists:
        return
    for told in supervisor.notes():
        name = told.facts.get("task_list")
        if told.event == "resumed" and name in lists:
            raise Failed(f"Somebody has resumed {name} meanwhile.")
        if told.event == "still":
            lists.discard(name)
        if not lists:
            return
    raise Failed("The supervisor ended before its workers had.")


def resume(given: argparse.Namespace) -> int:
    """Poll again."""
    with connect(given) as supervisor:
        _tell(given, [supervisor.done(asks.AskResume(given.list)).text])
    return 0


def _tell(
    given: argparse.Namespace, texts: Iterable[str], *, ok: bool = True, **facts: object
) -> None:
    if given.json:
        showing.as_json({"ok": ok, "text": " ".join(texts), **facts})
        return
    for each in texts:
        showing.prose(each)
