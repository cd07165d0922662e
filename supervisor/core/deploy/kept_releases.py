"""Kept releases: older code that serves its own executions beside the active generation.

Rules:

1. Each release that is kept beside the active generation runs as a sidecar, a whole supervisor
   with ``--retired``, beside the active code and not in it: it may need another interpreter and
   other packages. It learns the lists that the active generation serves, and serves the others that
   it has. When they change it is started again.
2. Kept are the releases before the serving one, ``keep_builds`` of them. The release that served
   until now comes first, although it may be a newer one that did not prove itself to its users. A
   release with the build of the active code does not count, and is not served; that is known once
   it has served.
3. It is stopped, and finishes its tasks, when it is no longer kept, while all lists are quiet, and
   in a warm pool.
4. A lost one is started again (``crash_loops``). One that ends with code 0 has nothing to serve.
   So has one that says that its build is unused (``unused_build``). It is started again when a
   decider of this host returns an execution to its build, when the replay gate finds one, and when
   another generation is active.
5. In a drain it drains, too. When the drain's time is over, or a second signal stops the program,
   it stops as well. The program's exit waits for it.
6. Open executions that the candidate does not fit are not harmed if a kept release serves their
   build. A candidate with such executions waits until each kept release has said its build, or has
   failed to start.
7. The launch of this host, and its first ``READY``, wait until each kept release serves or has
   failed to start, too: the next host that leaves may be the last that serves old code.
8. Nothing waits for one that is *late*: that does not serve when the time for its import, its
   registration and its first poll is over. It may still come.
"""

from __future__ import annotations

import dataclasses
from math import inf
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.core.failures import Streak
from supervisor.core.log_names import after, duration, sentence
from supervisor.core.rules.crash_loops import back_off
from supervisor.core.state import SidecarState
from supervisor.ipc.messages import RETIRED, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.failures import Misfit
    from supervisor.core.generation import Generation
    from supervisor.core.state import Drain, Sidecar, State
    from supervisor.core.turn import Turn
    from supervisor.ipc.messages import GenerationReady, TaskList


def kept_beside(event: GenerationReady, state: State) -> tuple[str, ...]:
    """The releases that may be retired code beside a generation that has been imported, in order of
    preference.
    """
    active = state.active
    first: tuple[str, ...] = ()
    if active and active.release:
        first = active.kept if active.release == event.release else (active.release,)
    found = [*(each for each in first if each in event.releases), *event.older]
    return tuple(each for each in dict.fromkeys(found) if each != event.release)


def note_late_ones(turn: Turn) -> None:
    """Note retired code that is late."""
    for sidecar in turn.state.retired_code():
        if _late_at(turn.state, sidecar) <= turn.now:
            sidecar.is_late = True
            turn.note(
                Level.WARNING,
                "retired_late",
                f"The retired code of release {sidecar.release} does not serve after"
                f" {turn.now - sidecar.since:g} s. It goes on starting; nothing waits for it any"
                " longer.",
                sidecar=sidecar.name,
            )


def serve_kept_releases(turn: Turn) -> None:
    """Start, settle and stop retired code, so that the kept releases serve."""
    state = turn.state
    for sidecar in state.retired_code():
        if sidecar.lost:
            _settle_loss(turn, sidecar)
    desired = _desired(state)
    for name in desired:
        if _due_at(state, name) <= turn.now:
            turn.start_sidecar(name, _served_lists(state))
    for sidecar in list(state.retired_code()):
        if sidecar.name not in desired or _is_outdated(state, sidecar):
            turn.stop_sidecar(sidecar)
        if state.drain:
            _end_in_drain(turn, state.drain, sidecar)
        elif sidecar.name not in desired and _may_be_forgotten(state, sidecar):
            del state.sidecars[sidecar.name]


def next_deadline(state: State) -> float:
    """Time at which one is due or late, or has to end in a drain."""
    starts = (_due_at(state, name) for name in _desired(state))
    ends = (_ends_at(state, state.drain, each) for each in state.retired_code() if state.drain)
    late = (_late_at(state, each) for each in state.retired_code())
    return min([inf, *starts, *ends, *late])


def note_unneeded(turn: Turn, sidecar: Sidecar, seconds: float) -> None:
    """Write down that retired code ends because its build was unused for so long."""
    active = turn.state.active
    sidecar.status, sidecar.since = SidecarState.STOPPING, turn.now
    sidecar.unused_since = turn.now - seconds
    sidecar.unused_beside = active.number if active else 0
    turn.note(
        Level.INFO,
        "retired_unneeded",
        f"The retired code of release {sidecar.release} ends: no execution of build"
        f" {sidecar.build} has been open for {duration(seconds)}. It is started again when one"
        " needs it, and at the next restart.",
        sidecar=sidecar.name,
        build=sidecar.build,
        seconds=seconds,
    )


def recall(turn: Turn, builds: tuple[str, ...]) -> None:
    """Open executions need these builds: start retired code again that has ended as unused."""
    for sidecar in turn.state.retired_code():
        is_ended = sidecar.unused_since is not None and not sidecar.is_recalled
        if is_ended and sidecar.build in builds:
            sidecar.is_recalled = True
            turn.note(
                Level.INFO,
                "retired_recalled",
                f"The retired code of release {sidecar.release} is started again: an open execution"
                f" needs its build {sidecar.build}.",
                sidecar=sidecar.name,
                build=sidecar.build,
            )


# --- which are desired ----------------------------------------------------------------------------


def _desired(state: State) -> tuple[str, ...]:
    """The names of the sidecars, without repetition."""
    if state.drain:
        return ()
    kept: list[str] = []
    leading, candidate = _leading(state), state.candidate
    if leading and leading.sizes and not _is_silent(state):
        kept += _kept(state, leading)
    if candidate and candidate.misfit:
        kept += _kept(state, candidate)
    active = state.active.release if state.active else ""
    return tuple(dict.fromkeys(RETIRED + each for each in kept if each != active))


def _kept(state: State, generation: Generation) -> list[str]:
    """The releases that are kept beside a generation: those with its build do not count."""
    own = generation.build
    others = [each for each in generation.kept if not (own and _build(state, each) == own)]
    return others[: generation.settings.keep_builds]


def _build(state: State, release: str) -> str:
    """The build of a release; "" as long as it is not known."""
    if state.active and state.active.release == release:
        return state.active.build
    sidecar = state.sidecars.get(RETIRED + release)
    return sidecar.build if sidecar else ""


def _leading(state: State) -> Generation | None:
    """The generation beside which retired code serves."""
    return state.active or state.candidate


def _is_silent(state: State) -> bool:
    """Whether this host polls nothing now."""
    return state.holds_polls or (
        bool(state.pools) and all(pool.quiet for pool in state.pools.values())
    )


def _served_lists(state: State) -> tuple[TaskList, ...]:
    leading = _leading(state)
    return tuple(leading.sizes) if leading else ()


def _is_outdated(state: State, sidecar: Sidecar) -> bool:
    return sidecar.lists != _served_lists(state)


def _may_be_forgotten(state: State, sidecar: Sidecar) -> bool:
    """It is gone, and not remembered for having the build of the active code."""
    leading = _leading(state)
    is_same = leading is not None and sidecar.build == leading.build != ""
    return sidecar.status is SidecarState.GONE and not is_same


def _due_at(state: State, name: str) -> float:
    """Time at which it may start; ``inf`` if it runs, or is not needed."""
    sidecar = state.sidecars.get(name)
    if sidecar is None:
        return -inf
    if sidecar.status is not SidecarState.GONE:
        return inf
    if _is_outdated(state, sidecar):
        return -inf
    if sidecar.unused_since is not None:
        return -inf if sidecar.is_recalled or _is_beside_other(state, sidecar) else inf
    return sidecar.streak.backoff_until


def _is_beside_other(state: State, sidecar: Sidecar) -> bool:
    """Whether another generation is active than when its build was found unused."""
    return state.active is not None and state.active.number != sidecar.unused_beside


def _late_at(state: State, sidecar: Sidecar) -> float:
    """Time from which nothing waits for it any longer."""
    settings = state.settings
    longest = settings.import_timeout + settings.register_timeout + settings.boot_timeout
    return sidecar.since + longest if sidecar.is_awaited else inf


# --- ends -----------------------------------------------------------------------------------------


def _settle_loss(turn: Turn, sidecar: Sidecar) -> None:
    why, sidecar.lost = sidecar.lost, ""
    what = f"The retired code of release {sidecar.release}"
    if sidecar.exit_status == 0:
        sidecar.streak = Streak(backoff_until=inf)
        text = f"{what} has ended: it has nothing to serve."
        turn.note(Level.INFO, "retired_unneeded", text, sidecar=sidecar.name)
        return
    seconds = 0.0
    if sidecar.was_ready and turn.now - sidecar.since >= turn.state.settings.min_uptime:
        sidecar.streak = Streak()
    else:
        seconds = back_off(turn, sidecar.streak)
    turn.note(
        Level.WARNING,
        "sidecar_lost",
        sentence(f"{what} is lost: {why}. It is started again {after(seconds)}."),
        sidecar=sidecar.name,
    )


def _end_in_drain(turn: Turn, drain: Drain, sidecar: Sidecar) -> None:
    if sidecar.status is SidecarState.GONE:
        ended_before = sidecar.unused_since is not None and not sidecar.is_hurried
        has_abandoned = sidecar.exit_status == exit_codes.ABANDONED
        if sidecar.ended_as_asked and has_abandoned and not ended_before:
            drain.code = max(drain.code, exit_codes.ABANDONED)
        return
    if _ends_at(turn.state, drain, sidecar) > turn.now:
        return
    if not sidecar.is_hurried:
        turn.hurry_sidecar(sidecar)
        return
    sidecar.status = SidecarState.GONE
    turn.note(
        Level.WARNING,
        "sidecar_left_behind",
        f"The retired code of release {sidecar.release} did not end when asked to; the exit does"
        " not wait for it.",
        sidecar=sidecar.name,
    )


def _ends_at(state: State, drain: Drain, sidecar: Sidecar) -> float:
    """The time at which it is asked to stop, or no longer waited for."""
    if sidecar.status is SidecarState.GONE:
        return inf
    if sidecar.is_hurried:
        return sidecar.since + state.settings.stop_timeout + state.settings.sidecar_timeout
    return -inf if drain.stopping else drain.end_by


# --- executions that new code does not fit --------------------------------------------------------


def settle_misfit(turn: Turn, candidate: Generation, misfit: Misfit) -> None:
    """Let a candidate go on, or fail, once it is known which builds its kept releases serve."""
    builds = dict(_builds(turn.state, candidate))
    missing = [each for each in misfit.builds if each not in builds.values()]
    if missing and None in builds.values():
        return  # one has not said its build yet
    candidate.misfit = None
    if missing:
        why = f"{misfit.failure.why} No release that is kept here serves {_named(missing)}."
        candidate.failure = dataclasses.replace(misfit.failure, why=why)
        return
    serving = [name for name, build in builds.items() if build in misfit.builds]
    turn.note(
        Level.WARNING,
        "histories_replayed",
        f"{misfit.report} Retired code of {', '.join(serving)} serves them.".lstrip(),
        generation=candidate.number,
        report=misfit.report,
    )


def _builds(state: State, candidate: Generation) -> Iterator[tuple[str, str | None]]:
    """The kept releases with their builds: ``None`` for one that starts, "" for one that failed."""
    for release in _kept(state, candidate):
        sidecar = state.sidecars.get(RETIRED + release)
        starts = sidecar is None or sidecar.is_awaited
        yield release, _build(state, release) or (None if starts else "")


def _named(builds: list[str]) -> str:
    return f"build{'s' if len(builds) > 1 else ''} {', '.join(builds)}"
