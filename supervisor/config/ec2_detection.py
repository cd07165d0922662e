"""Detection of EC2: whether the supervisor acts on the notices of its instance, decided once.

Rules of this file:

1. Detection reads three small files and needs no network, so that other hosts pay nothing. Linux
   shows the firmware's data there to all users, and in most containers.
2. A host with a metadata endpoint in ``AWS_EC2_METADATA_SERVICE_ENDPOINT`` counts as an instance.
3. ``AWS_EC2_METADATA_DISABLED=true`` turns notices off, as in the AWS SDKs. So does ``local``: no
   other host could take over a task.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.config.settings import Settings

SYS = Path("/sys")

ENDPOINT = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
DISABLED = "AWS_EC2_METADATA_DISABLED"

MARKS = {
    "devices/virtual/dmi/id/sys_vendor": "amazon ec2",  # Nitro instances
    "devices/virtual/dmi/id/bios_vendor": "amazon ec2",  # the same, bare metal included
    "hypervisor/uuid": "ec2",  # Xen instances
}
"""Files below ``/sys``, and the beginning of their text on EC2, in lower case (EC2 user guide,
"Detect whether a host is an EC2 instance")."""


def decide(settings: Settings, environ: Mapping[str, str], sys: Path = SYS) -> Settings:
    """The settings with ``ec2`` decided: ``on`` or ``off``."""
    is_on = _acts_on_notices(settings, environ, sys)
    return msgspec.structs.replace(settings, ec2="on" if is_on else "off")


def _acts_on_notices(settings: Settings, environ: Mapping[str, str], sys: Path) -> bool:
    if settings.local or environ.get(DISABLED, "").lower() == "true":
        return False
    if settings.ec2 == "auto":
        return bool(environ.get(ENDPOINT)) or is_ec2(sys)
    return settings.ec2 == "on"


def is_ec2(sys: Path = SYS) -> bool:
    """Whether the firmware names the machine an EC2 instance."""
    return any(_text(sys / path).lower().startswith(mark) for path, mark in MARKS.items())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:  # most machines do not have all of them
        return ""
