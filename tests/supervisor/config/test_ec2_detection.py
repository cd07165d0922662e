"""EC2 is detected from files and variables, without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor.config import ec2_detection
from supervisor.config.settings import Settings

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
def test_the_firmware_names_ec2(tmp_path: Path, path: str, text: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """Nitro, bare metal and Xen have a file each; a machine without one is not EC2."""
    assert ec2_detection.is_ec2(tmp_path) is False
    assert ec2_detection.is_ec2(machine(tmp_path, path, text)) is expected


@pytest.mark.parametrize(
    ("setting", "environ", "ec2", "expected"),
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
def test_auto_is_decided(
    tmp_path: Path,
    setting: str,
    environ: dict[str, str],
    ec2: bool,  # noqa: FBT001 - same
    expected: str,
) -> None:
    """``on`` and ``off`` stay, ``auto`` is detected; disabled metadata turn notices off."""
    if ec2:
        machine(tmp_path, "devices/virtual/dmi/id/sys_vendor", "Amazon EC2")
    settings = Settings(flow="shop", ec2=setting)  # type: ignore[arg-type]
    assert ec2_detection.decide(settings, environ, tmp_path).ec2 == expected


@pytest.mark.parametrize("setting", ["auto", "on"])
def test_a_local_swf_turns_notices_off(tmp_path: Path, setting: str) -> None:
    """With ``local`` no other host could take over a task."""
    settings = Settings(flow="shop", local=True, ec2=setting)  # type: ignore[arg-type]
    assert ec2_detection.decide(settings, ENDPOINT, tmp_path).ec2 == "off"
