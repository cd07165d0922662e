"""A local SWF is reached whatever AWS settings and proxies the shell has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from garcon import client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow  # new clients for each test


@pytest.fixture(autouse=True)
def _undo() -> Iterator[None]:
    """The choice of the process is undone."""
    yield
    client.configure()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("AWS_PROFILE", each) for each in ("nowhere", "")),
        *(("AWS_ACCESS_KEY_ID", each) for each in ("", "a")),
        *(("AWS_SECRET_ACCESS_KEY", each) for each in ("", "a")),
        *(("AWS_DEFAULT_REGION", each) for each in ("", "nowhere-1", "not a region")),
        ("AWS_MAX_ATTEMPTS", "x"),
        ("AWS_RETRY_MODE", "x"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_CA_BUNDLE", "/nowhere"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_STS_REGIONAL_ENDPOINTS", "x"),
        ("AWS_DEFAULTS_MODE", "x"),
        ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "x"),
        *((each, "http://127.0.0.1:9") for each in ("HTTP_PROXY", "http_proxy", "ALL_PROXY")),
    ],
)
def test_no_variable_reaches_a_local_swf(
    name: str, value: str, local_swf_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polling and calling clients work, and their credentials and region are the local ones."""
    for each in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, value)
    client.configure(endpoint_url=local_swf_endpoint, isolated=True)
    for swf in (client.polling(), client.calling()):
        assert "domainInfos" in swf.list_domains(registrationStatus="REGISTERED")
        assert swf.meta.region_name == "us-east-1"


def test_no_file_reaches_a_local_swf(
    local_swf_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken configuration file, named or at home, is not read."""
    broken = tmp_path / ".aws" / "config"
    broken.parent.mkdir()
    broken.write_text("[broken")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(broken))
    client.configure(endpoint_url=local_swf_endpoint, isolated=True)
    assert "domainInfos" in client.calling().list_domains(registrationStatus="REGISTERED")


def test_the_region_of_the_settings_holds(local_swf_endpoint: str) -> None:
    """A region that is named for a local SWF is used."""
    client.configure(region="eu-west-3", endpoint_url=local_swf_endpoint, isolated=True)
    assert client.calling().meta.region_name == "eu-west-3"
