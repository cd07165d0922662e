"""Requests leave in one send."""

from __future__ import annotations

import http.client
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError, SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from garcon import client
from garcon.aws import one_send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEND = http.client.HTTPConnection.send


@pytest.fixture(autouse=True)
def chosen_swf() -> Iterator[None]:
    """The choice of each test, undone after it."""
    yield
    client.configure()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What connections send, piece by piece."""
    pieces: list[bytes] = []

    def send(connection: http.client.HTTPConnection, data: bytes) -> None:
        pieces.append(data)
        SEND(connection, data)

    monkeypatch.setattr(http.client.HTTPConnection, "send", send)
    return pieces


def test_head_and_body_leave_together(local_swf_endpoint: str, sent: list[bytes]) -> None:
    """One piece for each request, also on a connection that is used again."""
    client.configure(endpoint_url=local_swf_endpoint, isolated=True)
    for _ in range(2):
        client.calling().list_domains(registrationStatus="REGISTERED")
    assert len(sent) == 2
    for piece in sent:
        head, _, body = piece.partition(b"\r\n\r\n")
        assert head.startswith(b"POST / HTTP/1.1\r\n")
        assert body == b'{"registrationStatus": "REGISTERED"}'


def test_so_they_do_over_tls(
    tmp_path: Path, sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One piece is one record; the server's certificate is checked as ever."""
    bundle = tmp_path / "ca.pem"
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with secure_server(bundle) as endpoint:
        client.configure(endpoint_url=endpoint, region="us-east-1")
        answer = client.calling().list_domains(registrationStatus="REGISTERED")
        assert answer["domainInfos"] == []
        assert len(sent) == 1
        bundle.write_text("")
        client.configure(endpoint_url=endpoint, region="us-east-1")
        with client.without_reconnecting(), pytest.raises(SSLError):
            client.calling().list_domains(registrationStatus="REGISTERED")


@contextmanager
def secure_server(bundle: Path) -> Iterator[str]:
    """A server of empty lists with a certificate of its own, which goes to the file ``bundle``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.now(UTC), timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    own = key.private_bytes(pem, form, serialization.NoEncryption())
    bundle.write_bytes(certificate.public_bytes(pem) + own)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(bundle)
    with ThreadingHTTPServer(("127.0.0.1", 0), Lists) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Lists(BaseHTTPRequestHandler):
    """Answers each call with an empty list of domains."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"domainInfos": []}')

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_server_that_is_not_there_is_that_error() -> None:
    """The connection is made when the request is sent; its error is botocore's."""
    client.configure(endpoint_url="http://127.0.0.1:9", isolated=True)
    with client.without_reconnecting(), pytest.raises(EndpointConnectionError):
        client.calling().list_domains(registrationStatus="REGISTERED")


def test_a_client_without_private_members_is_left_as_it_is() -> None:
    """A later botocore may keep its connections elsewhere: then they send as they do."""
    other: Any = SimpleNamespace()
    one_send.install(other)
    assert other == SimpleNamespace()
