"""The state file as a file: whose it is, what it was begun with, what a torn end costs."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from garcon.local import __main__ as program
from garcon.local.journal import Journal, JournalError
from garcon.local.service import Request, Service
from tests.garcon.local.conformance import Account
from tests.garcon.local.conftest import client_of
from tests.garcon.local.wire import listening

if TYPE_CHECKING:
    from pathlib import Path

DOMAINS = 20
ENOUGH = 30
"""Acknowledged signals before a kill: many of them have their turn in the file by then."""


def register(service: Service, name: str) -> None:
    """Register a domain: one input."""
    params = {"name": name, "workflowExecutionRetentionPeriodInDays": "1"}
    service.call(Request("RegisterDomain", json.dumps(params).encode()), 1.0, "tester")
    service.take_wakeups()


def domains(service: Service) -> list[str]:
    """The names of all domains, as a client sees them."""
    asked = Request("ListDomains", b'{"registrationStatus": "REGISTERED"}')
    told: Any = service.call(asked, 2.0, "tester")
    return [each["name"] for each in told.body["domainInfos"]]


# Whose it is.


def test_a_file_is_one_process_s(tmp_path: Path) -> None:
    """A second service on the same file is refused with a sentence, and the first goes on."""
    path = tmp_path / "state"
    first = Service(state=path)
    with pytest.raises(JournalError, match="state is in use by another process: stop it, or"):
        Service(state=path)
    register(first, "d")
    first.close(2.0)
    again = Service(state=path)
    assert domains(again) == ["d"]
    again.close(2.0)


def test_a_second_program_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program whose state file another one uses ends with the sentence and 1."""
    path = str(tmp_path / "state")
    made, _ = listening("--state", path)
    with made:
        assert program.main(["--port", "0", "--state", path]) == 1
    assert f"{path} is in use by another process" in capsys.readouterr().err


# What it was begun with.


def test_a_file_keeps_its_seed(tmp_path: Path) -> None:
    """Who gives no seed continues with the file's."""
    path = tmp_path / "state"
    Journal(path, {}, seed=7).close()
    again = Journal(path, {})
    assert again.seed == 7
    again.close()


def test_a_new_file_is_given_a_seed(tmp_path: Path) -> None:
    """Without a seed each new file is begun with one of its own, which it keeps."""
    first, second = Journal(tmp_path / "1", {}), Journal(tmp_path / "2", {})
    assert first.seed != second.seed
    first.close()
    second.close()
    again = Journal(tmp_path / "1", {})
    assert again.seed == first.seed
    again.close()


def test_another_seed_is_refused(tmp_path: Path) -> None:
    """A file is refused where another seed is asked for, since its inputs would lead elsewhere."""
    Journal(tmp_path / "state", {}, seed=7).close()
    with pytest.raises(JournalError, match="written with seed 7, and this is seed 8"):
        Journal(tmp_path / "state", {}, seed=8)


# A torn end.


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a state file as a killed process leaves it: all of it is in SQLite's log."""
    folder = tmp_path_factory.mktemp("left")
    service = Service(state=folder / "state")
    for number in range(DOMAINS):
        register(service, f"d-{number:02}")
    killed = tmp_path_factory.mktemp("killed")
    shutil.copytree(folder, killed, dirs_exist_ok=True)
    service.close(2.0)
    return killed


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(torn=st.integers(0, 40_000), junk=st.binary(max_size=50))
def test_a_torn_end_costs_only_what_was_being_written(
    tmp_path_factory: pytest.TempPathFactory, left_behind: Path, torn: int, junk: bytes
) -> None:
    """Wherever a write broke off, the service continues from the last whole input before it."""
    folder = tmp_path_factory.mktemp("torn")
    shutil.copytree(left_behind, folder, dirs_exist_ok=True)
    log = folder / "state-wal"
    whole = log.read_bytes()
    log.write_bytes(whole[: max(0, len(whole) - torn)] + junk)
    service = Service(state=folder / "state")
    names = domains(service)
    assert names == [f"d-{number:02}" for number in range(len(names))]
    assert torn or len(names) == DOMAINS
    register(service, "new")
    assert "new" in domains(service)
    service.close(2.0)


def test_a_write_is_whole_or_not_there(tmp_path: Path) -> None:
    """The inputs of one flush come into the file together: one that fails leaves none."""
    journal = Journal(tmp_path / "state", {})
    journal.write(1.0, "first", {})
    journal.write(1.0, "second", {}, place=1)
    with pytest.raises(sqlite3.IntegrityError):
        journal.flush()
    journal._file.close()
    again = Journal(tmp_path / "state", {})
    assert list(again.entries()) == []
    again.close()


def test_a_kill_in_mid_write_loses_nothing_that_was_told(tmp_path: Path) -> None:
    """After kill -9 while a client signals, each signal that was acknowledged is in the history."""
    path = str(tmp_path / "state")
    made, endpoint = listening("--state", path)
    acknowledged: list[str] = []
    enough = threading.Event()

    def signal_until_it_dies(account: Account) -> None:
        for number in range(10_000):
            try:
                account.signal(f"s-{number}")
            except BotoCoreError:
                return
            acknowledged.append(f"s-{number}")
            if number == ENOUGH:
                enough.set()

    with made:
        account = Account(client_of(endpoint), "dom")
        account.register()
        account.start()
        thread = threading.Thread(target=signal_until_it_dies, args=(account,), daemon=True)
        thread.start()
        assert enough.wait(30)
        made.signal(signal.SIGKILL)
        made.wait()
        thread.join(30)
    made, endpoint = listening("--state", path)
    with made:
        account = Account(client_of(endpoint), "dom")
        history = account.history()
    told = [
        event["workflowExecutionSignaledEventAttributes"]["signalName"]
        for event in history
        if event["eventType"] == "WorkflowExecutionSignaled"
    ]
    assert told[: len(acknowledged)] == acknowledged
    assert len(told) <= len(acknowledged) + 1
