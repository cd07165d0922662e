"""``python -m supervisor unit [option ...]``: a systemd unit with these options.

Rules of this file:

1. The options are checked as at a start, then written to the unit as they were typed. Settings from
   the environment are written too; credentials never are.
2. The unit permits what the supervisor and ordinary tasks need, and no more. A directive that a
   host may have to change has its reason above it.
3. The unit's timeouts are derived from the settings, and longer: systemd kills only a supervisor
   that hangs, never one that still finishes tasks.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.cli import sources
from supervisor.cli.failure import fail
from supervisor.cli.options import DEFAULT
from supervisor.config.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supervisor.cli.sources import ParsedOptions
    from supervisor.config.settings import Settings

WATCHDOG_SECONDS = 60
"""Longest silence of the supervisor's loop. A turn takes milliseconds; the rest is for swapping."""

CLOSING_SECONDS = 2
"""Time for the children to end after their channels have closed, just before the exit."""

HELP = """\
usage: python -m supervisor unit --flow MODULE[:NAME] [option ...]

Print a systemd unit that runs a supervisor with these options: all options of
python -m supervisor --help except --local, --start and --once.
"""

_TRIAL_FLAGS = {"local": "--local", "once": "--once", "start": "--start"}

_OTHER_VARIABLES = (
    *("PYTHONPATH", "AWS_REGION", "AWS_DEFAULT_REGION"),
    *sources.OTHER_VARIABLES,
)
"""Variables besides the settings that locate the flow, its SWF and its claims."""

_WRITABLE = {"spool": "%S/%N", "control": "%t/%N/control.sock"}
"""Defaults within the unit: below /var/lib and /run, in folders with the unit's name."""

_HOMES = ("/home/", "/root/", "/run/user/")


@dataclass(frozen=True)
class Host:
    """Paths on the host of the unit.

    Attributes:
        python: The interpreter, as an absolute path.
        folder: The working directory, where the flow is found.
    """

    python: str
    folder: str


def main(argv: Sequence[str]) -> int:
    """Print the unit; returns the exit code."""
    if not {"-h", "--help"}.isdisjoint(argv):
        print(HELP, end="")  # noqa: T201 - the command's answer
        return 0
    try:
        parsed = sources.read(argv, os.environ)
        text = unit(parsed, argv, os.environ, Host(sys.executable, os.getcwd()))  # noqa: PTH109 - text
    except SettingsError as error:
        return fail(error, exit_codes.USAGE)
    print(text, end="")  # noqa: T201 - same
    return 0


def unit(parsed: ParsedOptions, argv: Sequence[str], environ: Mapping[str, str], host: Host) -> str:
    """The unit's text. Raises ``SettingsError`` for options that do not suit a service."""
    _refuse_trials(parsed)
    _refuse_user(parsed)
    settings = parsed.settings
    return UNIT.format(
        flow=_literal(settings.flow),
        command=_command(parsed, argv, host),
        folder=_literal(host.folder),
        environment="".join(f"Environment={each}\n" for each in _environment(parsed, environ)),
        stop_seconds=stop_seconds(settings),
        watchdog_seconds=WATCHDOG_SECONDS,
        home="read-only" if _is_at_home(host) else "yes",
        more_paths=_more_paths(parsed),
    )


def stop_seconds(settings: Settings) -> int:
    """Seconds of a stop before the first extension: a drain of idle workers, or the drain timeout.

    While tasks are in progress the supervisor extends the time itself (EXTEND_TIMEOUT_USEC).
    """
    idle = settings.poll_timeout + settings.exit_timeout
    drain = settings.drain_timeout or idle
    reports = settings.report_timeout + settings.reap_timeout
    sidecars = 2 * settings.sidecar_timeout  # the local SWF stops after all other sidecars
    return math.ceil((drain + reports + sidecars + CLOSING_SECONDS) / 10) * 10


def _refuse_trials(parsed: ParsedOptions) -> None:
    for name, flag in _TRIAL_FLAGS.items():
        if parsed.origins[name] != DEFAULT:
            raise SettingsError(
                f"{parsed.origins[name]}: {flag} is for trials, but a service runs permanently and"
                " starts again after a crash or boot. Leave it out of the unit."
            )


def _refuse_user(parsed: ParsedOptions) -> None:
    if parsed.settings.user is not None:
        raise SettingsError(
            f"{parsed.origins['user']}: User= of the unit names the user. Leave it out."
        )


def _command(parsed: ParsedOptions, argv: Sequence[str], host: Host) -> str:
    words = [host.python, "-m", "supervisor", *argv]
    missing = [name for name in _WRITABLE if parsed.origins[name] == DEFAULT]
    paths = [word for name in missing for word in (f"--{name}", _WRITABLE[name])]
    return " ".join([*map(argument, words), *paths])  # the paths have specifiers of systemd's


def _environment(parsed: ParsedOptions, environ: Mapping[str, str]) -> list[str]:
    """Assignments for the settings that come from variables, and the few others."""
    settings = (origin for origin in parsed.origins.values() if origin in environ)
    names = {*settings, *(name for name in _OTHER_VARIABLES if environ.get(name))}
    return [quoted(f"{name}={environ[name]}") for name in sorted(names)]


def _more_paths(parsed: ParsedOptions) -> str:
    if parsed.origins["spool"] == DEFAULT:
        return ""
    return f"ReadWritePaths={quoted(os.path.abspath(parsed.settings.spool or ''))}\n"  # noqa: PTH100 - text


def _is_at_home(host: Host) -> bool:
    return any(f"{path}/".startswith(_HOMES) for path in (host.python, host.folder))


# --- systemd's syntax -----------------------------------------------------------------------------


def argument(word: str) -> str:
    """A word of ``ExecStart=``, where a dollar sign would begin a variable (systemd.service(5))."""
    return quoted(word.replace("$", "$$"))


def quoted(word: str) -> str:
    """A literal word (systemd.syntax(7)), where a percent sign would begin a specifier."""
    text = word.replace("\\", "\\\\").replace("%", "%%")
    text = text.replace('"', '\\"').replace("\n", "\\n")
    plain = text and not set(text) & set(" \t'\"\\;")
    return text if plain else f'"{text}"'


def _literal(text: str) -> str:
    """A value for which systemd reads the whole line."""
    return text.replace("%", "%%").replace("\n", " ")


UNIT = """\
# The workers of {flow}. Save as /etc/systemd/system/garcon-NAME.service, then:
#   useradd --system --no-create-home garcon
#   systemctl daemon-reload && systemctl enable --now garcon-NAME

[Unit]
Description=garcon: workers of {flow}
Wants=network-online.target
After=network-online.target
# No limit on restarts: an outage of SWF may last for hours.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User=garcon
WorkingDirectory={folder}
{environment}EnvironmentFile=-/etc/default/%N
ExecStart={command}
# Reload: a new generation of workers proves itself before the old one is replaced.
ExecReload=/bin/kill -HUP $MAINPID

# The supervisor limits its own start (exit code 4). It is ready when all task lists have workers.
TimeoutStartSec=infinity
# A drain of idle workers: open polls last a minute. While tasks run within their timeouts, or
# workers exit, the supervisor extends this time itself.
TimeoutStopSec={stop_seconds}
# TERM goes to the supervisor alone, which asks its workers to leave. After its exit systemd kills
# whatever is left.
KillMode=mixed
# The supervisor's loop notifies the watchdog three times as often.
WatchdogSec={watchdog_seconds}
TimeoutAbortSec=10
# Restarted after exit codes 4 (the pool cannot be kept running) and 70 (internal error). Not after
# 1: it was asked to leave and abandoned tasks; not after 2 (settings) and 3 (the flow cannot be
# loaded): the next start would fail alike.
Restart=on-failure
RestartPreventExitStatus=1 2 3
RestartSec=15
# A worker that the OOM killer kills is replaced and its task reported; the others continue.
OOMPolicy=continue
# A worker needs two descriptors; the default of 1024 is enough for 500 workers.
LimitNOFILE=16384

# /var/lib/NAME keeps tokens and results of tasks in progress across a crash of the supervisor.
# /run/NAME has the control socket for root and this user:
#   python -m supervisor status --control /run/NAME/control.sock
StateDirectory=%N
StateDirectoryMode=0700
RuntimeDirectory=%N
RuntimeDirectoryMode=0700
UMask=0077
{more_paths}
# The rest removes what workers of a flow do not need. If tasks write elsewhere, add
# ReadWritePaths=; if a library compiles at run time (numba, torch), remove MemoryDenyWriteExecute;
# if tasks reach AWS only, IPAddressDeny= can restrict more.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectProc=invisible
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""
