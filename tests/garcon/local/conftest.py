"""Accounts for the tests of the local SWF."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import moto
import pytest
from botocore.config import Config

from garcon.local import LocalSWF
from garcon.local.pytest_plugin import local_swf, local_swf_endpoint  # noqa: F401 - fixtures
from tests.garcon.local.conformance import MOMENT, Account, Standing, Timed, over_http
from tests.garcon.local.second_opinion import MOTO_DIFFERS

if TYPE_CHECKING:
    from collections.abc import Iterator

_domains = itertools.count(1)

_MOMENT_OF_MOTO = datetime.fromtimestamp(MOMENT, UTC).replace(tzinfo=None)
"""The moment of the tests as moto's own clock would tell it: without a zone."""


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
    """No test may reach AWS, or depend on what this machine knows of it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """A local SWF over HTTP for tests that may share one: time stands, empty polls end at once."""
    with over_http(Standing(), poll_seconds=0) as running:
        yield running.endpoint


@pytest.fixture(params=["in process", "http", "moto"])
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account at each implementation; moto must fail where it is said to differ.

    None of them looks at the wall's clock, so that a slow machine times nothing out.
    """
    domain = f"domain-{next(_domains)}"
    if request.param == "moto":
        of_these_parameters = request.node.name.replace("moto-", "")
        reason = MOTO_DIFFERS.get(request.function.__name__) or MOTO_DIFFERS.get(
            of_these_parameters
        )
        if reason:
            request.applymarker(pytest.mark.xfail(reason=f"moto: {reason}", strict=True))
        monkeypatch.setattr("moto.core.utils.utcnow", lambda: _MOMENT_OF_MOTO)
        with moto.mock_aws():
            yield _registered(Account(boto3.client("swf"), domain, strict=False))
    elif request.param == "http":
        yield _registered(Account(client_of(request.getfixturevalue("endpoint")), domain))
    else:
        with LocalSWF(start=MOMENT) as swf:
            yield _registered(Account(swf.client(), domain))


@pytest.fixture
def timed() -> Iterator[Timed]:
    """An account in process, whose time the test has in hand."""
    with LocalSWF(start=MOMENT) as swf:
        yield Timed(swf)


def _registered(account: Account) -> Account:
    account.register()
    return account
