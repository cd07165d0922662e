"""Whether this is an EC2 instance: from files and variables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor import host
from supervisor.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINT = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}
DISABLED = {"AWS_EC2_METADATA_DISABLED": "True"}


def machine(folder: Path, path: str, text: str) -> Path:
    """A ``/sys`` with one file."""
    file = folder / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("devices/virtual/dmi/id/sys_vendor", "Amazon EC2\n", True),
        ("devices/virtual/dmi/id/bios_vendor", "Amazon EC2\n", True),
        ("hypervisor/uuid", "ec2e1916-9099-7caf-fd21-012345abcdef\n", True),
        ("hypervisor/uuid", "45e12aec-9099-7caf-fd21-012345abcdef\n", False),
        ("devices/virtual/dmi/id/sys_vendor", "QEMU\n", False),
        ("devices/virtual/dmi/id/sys_vendor", "", False),
    ],
)
def test_the_firmware_tells(tmp_path: Path, path: str, text: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """Nitro, metal and Xen each in their own file; a machine without any of them is none."""
    assert host.is_ec2(tmp_path) is False
    assert host.is_ec2(machine(tmp_path, path, text)) is expected


@pytest.mark.parametrize(
    ("asked", "environ", "ec2", "expected"),
    [
        ("auto", {}, True, "on"),
        ("auto", {}, False, "off"),
        ("auto", ENDPOINT, False, "on"),
        ("auto", ENDPOINT | DISABLED, True, "off"),
        ("on", {}, False, "on"),
        ("on", DISABLED, True, "off"),
        ("off", ENDPOINT, True, "off"),
        ("on", {"AWS_EC2_METADATA_DISABLED": "false"}, False, "on"),
    ],
)
def test_what_is_decided(
    tmp_path: Path,
    asked: str,
    environ: dict[str, str],
    ec2: bool,  # noqa: FBT001 - same
    expected: str,
) -> None:
    """The setting, unless it is auto; nothing where metadata are disabled."""
    if ec2:
        machine(tmp_path, "devices/virtual/dmi/id/sys_vendor", "Amazon EC2")
    settings = Settings(flow="shop", ec2=asked)  # type: ignore[arg-type]
    assert host.settled(settings, environ, tmp_path).ec2 == expected


@pytest.mark.parametrize("asked", ["auto", "on"])
def test_an_swf_of_our_own_needs_no_notices(tmp_path: Path, asked: str) -> None:
    """With ``local`` there is no other host."""
    settings = Settings(flow="shop", local=True, ec2=asked)  # type: ignore[arg-type]
    assert host.settled(settings, ENDPOINT, tmp_path).ec2 == "off"
