"""The claim store: a directory or an S3 bucket for inputs and results that are too long for SWF.

A long text is uploaded, and SWF gets a claim: its SHA-256 and length. The reader of a claim fetches
the text, so tasks and deciders see the value alone (``codec`` does both).

Rules:

1. A text is stored under its own SHA-256. So a second upload changes nothing, and the reader checks
   the text: a store can lose one, but not replace it.
2. A claim names no store. Each process reads from the store that it was configured with, never
   from an address in a history, which others may have written. All workers of a flow need the same
   store.
3. Nothing is deleted here. Let the store expire texts that are older than executions last and are
   retained: by an S3 lifecycle rule, or a cron job on the directory. The bucket encrypts at rest.
4. A missing text is a permanent error; a store that does not answer is a transient one. So is a
   process without a store: a setting that one host lacks is never the fault of an execution.
"""

import hashlib
import os
import re
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from garcon import client as clients
from garcon.aws import usage
from garcon.aws.aws_errors import ERRORS, is_transient
from garcon.errors import GarconError
from garcon.tracing import family_trace

ENVIRONMENT = "GARCON_CLAIMS"
CLAIM = "garcon.claim"

LARGEST = 64 * 2**20  # characters; a worker holds a few of them in memory at once
CACHED = 64 * 2**20  # bytes; spares a decider that reads a history again most downloads

_MEMBERS = {CLAIM, "characters"}
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ClaimNotFound(GarconError, ValueError):
    """The text of a claim is missing, or is not the one that was stored."""


class ClaimStoreUnavailable(GarconError, ConnectionError):
    """The claim store did not answer just now; a later attempt may succeed."""


class ClaimStoreMissing(ClaimStoreUnavailable):
    """This process has no claim store, or may not read it. One on another host may."""


class ClaimStoreInvalid(ClaimStoreMissing, ValueError):
    """The address of this process's claim store is invalid."""


class Store(Protocol):
    """A store of texts by their digests."""

    def put(self, digest: str, content: bytes) -> None:
        """Store a text.

        Args:
            digest: Its SHA-256, hexadecimal.
            content: Its UTF-8 bytes.
        """

    def get(self, digest: str) -> bytes | None:
        """The text of this digest; ``None`` if it is missing."""


@dataclass(frozen=True)
class DirectoryStore:
    """A directory, on one host or shared by several.

    Attributes:
        path: The directory.
    """

    path: Path

    def __str__(self) -> str:
        return f"file:{self.path}"

    def put(self, digest: str, content: bytes) -> None:
        """Write the text aside and rename it, so that no reader sees half of it."""
        place = self._place(digest)
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            try:
                file.write(content)
                file.flush()
                Path(file.name).replace(place)
            except BaseException:  # a full disk would fill with the attempts
                Path(file.name).unlink(missing_ok=True)
                raise

    def get(self, digest: str) -> bytes | None:
        """Read the text."""
        try:
            return self._place(digest).read_bytes()
        except FileNotFoundError as error:
            if self.path.is_dir():
                return None
            # Not mounted on this host: another may have the text.
            raise ClaimStoreMissing(
                f"The claim store {self} does not exist on this host."
            ) from error

    def _place(self, digest: str) -> Path:
        # By the first two letters: a million texts are 256 folders of 4,000 files.
        return self.path / digest[:2] / digest


@dataclass(frozen=True)
class S3Store:
    """An S3 bucket.

    Attributes:
        name: The bucket.
        prefix: Prefix of the objects' keys.
        given: An S3 client of the user's own.
    """

    name: str
    prefix: str
    given: Any = None

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"

    def put(self, digest: str, content: bytes) -> None:
        """Upload the text (PutObject); the bucket's settings encrypt it."""
        self._client.put_object(
            Bucket=self.name,
            Key=self.prefix + digest,
            Body=content,
            ContentType="application/json",
        )

    def get(self, digest: str) -> bytes | None:
        """Download the text (GetObject)."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=self.prefix + digest)
        except self._client.exceptions.NoSuchKey:
            return None
        content: bytes = answer["Body"].read()
        return content

    @cached_property
    def _client(self) -> Any:
        return clients.of_service("s3") if self.given is None else self.given


class MemoryStore:
    """A cache of the texts read last; for several threads.

    Args:
        size: Bytes it may hold.
    """

    def __init__(self, size: int = CACHED) -> None:
        self._left = size
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> bytes | None:
        """The cached text, if it is in the cache."""
        with self._lock:
            if digest in self._known:
                self._known.move_to_end(digest)
            return self._known.get(digest)

    def keep(self, digest: str, content: bytes) -> None:
        """Cache a text, and drop those used longest ago if there are too many bytes."""
        with self._lock:
            self._left += len(self._known.pop(digest, b"")) - len(content)
            self._known[digest] = content
            while self._left < 0:
                _, dropped = self._known.popitem(last=False)
                self._left += len(dropped)


class _ClaimState:
    """The store of this process, and its cache."""

    def __init__(self, store: Store | None = None) -> None:
        self.given = store
        self.by_url: dict[str, Store] = {}
        self.memory = MemoryStore()


_state = _ClaimState()


def configure(url: str | None, *, client: Any = None) -> None:
    """Choose the claim store of this process; it wins over the environment's ``GARCON_CLAIMS``.

    Args:
        url: ``file:/a/directory``, ``s3://bucket/prefix``, or ``None`` for the environment's.
        client: An S3 client of your own; one of the profile and region chosen for SWF otherwise.

    Raises:
        ClaimStoreInvalid: The URL is of neither form.
    """
    global _state  # noqa: PLW0603 - the process's one choice, replaced as a whole
    _state = _ClaimState(_store_at(url, client) if url else None)


def store() -> Store | None:
    """The claim store of this process; ``None`` if none is configured.

    Raises:
        ClaimStoreInvalid: The environment's ``GARCON_CLAIMS`` is not the URL of a store.
    """
    url = os.environ.get(ENVIRONMENT)
    if _state.given is not None or not url:
        return _state.given
    if url not in _state.by_url:
        _state.by_url[url] = _store_at(url)
    return _state.by_url[url]


def put(text: str, into: Store) -> dict[str, Any]:
    """Store a text.

    Returns:
        The claim for it.

    Raises:
        ClaimStoreUnavailable: The store did not take it.
    """
    content = text.encode()
    digest = hashlib.sha256(content).hexdigest()
    try:
        into.put(digest, content)
    except ERRORS as error:
        raise ClaimStoreUnavailable(
            f"The claim store {into} did not take a text: {error}"
        ) from error
    if usage.meter is not None:
        usage.meter.note_stored_claim(len(content))
    return {CLAIM: digest, "characters": len(text)}


def is_claim(value: Any) -> bool:
    """Whether a decoded value is a claim."""
    return isinstance(value, Mapping) and family_trace.without(value).keys() == _MEMBERS


def holds_claim(texts: Iterable[Any]) -> bool:
    """Whether one of these values, of an event's members, is the text of a claim."""
    beginning = f'{{"{CLAIM}"'
    return any(isinstance(text, str) and text.startswith(beginning) for text in texts)


def get(claim: Mapping[str, Any]) -> str:
    """The text of a claim: JSON, for programs that read inputs or results by themselves.

    Args:
        claim: The decoded input or result for which ``is_claim`` holds.

    Raises:
        ClaimNotFound: The text is missing or damaged.
        ClaimStoreMissing: No store is configured.
        ClaimStoreUnavailable: The store did not answer.
    """
    digest = str(claim[CLAIM])
    if not _DIGEST.fullmatch(digest):
        raise ClaimNotFound(f"The claim {digest[:80]!r} is not a SHA-256.")
    content = _state.memory.get(digest)
    if content is None:
        content = _fetched(digest)
        _state.memory.keep(digest, content)
    return content.decode()


def _fetched(digest: str) -> bytes:
    where = store()
    if where is None:
        raise ClaimStoreMissing(
            f"The claim {digest} cannot be fetched: this process has no claim store. Set "
            f"{ENVIRONMENT} as in the other processes of the flow."
        )
    try:
        content = where.get(digest)
    except ClaimStoreMissing:
        raise
    except ERRORS as error:
        # What does not end by itself, such as a missing permission, is this host's own trouble.
        kind = ClaimStoreUnavailable if is_transient(error) else ClaimStoreMissing
        raise kind(f"The claim store {where} did not give {digest}: {error}") from error
    if content is None:
        raise ClaimNotFound(
            f"The claim {digest} is not in {where}. It was deleted, or stored by a process with "
            f"another {ENVIRONMENT}."
        )
    if hashlib.sha256(content).hexdigest() != digest:
        raise ClaimNotFound(f"The text of the claim {digest} in {where} is damaged.")
    if usage.meter is not None:
        usage.meter.note_fetched_claim(len(content))
    return content


def _store_at(url: str, client: Any = None) -> Store:
    scheme, _, rest = url.partition(":")
    if scheme == "file" and rest.strip("/"):
        return DirectoryStore(Path(rest.removeprefix("//")).absolute())
    bucket, _, prefix = rest.lstrip("/").partition("/")
    if scheme == "s3" and bucket:
        return S3Store(bucket, f"{prefix.rstrip('/')}/" if prefix.strip("/") else "", client)
    raise ClaimStoreInvalid(
        f"A claim store is file:/a/directory or s3://bucket/prefix, not {url!r} ({ENVIRONMENT})."
    )
