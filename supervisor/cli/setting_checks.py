"""Checks of settings that take more than one value's type: pairs of settings, paths, addresses.

What can be known before the start is refused here, in one sentence that names the source.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from supervisor.cli.options import DEFAULT
from supervisor.config.releases import find
from supervisor.config.setting_types import pool_size_refusal
from supervisor.config.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from supervisor.config.settings import Settings


def check(settings: Settings, origins: Mapping[str, str]) -> None:
    """Raise ``SettingsError`` for the first fault."""
    for fault in _faults(settings, origins):
        raise SettingsError(fault)


def _faults(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    yield from _missing_or_contradicting(settings, origins)
    yield from _too_large_pools(settings, origins)
    yield from _shared_socket(settings, origins)
    yield from _releases(settings, origins)
    yield from _unusable_paths(settings, origins)
    if settings.endpoint_url and (fault := _address_fault(settings.endpoint_url)):
        yield f"{origins['endpoint_url']}: {fault}"


def _missing_or_contradicting(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    if not settings.flow:
        yield "--flow is missing: name the flow to serve. See --help."
    if settings.once and not settings.start:
        yield "--once waits for the executions of --start, and none is given."
    if settings.local and settings.endpoint_url:
        yield f"--local has an endpoint of its own: leave {origins['endpoint_url']} out."
    for setting in ("http", "emf", "otel_metrics"):
        if getattr(settings, setting) and settings.control == "none":
            yield f"{origins[setting]} needs a control socket; {origins['control']} turns it off."
    if settings.http_actions and (settings.http is None or not settings.http.is_local):
        yield (
            f"{origins['http_actions']} needs --http at a loopback address or unix:PATH: the key"
            " would cross a network in clear."
        )
    soft, hard = settings.max_memory, settings.max_memory_hard
    if soft and hard and hard <= soft:
        yield (
            f"--max-memory-hard {hard} must be above --max-memory {soft}: a worker that grew during"
            " a task is replaced after it, not killed in it."
        )


def _too_large_pools(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    sizes = [("workers", "a task list", settings.workers)]
    sizes += [("deciders", "the decider's list", settings.deciders)]
    sizes += [("pools", name, size) for name, size in settings.pools.items()]
    sizes += [("scale", name, bounds.most) for name, bounds in settings.scale.items()]
    for setting, name, size in sizes:
        if refusal := pool_size_refusal(name, size, settings.max_workers_per_list):
            yield f"{origins[setting]}: {refusal}"


def _shared_socket(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    if settings.retired and settings.control is None:
        yield (
            f"{origins['retired']}: the default control socket is for the code that serves; give"
            " --control PATH, or --control none."
        )


def _releases(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    if settings.served_list and not settings.retired:
        yield f"{origins['served_list']} is for --retired, which is not given."
    if settings.folder and not Path(settings.folder).is_dir():
        yield f"{origins['folder']}: there is no folder {settings.folder}."
    if settings.releases is None:
        if origins["keep_builds"] != DEFAULT:
            yield (
                f"{origins['keep_builds']} needs --releases DIR: old code is kept as a folder, and"
                " the code of one folder alone is replaced by the next."
            )
        return
    for other in ("folder", "build", "retired"):
        if getattr(settings, other):
            yield (
                f"{origins[other]} does not go with {origins['releases']}, which chooses the code"
                " and its role; leave one of them out."
            )
    find(settings.releases)


def _unusable_paths(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    if settings.spool and Path(settings.spool).exists() and not Path(settings.spool).is_dir():
        yield f"{origins['spool']}: {settings.spool} is not a folder."
    folder = settings.gate_replay.folder
    if folder is not None and not Path(folder).is_dir():
        yield f"{origins['gate_replay']}: there is no folder {folder}."


def _address_fault(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:  # a port above 65535, a bracket that is not closed
        return f"{str(error).rstrip('.')}: expected a URL such as https://swf.example:8000."
    if is_complete:
        return ""
    return f"expected a URL such as https://swf.example:8000, not {_without_user(url)!r}."


def _without_user(url: str) -> str:
    """The URL without a name and a password in it."""
    scheme, slashes, rest = url.partition("//")
    return scheme + slashes + rest.rpartition("@")[2]
