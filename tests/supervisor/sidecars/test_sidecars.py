"""Sidecars whose supervisor dies while they start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from supervisor.ipc import channel, crash_record, messages, start_inputs
from supervisor.ipc.conventions import CHANNEL_DESCRIPTOR, socket_pair
from tests.processes.harness import LIMIT, ROOT, environment

START = f"""
import os, runpy, sys
os.dup2(int(sys.argv[1]), {CHANNEL_DESCRIPTOR})
runpy.run_module(sys.argv[2], run_name="__main__")
"""

LISTS = (messages.TaskList("shop_make", messages.Role.ACTIVITY),)


@pytest.mark.parametrize("name", ["local_endpoint", "starter", "backlog"])
def test_a_sidecar_without_a_supervisor_ends_with_a_sentence(name: str) -> None:
    """No traceback: nothing is wrong with the sidecar."""
    order = messages.RunSidecar(
        name=name,
        swf=messages.SwfEndpoint(region="us-east-1", endpoint_url="http://127.0.0.1:9"),
        log=messages.LogSettings(level="info", format="text", payloads=False),
        lists=LISTS,
        interval=1.0,
    )
    ours, theirs = socket_pair()
    with theirs, start_inputs.written(()) as inputs:
        supervisor = channel.Channel(ours)
        record = crash_record.make()
        supervisor.send(order, inputs, record)
        os.close(record)
        supervisor.close()
        ended = subprocess.run(
            [sys.executable, "-c", START, str(theirs.fileno()), f"supervisor.sidecars.{name}"],
            cwd=ROOT,
            env=environment(PYTHONPATH=os.fspath(ROOT)),
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    assert ended.returncode == 0
    assert f"Sidecar {name} ends: the supervisor is gone." in ended.stderr
    assert "Traceback" not in ended.stderr
