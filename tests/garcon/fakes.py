"""Fakes at the network's edge: an SWF client with prepared answers, a clock, a claim store."""

from __future__ import annotations

import functools
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from botocore.model import ServiceModel

    from garcon.aws.retrying import Clock


@functools.cache
def model() -> ServiceModel:
    """SWF's service model."""
    return botocore.session.get_session().get_service_model("swf")


@functools.cache
def operations() -> dict[str, str]:
    """The operations of SWF by the names of the client's methods."""
    return {xform_name(name): name for name in model().operation_names}


class FakeSwf:
    """An SWF client whose answers are prepared; its requests must be valid by the service model.

    An operation without a prepared answer gives an empty one.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers: dict[str, deque[Any]] = defaultdict(deque)

    def prepare(self, operation: str, *answers: Any) -> FakeSwf:
        """Add answers of an operation; an exception is raised."""
        assert operation in operations()
        self._answers[operation].extend(answers)
        return self

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """The requests of one operation."""
        return [request for name, request in self.calls if name == operation]

    @property
    def names(self) -> list[str]:
        """The operations called, in order."""
        return [name for name, _ in self.calls]

    def __getattr__(self, name: str) -> Any:
        if name not in operations():
            raise AttributeError(name)
        return functools.partial(self._call, name)

    def _call(self, operation: str, **request: Any) -> Any:
        shape = model().operation_model(operations()[operation]).input_shape
        assert shape is not None
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()
        self.calls.append((operation, request))
        answer = self._answers[operation].popleft() if self._answers[operation] else {}
        if isinstance(answer, BaseException):
            raise answer
        return answer


class FakeClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        """The time, in seconds."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.time += seconds

    @property
    def clock(self) -> Clock:
        """This clock in the form that garcon takes."""
        from garcon.aws.retrying import Clock  # noqa: PLC0415 - the fake is also used without garcon

        return Clock(self.now, self.sleep)


class CountingStore:
    """A claim store in memory that fails so many times before it takes a text."""

    def __init__(self, failures: int = 0) -> None:
        self.kept: dict[str, bytes] = {}
        self.uploads = 0
        self.failures = failures

    def put(self, digest: str, content: bytes) -> None:
        """Keep the text, and count that."""
        if self.failures:
            self.failures -= 1
            raise refusal("SlowDown", status=503)
        self.uploads += 1
        self.kept[digest] = content

    def get(self, digest: str) -> bytes | None:
        """Give the text."""
        return self.kept.get(digest)


class CountingDict(dict[str, Any]):
    """A part of a result that counts how often it is encoded."""

    encodings = 0

    def items(self) -> Any:
        """The items, as the JSON encoder asks for them."""
        self.encodings += 1
        return super().items()


def refusal(code: str, message: str = "", status: int = 400) -> ClientError:
    """The error that boto3 raises when SWF refuses a call."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "Operation",
    )


GONE = "UnknownResourceFault"
THROTTLED = "ThrottlingException"
