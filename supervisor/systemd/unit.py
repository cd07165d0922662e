"""``python -m supervisor unit [option ...]``: a systemd unit that runs what these options say.

Rules of this file:

1. The options go into the unit as they were typed, after they were checked as at a start. Settings
   from the environment go along; credentials never do.
2. What the unit allows is what the supervisor and ordinary tasks need, and no more. A line that
   somebody may have to change has its reason above it.
3. Its times follow from the settings: the supervisor is always the more patient of the two where
   work would be lost, and never the one that hangs.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor import exits, options
from supervisor.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supervisor.settings import Settings

WATCHDOG_SECONDS = 60
"""How long the loop may be silent: it turns in milliseconds, the rest is for a host that swaps."""

FAREWELL_SECONDS = 2
"""Seconds for children to follow the end of their channels, the last thing before the exit."""

HELP = """\
usage: python -m supervisor unit --flow MODULE[:NAME] [option ...]

Print a systemd unit that runs a supervisor with these options. They are those
of python -m supervisor --help, but for --local, --start and --once.
"""

_FOR_A_TRIAL = {"local": "--local", "once": "--once", "start": "--start"}

_CARRIED = ("PYTHONPATH", "AWS_REGION", "AWS_DEFAULT_REGION", "GARCON_CLAIMS", "GARCON_CONFIG")
"""Variables beside the settings' own that say where the flow and its SWF are."""

_PLACES = {"spool": "%S/%N", "control": "%t/%N/control.sock"}
"""Where the unit lets it write: below /var/lib and /run, in folders of the unit's own name."""

_ROOT = "GARCON_ALLOW_ROOT"
"""Whoever writes the unit may be root; who runs it is not."""

_HOMES = ("/home/", "/root/", "/run/user/")


@dataclass(frozen=True)
class Host:
    """Where the unit runs.

    Attributes:
        python: The interpreter, by its whole path.
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
        said = options.read(argv, os.environ)
        text = unit(said, argv, os.environ, Host(sys.executable, os.getcwd()))  # noqa: PTH109 - text
    except SettingsError as error:
        print(f"supervisor: {error}", file=sys.stderr)  # noqa: T201 - the command's answer
        return exits.USAGE
    print(text, end="")  # noqa: T201 - same
    return 0


def unit(said: options.Said, argv: Sequence[str], environ: Mapping[str, str], host: Host) -> str:
    """The unit's text. Raises ``SettingsError`` for options that are no service's."""
    _refuse_trials(said)
    settings = said.settings
    words = [argument(each) for each in (host.python, "-m", "supervisor", *argv)]
    for name, place in _PLACES.items():
        if said.origins[name] == "default":
            words += [f"--{name}", place]
    return UNIT.format(
        flow=_literal(settings.flow),
        command=" ".join(words),
        folder=_literal(host.folder),
        environment="".join(f"Environment={each}\n" for each in _environment(said, environ)),
        stop_seconds=stop_seconds(settings),
        watchdog_seconds=WATCHDOG_SECONDS,
        home="read-only" if _is_at_home(host) else "yes",
        more_paths=_more_paths(settings, said),
    )


def stop_seconds(settings: Settings) -> int:
    """Seconds that a stop may take without asking for more: a drain of idle workers, or the limit.

    While tasks are in hand the supervisor asks for more (EXTEND_TIMEOUT_USEC).
    """
    idle = settings.poll_patience + settings.leave_patience
    drain = settings.drain_timeout or idle
    reports = settings.report_patience + settings.reap_patience
    attendants = 2 * settings.attendant_patience  # the local SWF's and all others, in turn
    return math.ceil((drain + reports + attendants + FAREWELL_SECONDS) / 10) * 10


def _refuse_trials(said: options.Said) -> None:
    for name, flag in _FOR_A_TRIAL.items():
        if said.origins[name] != "default":
            raise SettingsError(
                f"{said.origins[name]}: a service runs for good, and again after each crash or"
                f" boot; {flag} is for trials. Leave it out of the unit."
            )


def _environment(said: options.Said, environ: Mapping[str, str]) -> list[str]:
    """Assignments for what was said by variables."""
    settings = (origin for origin in said.origins.values() if origin in environ)
    names = {*settings, *(name for name in _CARRIED if environ.get(name))} - {_ROOT}
    return [quoted(f"{name}={environ[name]}") for name in sorted(names)]


def _more_paths(settings: Settings, said: options.Said) -> str:
    if said.origins["spool"] == "default":
        return ""
    return f"ReadWritePaths={quoted(os.path.abspath(settings.spool or ''))}\n"  # noqa: PTH100 - text


def _is_at_home(host: Host) -> bool:
    return any(f"{path}/".startswith(_HOMES) for path in (host.python, host.folder))


# --- systemd's syntax -----------------------------------------------------------------------------


def argument(word: str) -> str:
    """A word of ``ExecStart=``: there a dollar sign would begin a variable (systemd.service(5))."""
    return quoted(word.replace("$", "$$"))


def quoted(word: str) -> str:
    """A word that means itself (systemd.syntax(7)); percent signs would begin a specifier."""
    text = word.replace("\\", "\\\\").replace("%", "%%")
    text = text.replace('"', '\\"').replace("\n", "\\n")
    plain = text and not set(text) & set(" \t'\"\\;")
    return text if plain else f'"{text}"'


def _literal(text: str) -> str:
    """A value of which systemd takes the whole line."""
    return text.replace("%", "%%").replace("\n", " ")


UNIT = """\
# The workers of {flow}. Save as /etc/systemd/system/garcon-NAME.service, then:
#   useradd --system --no-create-home garcon
#   systemctl daemon-reload && systemctl enable --now garcon-NAME

[Unit]
Description=garcon: workers of {flow}
Wants=network-online.target
After=network-online.target
# Never given up: an outage of SWF lasts as long as it lasts.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User=garcon
WorkingDirectory={folder}
{environment}EnvironmentFile=-/etc/default/%N
ExecStart={command}
# New code: a new generation proves itself before the old one leaves.
ExecReload=/bin/kill -HUP $MAINPID

# The supervisor bounds its start by itself (exit code 4). It is up when all lists are served.
TimeoutStartSec=infinity
# A drain: open polls last a minute. While tasks in hand are within their timeouts, or the pool
# shrinks, the supervisor asks for more time by itself.
TimeoutStopSec={stop_seconds}
# TERM for the supervisor alone: it tells the workers. What is left when it is gone is killed.
KillMode=mixed
# The loop that watches the workers gives a sign of life three times as often.
WatchdogSec={watchdog_seconds}
TimeoutAbortSec=10
# Tried again: 4, the pool could not be kept alive, and 70, a fault of the supervisor's. Not 1: it
# was told to leave, and left work behind; not 2 (settings) and 3 (the flow cannot be loaded): a new
# try would say the same.
Restart=on-failure
RestartPreventExitStatus=1 2 3
RestartSec=15
# A worker that the OOM killer ends is replaced, and its task reported: no reason to stop the rest.
OOMPolicy=continue
# Two descriptors a worker; the default of 1024 is 500 workers.
LimitNOFILE=16384

# /var/lib/NAME keeps tokens and results of tasks in hand, so that they outlive a crash of the
# supervisor. /run/NAME has the socket that root and this user may ask:
#   python -m supervisor status --control /run/NAME/control.sock
StateDirectory=%N
StateDirectoryMode=0700
RuntimeDirectory=%N
RuntimeDirectoryMode=0700
UMask=0077
{more_paths}
# What follows takes away what workers of a flow do not need. Where your tasks write elsewhere, add
# ReadWritePaths=; where a library of theirs compiles at run time (numba, torch), take out
# MemoryDenyWriteExecute; where they need AWS only, IPAddressDeny= can go further.
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
