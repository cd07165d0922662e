"""Whether this is an EC2 instance whose notices are to be heeded: looked at once, at the start.

Rules of this file:

1. A look costs three small files and no network: a host that is none must not pay for it. Linux
   shows there what the firmware says of the machine, to everybody and in most containers.
2. Who names a metadata endpoint (``AWS_EC2_METADATA_SERVICE_ENDPOINT``) has one.
3. ``AWS_EC2_METADATA_DISABLED=true`` is obeyed as the AWS SDKs do, whatever the settings say; and
   with an SWF of our own (``local``) there is no other host to hand a task back to.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.settings import Settings

SYS = Path("/sys")

ENDPOINT = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
DISABLED = "AWS_EC2_METADATA_DISABLED"

SIGNS = {
    "devices/virtual/dmi/id/sys_vendor": "amazon ec2",  # Nitro instances
    "devices/virtual/dmi/id/bios_vendor": "amazon ec2",  # the same, bare metal included
    "hypervisor/uuid": "ec2",  # Xen instances
}
"""Files below ``/sys``, and how their text begins on EC2 (EC2 user guide, "Detect whether a host is
an EC2 instance")."""


def settled(settings: Settings, environ: Mapping[str, str], sys: Path = SYS) -> Settings:
    """The settings with ``ec2`` decided: ``on`` or ``off``."""
    return msgspec.structs.replace(settings, ec2="on" if _heeds(settings, environ, sys) else "off")


def _heeds(settings: Settings, environ: Mapping[str, str], sys: Path) -> bool:
    if settings.local or environ.get(DISABLED, "").lower() == "true":
        return False
    if settings.ec2 == "auto":
        return bool(environ.get(ENDPOINT)) or is_ec2(sys)
    return settings.ec2 == "on"


def is_ec2(sys: Path = SYS) -> bool:
    """Whether the machine says that it is an EC2 instance."""
    return any(_text(sys / path).lower().startswith(sign) for path, sign in SIGNS.items())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:  # most machines have not all of them
        return ""
