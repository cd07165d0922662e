"""Accounts for the tests of the local SWF."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from garcon.local import LocalSWF
from garcon.local.pytest_plugin import local_swf, local_swf_endpoint  # noqa: F401 - fixtures
from tests.garcon.local.conformance.account import (
    MOMENT,
    Account,
    FrozenClock,
    TimedAccount,
    over_http,
)
from tests.garcon.local.conformance.moto_differences import MOTO_DIFFERS

if TYPE_CHECKING:
    from collections.abc import Iterator

_domains = itertools.count(1)

_MOMENT_OF_MOTO = datetime.fromtimestamp(MOMENT, UTC).replace(tzinfo=None)
"""The time of the tests in the form of moto's clock: without a zone."""


def client_of(endpoint: str) -> Any:
    """A boto3 client of an endpoint on this machine; one attempt a call."""
    return boto3.client(
        "swf",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - any will do
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach AWS, or depend on this machine's configuration for it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture(scope="session")
def http_client() -> Iterator[Any]:
    """A client of a shared local SWF over HTTP, with a fixed time and polls that do not wait."""
    with over_http(FrozenClock(), poll_seconds=0) as running:
        made = client_of(running.endpoint)
        yield made
        made.close()


@pytest.fixture(params=["in process", "http", pytest.param("moto", marks=pytest.mark.slow)])
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account at each implementation; moto must fail in the tests of its known differences.

    None of them uses the wall's clock, so that no task times out on a slow machine.
    """
    domain = f"domain-{next(_domains)}"
    if request.param == "moto":
        import moto  # noqa: PLC0415 - slow to import, and only slow tests need it

        with_parameters = request.node.name.replace("moto-", "")
        reason = MOTO_DIFFERS.get(request.function.__name__) or MOTO_DIFFERS.get(with_parameters)
        if reason:
            request.applymarker(pytest.mark.xfail(reason=f"moto: {reason}", strict=True))
        monkeypatch.setattr("moto.core.utils.utcnow", lambda: _MOMENT_OF_MOTO)
        with moto.mock_aws():
            yield _registered(Account(boto3.client("swf"), domain, strict=False))
    elif request.param == "http":
        yield _registered(Account(request.getfixturevalue("http_client"), domain))
    else:
        with LocalSWF(start=MOMENT) as swf:
            yield _registered(Account(swf.client(), domain))


@pytest.fixture
def timed() -> Iterator[TimedAccount]:
    """An account in process, whose time is moved by the test."""
    with LocalSWF(start=MOMENT) as swf:
        yield TimedAccount(swf)


def _registered(account: Account) -> Account:
    account.register()
    return account
