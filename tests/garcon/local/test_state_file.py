"""The state file as a file: whose it is, what it was begun with, what a torn end costs."""

from __future__ import annotations

import json
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
from garcon.local.journal import Journal, JournalError
from garcon.local.service import Request, Service
from tests.garcon.local.conformance import Account
from tests.garcon.local.conftest import client_of
from tests.garcon.local.wire import listening
from tests.processes.harness import Program

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


# What it is not.


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Somebody's SQLite file is refused with a sentence, and not a byte of it is changed."""
    path = tmp_path / "accounts"
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE accounts (name)")
    theirs.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="accounts is a database of something else: choose"):
        Service(state=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("place", "words"),
    [("no/such/folder/state", "No such file or directory"), (".", "Is a directory")],
)
def test_a_file_that_cannot_be_opened_is_told_why(tmp_path: Path, place: str, words: str) -> None:
    """The system's own word is told, and what to do."""
    with pytest.raises(JournalError, match=rf"{words}\. Choose another file"):
        Journal(tmp_path / place, {})


# Damage.


@pytest.mark.parametrize(
    ("what", "params", "words"),
    [
        ("RegisterDomain", "{nope", "is damaged after input 2: Expecting property name"),
        ("RegisterDomain", "[]", "is damaged after input 2: what stands at 3 is no input"),
        ("RegisterTeapot", "{}", r"input 3 \(RegisterTeapot\) is now refused: KeyError"),
        ("RegisterDomain", "{}", r"input 3 \(RegisterDomain\) is now refused: KeyError"),
    ],
)
def test_an_input_that_cannot_be_repeated_is_told(
    tmp_path: Path, what: str, params: str, words: str
) -> None:
    """A file whose inputs make no sense is refused with the input, and let go of."""
    path = tmp_path / "state"
    service = Service(state=path)
    register(service, "d")
    service._journal._file.close()  # type: ignore[union-attr]  # it has one
    theirs = sqlite3.connect(path)
    theirs.execute("INSERT INTO inputs VALUES (3, 1.0, ?, ?)", (what, params))
    theirs.commit()
    theirs.close()
    for _ in range(2):
        with pytest.raises(JournalError, match=f"{words}.*Choose a new file"):
            Service(state=path)


def test_an_input_without_its_time_is_told(tmp_path: Path) -> None:
    """A text where the time should be is damage, too."""
    path = tmp_path / "state"
    Service(state=path).close(1.0)
    theirs = sqlite3.connect(path)
    theirs.execute("UPDATE inputs SET at = 'noon'")
    theirs.commit()
    theirs.close()
    with pytest.raises(JournalError, match="is damaged after input 0: what stands at 1"):
        Service(state=path)


def test_a_file_that_was_cut_short_is_told(tmp_path: Path) -> None:
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


# No room.


def test_a_full_disk_ends_the_program(tmp_path: Path) -> None:
    """What cannot be kept is not answered: the call fails, and the program ends with the reason."""
    path = str(tmp_path / "state")
    made = Program(
        "-c",
        # No file may grow beyond 200 kB: the kernel's way to tell a process that there is no room.
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
        told = made.err.rest()
    assert code == "InternalFailure"
    assert f"garcon.local: {path} cannot be written: " in told
    assert "Traceback" not in told
    made, endpoint = listening("--state", path)
    with made:
        history = Account(client_of(endpoint), "dom").history()
    signals = [each for each in history if each["eventType"] == "WorkflowExecutionSignaled"]
    assert len(signals) == answered > 0


def signal_until_refused(account: Account) -> tuple[str, int]:
    """Send signals with much to keep; the code of the refusal, and how many were taken before."""
    signal_of = {"workflowId": "w", "input": "i" * 10_000}
    for number in range(1_000):
        try:
            account.in_domain("signal_workflow_execution", signalName=f"s-{number}", **signal_of)
        except ClientError as error:
            return error.response["Error"]["Code"], number
    raise AssertionError("there was room for all signals")


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
    with pytest.raises(JournalError, match="cannot be written"):
        journal.flush()
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
