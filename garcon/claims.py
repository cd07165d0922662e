"""The claim store: where inputs and results go that are longer than SWF takes.

What is too long is stored, and SWF is given a claim: its SHA-256 and length. Whoever reads the
claim fetches what it stands for; tasks and deciders see the value alone (``payload`` does both).

Rules:

1. A text is stored under its own SHA-256. So storing it twice is storing it once, nothing is ever
   changed, and what comes back is checked: a store can lose a text, it cannot give a wrong one.
2. A claim names no store. Where to look is the reader's own setting, never what the history says,
   which others may have written. All workers of a flow are given the same store.
3. Nothing is deleted here. Let the store expire what is older than executions last and are
   retained: an S3 lifecycle rule, a cron job on the directory. Encryption at rest is the bucket's.
4. A text that is not there is a sentence and final; a store that does not answer passes.
"""

import hashlib
import os
import re
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from garcon import client as clients
from garcon.errors import GarconError
from garcon.trouble import ERRORS

ENVIRONMENT = "GARCON_CLAIMS"
CLAIM = "garcon.claim"

LARGEST = 64 * 2**20  # characters; a worker holds a few of them in memory at once
REMEMBERED = 64 * 2**20  # characters; a decider that reads a history again spares the fetching

_DIGEST = re.compile(r"[0-9a-f]{64}")


class NotThere(GarconError, ValueError):
    """What a claim stands for cannot be had, and will not be."""


class Unavailable(GarconError, ConnectionError):
    """The claim store did not take or give something just now; a later try may succeed."""


class Store(Protocol):
    """Keeps texts by their digests."""

    def put(self, digest: str, content: bytes) -> None:
        """Keep it."""

    def get(self, digest: str) -> bytes | None:
        """What was kept; None if it is not there."""


@dataclass(frozen=True)
class Directory:
    """A directory, on one host or shared by several."""

    path: Path

    def __str__(self) -> str:
        return f"file:{self.path}"

    def put(self, digest: str, content: bytes) -> None:
        """Written aside and renamed, so that nobody reads a half of it."""
        place = self._place(digest)
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(content)
        Path(file.name).replace(place)

    def get(self, digest: str) -> bytes | None:
        """The file's content."""
        try:
            return self._place(digest).read_bytes()
        except FileNotFoundError:
            return None

    def _place(self, digest: str) -> Path:
        # Two letters a folder: a million claims make 256 folders of 4,000 files.
        return self.path / digest[:2] / digest


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket, and what the names of our objects begin with."""

    name: str
    prefix: str
    given: Any = None

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"

    def put(self, digest: str, content: bytes) -> None:
        """One PutObject; encrypted as the bucket says."""
        self._client.put_object(
            Bucket=self.name, Key=self.prefix + digest, Body=content, ContentType="application/json"
        )

    def get(self, digest: str) -> bytes | None:
        """One GetObject."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=self.prefix + digest)
        except self._client.exceptions.NoSuchKey:
            return None
        content: bytes = answer["Body"].read()
        return content

    @cached_property
    def _client(self) -> Any:
        return clients.of_service("s3") if self.given is None else self.given


class Memory:
    """The texts read last, up to a number of bytes; for several threads."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._left = size
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> bytes | None:
        """What is remembered."""
        with self._lock:
            if digest in self._known:
                self._known.move_to_end(digest)
            return self._known.get(digest)

    def keep(self, digest: str, content: bytes) -> None:
        """Remember it, and forget what was used longest ago if there is too much."""
        with self._lock:
            self._left += len(self._known.pop(digest, b"")) - len(content)
            self._known[digest] = content
            while self._left < 0:
                _, dropped = self._known.popitem(last=False)
                self._left += len(dropped)


class _State:
    """What this process was told."""

    def __init__(self, store: Store | None = None) -> None:
        self.given = store
        self.by_url: dict[str, Store] = {}
        self.memory = Memory()


_state = _State()


def configure(url: str | None, *, client: Any = None) -> None:
    """Say where claims are kept; wins over the environment's ``GARCON_CLAIMS``.

    Args:
        url: ``file:/a/directory``, ``s3://bucket/prefix``, or None to leave it to the environment.
        client: An S3 client of your own; one of the profile and region chosen for SWF otherwise.

    Raises:
        ValueError: It is neither.
    """
    global _state  # noqa: PLW0603 - the process's one choice, replaced as a whole
    _state = _State(_store_at(url, client) if url else None)


def store() -> Store | None:
    """Where claims are kept; None if nobody said.

    Raises:
        ValueError: The environment's ``GARCON_CLAIMS`` is no address of a store.
    """
    url = os.environ.get(ENVIRONMENT)
    if _state.given is not None or not url:
        return _state.given
    if url not in _state.by_url:
        _state.by_url[url] = _store_at(url)
    return _state.by_url[url]


def put(text: str, into: Store) -> dict[str, Any]:
    """Keep a text; the claim for it.

    Raises:
        Unavailable: The store did not take it.
    """
    content = text.encode()
    digest = hashlib.sha256(content).hexdigest()
    try:
        into.put(digest, content)
    except ERRORS as error:
        raise Unavailable(f"The claim store {into} does not take a text: {error}") from error
    return {CLAIM: digest, "characters": len(text)}


def is_claim(value: Any) -> bool:
    """Whether a value is a claim and not what it stands for."""
    return isinstance(value, Mapping) and value.keys() == {CLAIM, "characters"}


def get(claim: Mapping[str, Any]) -> str:
    """The text that a claim stands for.

    Raises:
        NotThere: No store is set, the store does not have it, or has something else.
        Unavailable: The store did not give it.
    """
    digest = str(claim[CLAIM])
    if not _DIGEST.fullmatch(digest):
        raise NotThere(f"The claim {digest[:80]!r} is no SHA-256.")
    content = _state.memory.get(digest)
    if content is None:
        content = _fetched(digest)
        _state.memory.keep(digest, content)
    return content.decode()


def _fetched(digest: str) -> bytes:
    where = store()
    if where is None:
        raise NotThere(
            f"The claim {digest} cannot be fetched: no claim store is set. Give this process the "
            f"{ENVIRONMENT} that the others have."
        )
    try:
        content = where.get(digest)
    except ERRORS as error:
        raise Unavailable(f"The claim store {where} does not give {digest}: {error}") from error
    if content is None:
        raise NotThere(
            f"The claim {digest} is not in {where}. It was deleted, or put by a process with "
            f"another {ENVIRONMENT}."
        )
    if hashlib.sha256(content).hexdigest() != digest:
        raise NotThere(f"What {where} has for the claim {digest} is damaged.")
    return content


def _store_at(url: str, client: Any = None) -> Store:
    scheme, _, rest = url.partition(":")
    if scheme == "file" and rest.strip("/"):
        return Directory(Path(rest.removeprefix("//")).absolute())
    bucket, _, prefix = rest.lstrip("/").partition("/")
    if scheme == "s3" and bucket:
        return Bucket(bucket, f"{prefix.rstrip('/')}/" if prefix.strip("/") else "", client)
    raise ValueError(
        f"A claim store is file:/a/directory or s3://bucket/prefix, not {url!r} ({ENVIRONMENT})."
    )
