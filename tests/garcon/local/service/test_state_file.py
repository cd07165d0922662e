"""The state file as a file: its owner, its origin, damage, and torn writes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from garcon.local import __main__ as program
from garcon.local.engine import Settings
from garcon.local.service.journal import Journal, JournalError
from garcon.local.service.service import Request, Service
from tests.garcon.local.conformance.account import Account
from tests.garcon.local.conftest import client_of
from tests.garcon.local.wire import listening
from tests.processes.harness import Program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # programs that are killed

DOMAINS = 20
ENOUGH = 30
"""Acknowledged signals before a kill: many of them are in the file by then."""


def register(service: Service, name: str) -> None:
    """Register a domain: one input."""
    params = {"name": name, "workflowExecutionRetentionPeriodInDays": "1"}
    service.call(Request("RegisterDomain", json.dumps(params).encode()), 1.0, "tester")
    service.take_wakeups()


def domains(service: Service) -> list[str]:
    """The names of all domains, as a client sees them."""
    request = Request("ListDomains", b'{"registrationStatus": "REGISTERED"}')
    answer: Any = service.call(request, 2.0, "tester")
    return [each["name"] for each in answer.body["domainInfos"]]


# One owner.


def test_a_file_belongs_to_one_process(tmp_path: Path) -> None:
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
    """A program whose state file is in use ends with the sentence and 1."""
    path = str(tmp_path / "state")
    made, _ = listening("--state", path)
    with made:
        assert program.main(["--port", "0", "--state", path]) == 1
    assert f"{path} is in use by another process" in capsys.readouterr().err


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Neither the file nor SQLite's log beside it can be read by others, whatever the umask."""
    before = os.umask(0)
    try:
        service = Service(state=tmp_path / "state")
        register(service, "d")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    service.close(2.0)
    assert modes == {"state": 0o600, "state-wal": 0o600}


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    """The owner may have chosen it for a group."""
    path = tmp_path / "state"
    path.touch(0o660)
    path.chmod(0o660)
    Service(state=path).close(2.0)
    assert path.stat().st_mode & 0o777 == 0o660


# Version, settings, seed.


def test_a_file_keeps_its_seed(tmp_path: Path) -> None:
    """Without a seed a service continues with the file's."""
    path = tmp_path / "state"
    Journal(path, {}, seed=7).close()
    again = Journal(path, {})
    assert again.seed == 7
    again.close()


def test_a_new_file_gets_a_seed(tmp_path: Path) -> None:
    """Without a seed each new file gets one of its own, and keeps it."""
    first, second = Journal(tmp_path / "1", {}), Journal(tmp_path / "2", {})
    assert first.seed != second.seed
    first.close()
    second.close()
    again = Journal(tmp_path / "1", {})
    assert again.seed == first.seed
    again.close()


def test_another_seed_is_refused(tmp_path: Path) -> None:
    """A file is refused with another seed, since its inputs would lead elsewhere."""
    Journal(tmp_path / "state", {}, seed=7).close()
    with pytest.raises(JournalError, match="written with seed 7, and this is seed 8"):
        Journal(tmp_path / "state", {}, seed=8)


# Other files.


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """A foreign SQLite file is refused with a sentence, and no byte of it is changed."""
    path = tmp_path / "accounts"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE accounts (name)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="accounts is a database of another program: choose"):
        Service(state=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("place", "words"),
    [("no/such/folder/state", "No such file or directory"), (".", "Is a directory")],
)
def test_the_error_for_a_file_has_the_systems_reason(
    tmp_path: Path, place: str, words: str
) -> None:
    """The message has the system's own reason, and the remedy."""
    with pytest.raises(JournalError, match=rf"{words}\. Choose another file"):
        Journal(tmp_path / place, {})


# Damage.


@pytest.mark.parametrize(
    ("what", "params", "words"),
    [
        ("RegisterDomain", "{nope", "is damaged after input 2: Expecting property name"),
        ("RegisterDomain", "[]", "is damaged after input 2: the row at 3 is not an input"),
        ("RegisterTeapot", "{}", r"input 3 \(RegisterTeapot\) is now refused: KeyError"),
        ("RegisterDomain", "{}", r"input 3 \(RegisterDomain\) is now refused: KeyError"),
    ],
)
def test_an_input_that_cannot_be_repeated_is_named(
    tmp_path: Path, what: str, params: str, words: str
) -> None:
    """A file with an invalid input is refused with the input, and closed."""
    path = tmp_path / "state"
    service = Service(state=path)
    register(service, "d")
    service._journal._file.close()  # type: ignore[union-attr]  # it has one
    other = sqlite3.connect(path)
    other.execute("INSERT INTO inputs VALUES (3, 1.0, ?, ?)", (what, params))
    other.commit()
    other.close()
    for _ in range(2):
        with pytest.raises(JournalError, match=f"{words}.*Choose a new file"):
            Service(state=path)


def test_an_input_without_its_time_is_damage(tmp_path: Path) -> None:
    """A text in place of the time is damage, too."""
    path = tmp_path / "state"
    Service(state=path).close(1.0)
    other = sqlite3.connect(path)
    other.execute("UPDATE inputs SET at = 'noon'")
    other.commit()
    other.close()
    with pytest.raises(JournalError, match="is damaged after input 0: the row at 1 is not"):
        Service(state=path)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    """A file that lost its second half is refused with a sentence."""
    path = tmp_path / "state"
    many = Settings(domains=1_000)
    service = Service(many, state=path)
    for number in range(many.domains):
        register(service, f"d-{number:03}")
    service.close(2.0)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(JournalError, match=r"malformed\. Choose a"):
        Service(many, state=path)


# A full disk.


def test_a_full_disk_ends_the_program(tmp_path: Path) -> None:
    """An input that cannot be kept is not answered: the call fails, and the program ends with the
    cause.
    """
    path = str(tmp_path / "state")
    made = Program(
        "-c",
        # No file may grow beyond 200 kB: for the process the same as a full disk.
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        "from garcon.local.__main__ import main; sys.exit(main(sys.argv[1:]))",
        *("--port", "0", "--state", path),
    )
    with made:
        line = made.out.wait_for(lambda line: "http://" in line, "the endpoint")
        account = Account(client_of(line[line.index("http://") :]), "dom")
        account.register()
        account.start()
        code, answered = signal_until_refused(account)
        assert made.wait() == 1
        message = made.err.rest()
    assert code == "InternalFailure"
    assert f"garcon.local: {path} cannot be written: " in message
    assert "Traceback" not in message
    made, endpoint = listening("--state", path)
    with made:
        history = Account(client_of(endpoint), "dom").history()
    signals = [each for each in history if each["eventType"] == "WorkflowExecutionSignaled"]
    assert len(signals) == answered > 0


def signal_until_refused(account: Account) -> tuple[str, int]:
    """Send large signals; the code of the refusal, and the number of accepted signals before it."""
    signal_of = {"workflowId": "w", "input": "i" * 10_000}
    for number in range(1_000):
        try:
            account.in_domain("signal_workflow_execution", signalName=f"s-{number}", **signal_of)
        except ClientError as error:
            return error.response["Error"]["Code"], number
    raise AssertionError("there was room for all signals")


# Torn writes.


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a state file after a kill: all of its content is in SQLite's log."""
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
def test_a_torn_end_costs_only_the_last_write(
    tmp_path_factory: pytest.TempPathFactory, left_behind: Path, torn: int, junk: bytes
) -> None:
    """After a write that broke off anywhere, the service continues from the last complete input."""
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


def test_a_write_is_complete_or_not_there(tmp_path: Path) -> None:
    """The inputs of one flush come into the file together: one that fails leaves none."""
    journal = Journal(tmp_path / "state", {})
    journal.write(1.0, "first", {})
    journal.write(1.0, "second", {}, place=1)
    with pytest.raises(JournalError, match="cannot be written"):
        journal.flush()
    again = Journal(tmp_path / "state", {})
    assert list(again.entries()) == []
    again.close()


def test_a_kill_during_writes_loses_no_acknowledged_input(tmp_path: Path) -> None:
    """After kill -9 during signals, each acknowledged signal is in the history."""
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
    names = [
        event["workflowExecutionSignaledEventAttributes"]["signalName"]
        for event in history
        if event["eventType"] == "WorkflowExecutionSignaled"
    ]
    assert names[: len(acknowledged)] == acknowledged
    assert len(names) <= len(acknowledged) + 1
