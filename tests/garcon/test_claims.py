"""The claim store: what is too long for SWF, and back."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from garcon import claims, payload, runner, task
from garcon import client as clients
from garcon.decider import DeciderWorker
from garcon.local import LocalSWF
from tests.garcon.fakes import FakeClock, FakeSwf, refusal
from tests.garcon.flows import flow, make
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIG = "x" * 40_000


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins and ends without a store; moto asks for credentials of any kind."""
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
    with mock_aws():
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket="bucket")
        claims.configure("s3://bucket/a/prefix/", client=s3)
        yield


@pytest.mark.usefixtures("store")
def test_what_is_too_long_comes_back() -> None:
    """SWF sees a short claim, the reader the value, also in a process that has not seen it yet."""
    value = {"big": BIG, "small": 1}
    text = payload.encode(value, "It")
    assert len(text) < 200
    assert payload.decode(text, "It") == value
    claims._state.memory = claims.Memory()
    assert payload.decode_object(text, "It") == value


@pytest.mark.usefixtures("store")
def test_what_swf_takes_is_not_stored() -> None:
    """A short text is sent as it is."""
    assert payload.encode({"a": 1}, "It") == '{"a": 1}'
    assert len(payload.encode("x" * (32_768 - 2), "It")) == 32_768


@pytest.mark.usefixtures("store")
def test_the_same_text_is_the_same_claim() -> None:
    """Storing it twice is storing it once."""
    assert payload.encode(BIG, "It") == payload.encode(BIG, "It")


@pytest.mark.usefixtures("store")
def test_a_claim_that_is_not_there_is_a_sentence() -> None:
    """It names the claim, the place and what may have happened."""
    claim = json.dumps({claims.CLAIM: "0" * 64, "characters": 40_000})
    with pytest.raises(
        payload.NotReadable, match=r"The input is a claim.*not in (file|s3):.*GARCON"
    ):
        payload.decode(claim, "The input")


def test_a_damaged_text_is_noticed(tmp_path: Path) -> None:
    """A store can lose a text, it cannot give a wrong one."""
    claims.configure(f"file:{tmp_path}")
    text = payload.encode(BIG, "It")
    (file,) = (each for each in tmp_path.rglob("*") if each.is_file())
    file.write_text("something else")
    with pytest.raises(payload.NotReadable, match="damaged"):
        payload.decode(text, "It")


def test_without_a_store_too_long_is_an_error_with_size_key_and_cure() -> None:
    """As before, and it says what to set."""
    with pytest.raises(payload.TooLarge, match=r"40,\d{3} .*'big'.*GARCON_CLAIMS"):
        payload.encode({"big": BIG}, "The input")


def test_without_a_store_a_claim_cannot_be_read() -> None:
    """The sentence says what this process lacks."""
    claim = json.dumps({claims.CLAIM: "0" * 64, "characters": 40_000})
    with pytest.raises(payload.NotReadable, match="no claim store is set"):
        payload.decode(claim, "The input")


def test_a_claim_leads_nowhere_but_to_digests(tmp_path: Path) -> None:
    """Others write histories: what is no SHA-256 is refused before any place is looked at."""
    claims.configure(f"file:{tmp_path}/store")
    (tmp_path / "secret").write_text("1")
    for name in ("../secret", "secret", "A" * 64, "0" * 63):
        claim = json.dumps({claims.CLAIM: name, "characters": 1})
        with pytest.raises(payload.NotReadable, match="no SHA-256"):
            payload.decode(claim, "It")


def test_checking_stores_nothing(tmp_path: Path) -> None:
    """A result is checked when it is there, and stored when it is sent."""
    claims.configure(f"file:{tmp_path}")
    payload.check(BIG, "It")
    assert list(tmp_path.iterdir()) == []


def test_more_than_a_store_takes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the size, as without a store."""
    claims.configure(f"file:{tmp_path}")
    monkeypatch.setattr(claims, "LARGEST", 39_000)
    with pytest.raises(payload.TooLarge, match="39,000 that a claim store takes"):
        payload.encode(BIG, "It")


def test_the_environment_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And ``configure`` wins over it, until it is taken back."""
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}/one")
    payload.encode(BIG, "It")
    claims.configure(f"file:{tmp_path}/two")
    payload.encode(BIG, "It")
    claims.configure(None)
    assert claims.store() == claims.Directory(tmp_path / "one")
    assert {each.name for each in tmp_path.iterdir()} == {"one", "two"}


@pytest.mark.parametrize("url", ["", "disk:/a", "s3:", "s3://", "file:", "/a/directory"])
def test_other_addresses_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the two forms that are taken."""
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
def test_addresses_may_be_written_either_way(url: str, shown: str) -> None:
    """With slashes or without."""
    claims.configure(url)
    assert str(claims.store()) == shown


@given(st.lists(st.sampled_from("abcdef"), max_size=30))
def test_the_memory_is_bounded(used: list[str]) -> None:
    """It never holds more than it may, and what it gives is what was kept."""
    memory = claims.Memory(25)
    for name in used:
        memory.keep(name, name.encode() * 10)
    held = [name for name in "abcdef" if memory.get(name)]
    assert len(held) <= 2
    assert all(memory.get(name) == name.encode() * 10 for name in held)
    assert memory._left == 25 - 10 * len(held)


def test_a_bucket_is_asked_in_the_region_that_was_chosen() -> None:
    """By its own endpoint: that of another SWF has no buckets."""
    clients.configure(region="eu-central-1", endpoint_url="http://127.0.0.1:9")
    try:
        claims.configure("s3://bucket/prefix")
        with mock_aws():
            found = claims.store()
            assert isinstance(found, claims.Bucket)
            meta = found._client.meta
    finally:
        clients.configure()
    assert meta.region_name == "eu-central-1"
    assert "amazonaws.com" in meta.endpoint_url


def test_a_bucket_is_asked_with_the_profile_that_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its credentials, not those of the default profile."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
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
    """Who keeps claims in a directory does not pay for it."""
    script = (
        "import sys; from garcon import claims, payload;"
        f"claims.configure('file:{tmp_path}'); payload.encode('x' * 40_000, 'It');"
        "print('boto3' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert told.stdout.decode().strip() == "False"


@task.decorate(timeout=10)
def enlarge(text: str) -> dict[str, Any]:
    """A result that SWF does not take."""
    return {"large": text * 40_000}


@task.decorate(timeout=10)
def measure(large: str) -> dict[str, Any]:
    """Uses it."""
    return {"length": len(large)}


def test_tasks_and_deciders_see_the_values(tmp_path: Path) -> None:
    """Results, context and inputs are what they would be if SWF took everything."""
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


def test_a_store_that_does_not_answer_does_not_lose_the_work() -> None:
    """The result is sent again until it is taken."""
    kept: dict[str, bytes] = {}

    class Shaky:
        tries = 0

        def put(self, digest: str, content: bytes) -> None:
            self.tries += 1
            if self.tries < 3:
                raise refusal("SlowDown", status=503)
            kept[digest] = content

        def get(self, digest: str) -> bytes | None:
            return kept.get(digest)

    claims._state.given = Shaky()
    swf = FakeSwf().prepare(
        "poll_for_activity_task",
        {
            "taskToken": "token",
            "activityId": "flow_a-1",
            "startedEventId": 3,
            "workflowExecution": {"workflowId": "w", "runId": "r"},
            "input": '{"text": "y"}',
        },
    )
    made = make("a", swf, run=runner.Sync(enlarge.fill(text="text")))
    made.clock = FakeClock().clock
    assert made.run()
    assert len(kept) == 1
    (request,) = swf.requests("respond_activity_task_completed")
    assert len(request["result"]) < 200


def test_a_store_that_does_not_answer_fails_no_workflow(tmp_path: Path) -> None:
    """An input that cannot be stored just now is a trouble that passes, not a decision."""
    place = tmp_path / "store"
    place.write_text("a file is in the way")
    claims.configure(f"file:{place}")
    made = DeciderWorker(
        flow(a=make("a", run=runner.Sync(lambda context: context))), register=False
    )
    with pytest.raises(claims.Unavailable, match="does not take a text"):
        made.decide(History({"big": "x" * 32_700}).poll())
