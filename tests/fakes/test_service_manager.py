"""The fake service manager receives what a real one would."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.fakes.service_manager import ServiceManager

if TYPE_CHECKING:
    from pathlib import Path


def send(address: str, text: str) -> None:
    """Send a datagram, as sd_notify(3) does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.sendto(text.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_fields_are_kept_in_the_order_of_their_arrival(tmp_path: Path, kind: str) -> None:
    """Datagrams of several lines are split, and fields that were waited for are kept."""
    address = str(tmp_path / "notify") if kind == "path" else f"@garcon-test-{tmp_path}"
    with ServiceManager(address) as manager:
        send(address, "STATUS=Starting")
        send(address, "READY=1\nSTATUS=Up")
        send(address, "WATCHDOG=1")
        assert manager.wait_for("READY=") == "READY=1"
        assert manager.fields == ["STATUS=Starting", "READY=1"]
        assert manager.read_dry() == ["STATUS=Up", "WATCHDOG=1"]
        assert manager.fields_of("STATUS", "WATCHDOG") == [
            *("STATUS=Starting", "STATUS=Up", "WATCHDOG=1")
        ]


def test_silence_is_noticed_and_its_end_too(tmp_path: Path) -> None:
    """A service that has sent a field since the last reading is not silent."""
    address = str(tmp_path / "notify")
    with ServiceManager(address) as manager:
        assert manager.is_silent_for(0.01)
        send(address, "WATCHDOG=1")
        assert not manager.is_silent_for(0.01)
        assert manager.is_silent_for(0.01)
