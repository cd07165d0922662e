"""The claim store: texts that are too long for SWF, and their way back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garcon import activity, claims, runner, task
from garcon import client as clients
from garcon.decider import DeciderWorker
from garcon.history.reserved_timers import RETURN_TIMER
from garcon.local import LocalSWF
from garcon.payload import codec
from tests.garcon.fakes import CountingDict, CountingStore, FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

pytestmark = pytest.mark.slow  # moto's S3

BIG = "x" * 40_000


def on_moto() -> AbstractContextManager[Any]:
    """A block in which boto3 reaches moto's S3."""
    from moto import mock_aws  # noqa: PLC0415 - slow to import: not for a run of the fast tests

    block: AbstractContextManager[Any] = mock_aws()
    return block


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins and ends without a store; moto requires any credentials."""
    monkeypatch.delenv(claims.ENVIRONMENT, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    yield
    claims.configure(None)


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """A store of each kind."""
    if request.param == "file":
        claims.configure(f"file:{tmp_path}")
        yield
        return
    with on_moto():
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket="bucket")
        claims.configure("s3://bucket/a/prefix/", client=s3)
        yield


@pytest.mark.usefixtures("store")
def test_a_long_text_comes_back() -> None:
    """SWF gets a short claim, and every reader the value, in another process too."""
    value = {"big": BIG, "small": 1}
    text = codec.encode(value, "It")
    assert len(text) < 200
    assert codec.decode(text, "It") == value
    claims._state.memory = claims.MemoryStore()
    assert codec.decode_object(text, "It") == value


@pytest.mark.usefixtures("store")
def test_a_text_that_swf_takes_is_not_stored() -> None:
    """A short text is sent as it is."""
    assert codec.encode({"a": 1}, "It") == '{"a": 1}'
    assert len(codec.encode("x" * (32_768 - 2), "It")) == 32_768


@pytest.mark.usefixtures("store")
def test_the_same_text_is_the_same_claim() -> None:
    """A second upload of a text adds nothing."""
    assert codec.encode(BIG, "It") == codec.encode(BIG, "It")


@pytest.mark.usefixtures("store")
def test_a_missing_text_is_reported_with_claim_and_store() -> None:
    """The error names the claim, the store and the likely causes."""
    claim = json.dumps({claims.CLAIM: "0" * 64, "characters": 40_000})
    with pytest.raises(
        codec.NotReadable, match=r"The input is in a claim store.*not in (file|s3):.*GARCON"
    ):
        codec.decode(claim, "The input")


def test_a_damaged_text_is_noticed(tmp_path: Path) -> None:
    """A store can lose a text, but not replace it."""
    claims.configure(f"file:{tmp_path}")
    text = codec.encode(BIG, "It")
    (file,) = (each for each in tmp_path.rglob("*") if each.is_file())
    file.write_text("something else")
    with pytest.raises(codec.NotReadable, match="damaged"):
        codec.decode(text, "It")


def test_without_a_store_a_long_text_is_an_error_with_size_key_and_cure() -> None:
    """The error names the setting that would help."""
    with pytest.raises(codec.TooLarge, match=r"40,\d{3} .*'big'.*GARCON_CLAIMS"):
        codec.encode({"big": BIG}, "The input")


def test_without_a_store_a_claim_cannot_be_read() -> None:
    """The error names the setting that this process lacks."""
    claim = json.dumps({claims.CLAIM: "0" * 64, "characters": 40_000})
    with pytest.raises(claims.ClaimStoreMissing, match="this process has no claim store"):
        codec.decode(claim, "The input")


def test_a_decider_without_a_store_returns_the_task(caplog: pytest.LogCaptureFixture) -> None:
    """Its host lacks a setting, which is not the execution's fault; one error a minute says so."""
    swf = FakeSwf()
    made: Any = flow(a=make("a"))
    made.client = swf
    decider = DeciderWorker(made, register=False)
    claim = {claims.CLAIM: "0" * 64, "characters": 40_000}
    for _ in range(2):
        (decision,) = decider.decide(History(claim).poll())
        timer = decision["startTimerDecisionAttributes"]
        assert timer["timerId"] == RETURN_TIMER
        assert timer["startToFireTimeout"] == "5"
    assert caplog.text.count("GARCON_CLAIMS") == 1


def test_a_worker_without_a_store_returns_the_task() -> None:
    """It was not started, so it costs no attempt."""
    made: Any = make("a")
    claim = json.dumps({claims.CLAIM: "0" * 64, "characters": 40_000})
    outcome = made.attempt(activity.ActivityExecution(FakeSwf(), "a-1", "token", claim))
    assert outcome.reason.startswith("HostUnable: The claim")


def test_a_directory_that_is_not_mounted_is_a_missing_store(tmp_path: Path) -> None:
    """The text may be there on another host; a text that an existing store lacks is lost."""
    claim = {claims.CLAIM: "0" * 64, "characters": 1}
    claims.configure(f"file:{tmp_path}/not-mounted")
    with pytest.raises(claims.ClaimStoreMissing, match="does not exist on this host"):
        claims.get(claim)
    claims.configure(f"file:{tmp_path}")
    with pytest.raises(claims.ClaimNotFound):
        claims.get(claim)


def test_an_invalid_address_is_a_missing_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the host's fault, so the execution does not fail of it."""
    claims.configure(None)
    monkeypatch.setenv(claims.ENVIRONMENT, "ftp://x")
    made: Any = flow(a=make("a"))
    made.client = FakeSwf()
    claim = {claims.CLAIM: "0" * 64, "characters": 40_000}
    (decision,) = DeciderWorker(made, register=False).decide(History(claim).poll())
    assert decision["startTimerDecisionAttributes"]["timerId"] == RETURN_TIMER


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("AccessDenied", status=403), claims.ClaimStoreMissing),
        (PermissionError(13, "Permission denied"), claims.ClaimStoreMissing),
        (refusal("SlowDown", status=503), claims.ClaimStoreUnavailable),
    ],
)
def test_a_store_that_a_host_may_not_read_is_a_missing_one(
    error: Exception, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what ends by itself is waited for."""

    def fail(_digest: str) -> bytes:
        raise error

    store = CountingStore()
    monkeypatch.setattr(store, "get", fail)
    monkeypatch.setattr(claims._state, "given", store)
    with pytest.raises(claims.ClaimStoreUnavailable) as raised:
        claims.get({claims.CLAIM: "0" * 64, "characters": 1})
    assert type(raised.value) is kind


def test_an_input_that_cannot_be_fetched_costs_no_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task has not begun; a runner that reads no input runs."""
    store = CountingStore()
    monkeypatch.setattr(store, "get", lambda _digest: (_ for _ in ()).throw(OSError("gone")))
    monkeypatch.setattr(claims._state, "given", store)
    claim = json.dumps({claims.CLAIM: "0" * 64, "characters": 40_000})
    made: Any = make("a")
    outcome = made.attempt(activity.ActivityExecution(FakeSwf(), "a-1", "token", claim))
    assert outcome.reason.startswith("HostUnable: The claim store")


def test_a_claim_is_read_only_by_a_digest(tmp_path: Path) -> None:
    """Others write histories: anything but a SHA-256 is refused before a store is read."""
    claims.configure(f"file:{tmp_path}/store")
    (tmp_path / "secret").write_text("1")
    for name in ("../secret", "secret", "A" * 64, "0" * 63):
        claim = json.dumps({claims.CLAIM: name, "characters": 1})
        with pytest.raises(codec.NotReadable, match="not a SHA-256"):
            codec.decode(claim, "It")


def test_encoding_uploads_nothing(tmp_path: Path) -> None:
    """A result is encoded when the tasks return, and uploaded when its text is first needed."""
    claims.configure(f"file:{tmp_path}")
    result = codec.encoded(BIG, "It")
    assert list(tmp_path.iterdir()) == []
    assert codec.decode(result.text, "It") == BIG


def test_a_text_that_is_too_long_for_a_store_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the size, as without a store."""
    claims.configure(f"file:{tmp_path}")
    monkeypatch.setattr(claims, "LARGEST", 39_000)
    with pytest.raises(codec.TooLarge, match="39,000 that a claim store takes"):
        codec.encode(BIG, "It")


def test_the_environment_configures_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``configure`` wins over the environment until it is undone."""
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}/one")
    codec.encode(BIG, "It")
    claims.configure(f"file:{tmp_path}/two")
    codec.encode(BIG, "It")
    claims.configure(None)
    assert claims.store() == claims.DirectoryStore(tmp_path / "one")
    assert {each.name for each in tmp_path.iterdir()} == {"one", "two"}


@pytest.mark.parametrize("url", ["", "disk:/a", "s3:", "s3://", "file:", "/a/directory"])
def test_other_addresses_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the two forms that are accepted."""
    monkeypatch.setenv(claims.ENVIRONMENT, url)
    if not url:
        assert claims.store() is None
        return
    with pytest.raises(ValueError, match=r"file:/a/directory or s3://bucket/prefix"):
        claims.store()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("file:/a/b", "file:/a/b"),
        ("file:///a/b", "file:/a/b"),
        ("s3://bucket", "s3://bucket/"),
        ("s3:bucket/a/", "s3://bucket/a/"),
    ],
)
def test_store_addresses_may_have_slashes_or_not(url: str, shown: str) -> None:
    """Both spellings of a URL are the same store."""
    claims.configure(url)
    assert str(claims.store()) == shown


@given(st.lists(st.sampled_from("abcdef"), max_size=30))
def test_the_cache_is_bounded(used: list[str]) -> None:
    """It never holds more bytes than allowed, and returns the texts that were cached."""
    memory = claims.MemoryStore(25)
    for name in used:
        memory.keep(name, name.encode() * 10)
    held = [name for name in "abcdef" if memory.get(name)]
    assert len(held) <= 2
    assert all(memory.get(name) == name.encode() * 10 for name in held)
    assert memory._left == 25 - 10 * len(held)


def test_a_bucket_is_read_in_the_configured_region() -> None:
    """S3 has its own endpoint; the one configured for SWF has no buckets."""
    clients.configure(region="eu-central-1", endpoint_url="http://127.0.0.1:9")
    try:
        claims.configure("s3://bucket/prefix")
        with on_moto():
            found = claims.store()
            assert isinstance(found, claims.S3Store)
            meta = found._client.meta
    finally:
        clients.configure()
    assert meta.region_name == "eu-central-1"
    assert "amazonaws.com" in meta.endpoint_url


def test_a_bucket_is_read_with_the_configured_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The credentials are those of the profile, not of the default one."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # cfn-lint sets one in its process
        monkeypatch.delenv(name, raising=False)
    settings = tmp_path / "config"
    settings.write_text(
        "[profile other]\naws_access_key_id = its\naws_secret_access_key = secret\n"
        "region = eu-west-3\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(settings))
    clients.configure(profile="other")
    try:
        s3 = clients.of_service("s3")
    finally:
        clients.configure()
    assert (s3.meta.region_name, s3._get_credentials().access_key) == ("eu-west-3", "its")


def test_boto3_is_imported_only_for_s3(tmp_path: Path) -> None:
    """A store in a directory does not cost the import."""
    script = (
        "import sys; from garcon import claims; from garcon.payload import codec;"
        f"claims.configure('file:{tmp_path}'); codec.encode('x' * 40_000, 'It');"
        "print('boto3' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert run.stdout.decode().strip() == "False"


@task.decorate(timeout=10)
def enlarge(text: str) -> dict[str, Any]:
    """Return a result that is too long for SWF."""
    return {"large": text * 40_000}


@task.decorate(timeout=10)
def measure(large: str) -> dict[str, Any]:
    """Use the long result."""
    return {"length": len(large)}


def test_tasks_and_deciders_see_the_values(tmp_path: Path) -> None:
    """Results, context and inputs are the same as if SWF took texts of any length."""
    claims.configure(f"file:{tmp_path}")
    seen: list[int] = []

    def decider(schedule: Any) -> None:
        large = schedule("a", flow_.a, input={"text": "y"})
        seen.append(len(large.result["large"]))
        schedule("b", flow_.b, requires=[large])

    flow_ = flow(
        a=make("a", run=runner.Sync(enlarge.fill(text="text"))),
        b=make("b", run=runner.Sync(measure.fill(large="large"))),
        decider=decider,
    )
    with LocalSWF() as swf:
        outcome = swf.run(flow_)
    assert outcome.status == "COMPLETED"
    assert outcome.context["length"] == 40_000
    assert set(seen) == {40_000}


RESPOND = "respond_activity_task_completed"


def enlarging(swf: FakeSwf, result: Any) -> Any:
    """An activity with one task in its list, which returns this result."""
    swf.prepare(
        "poll_for_activity_task",
        {
            "taskToken": "token",
            "activityId": "flow_a-1",
            "startedEventId": 3,
            "workflowExecution": {"workflowId": "w", "runId": "r"},
            "input": "{}",
        },
    )
    made = make("a", swf, run=runner.Sync(lambda context: result))
    made.clock = FakeClock().clock
    return made


def test_a_claim_store_that_fails_does_not_lose_the_work() -> None:
    """The upload is attempted again until the store takes the result; then SWF gets the claim."""
    swf, store = FakeSwf(), CountingStore(failures=2)
    claims._state.given = store
    assert enlarging(swf, {"large": BIG}).run()
    assert store.uploads == 1
    (request,) = swf.requests(RESPOND)
    assert len(request["result"]) < 200


def test_a_result_is_encoded_once_and_uploaded_once() -> None:
    """This holds however often SWF throttles the answer or is not reached."""
    swf, store = FakeSwf(), CountingStore()
    claims._state.given = store
    swf.prepare(RESPOND, *[refusal("ThrottlingException")] * 12, refusal("x", status=500))
    part = CountingDict(large=BIG)
    assert enlarging(swf, {"part": part}).run()
    assert len(swf.requests(RESPOND)) == 14
    assert (part.encodings, store.uploads) == (1, 1)


def test_a_claim_store_that_fails_fails_no_workflow(tmp_path: Path) -> None:
    """An input that cannot be uploaded is a transient error, not a decision."""
    place = tmp_path / "store"
    place.write_text("a file is in the way")
    claims.configure(f"file:{place}")
    made = DeciderWorker(
        flow(a=make("a", run=runner.Sync(lambda context: context))), register=False
    )
    with pytest.raises(claims.ClaimStoreUnavailable, match="did not take a text"):
        made.decide(History({"big": "x" * 32_700}).poll())


def test_a_full_disk_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt would leave one, on the disk that is full."""
    store = claims.DirectoryStore(tmp_path)

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(claims.ClaimStoreUnavailable, match="No space left"):
        claims.put("text", store)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []
