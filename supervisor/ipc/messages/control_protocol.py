"""The control protocol: requests and replies over the control socket, one JSON object a line.

1. Every line has ``v``, the version of this protocol, and either ``request`` or ``reply``, the
   kind of line: ``{"v": 1, "request": "status"}``, ``{"v": 1, "reply": "refused", ...}``.
2. A request with an unknown member is refused, rather than done in part. Unknown members of a reply
   are ignored, so that older commands understand a newer supervisor.
3. Each request gets one reply. The one to ``logs`` comes after the recent log entries; with
   ``follow`` further entries come as they are written, between the replies to other requests.
"""

import msgspec

from supervisor.ipc.messages.status import Status
from supervisor.ipc.messages.tallies import Tallies

VERSION = 1


class _RequestBase(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="request", forbid_unknown_fields=True
):
    """Base of requests."""

    v: int = VERSION


class StatusRequest(_RequestBase, frozen=True, tag="status"):
    """Report the state of the supervisor."""


class MetricsRequest(_RequestBase, frozen=True, tag="metrics"):
    """Report the state and the counts since the start."""


class ScaleRequest(_RequestBase, frozen=True, tag="scale", kw_only=True):
    """Give a task list ``size`` workers, or ``by`` more or fewer."""

    list: str
    size: int | None = None
    by: int | None = None

    def __post_init__(self) -> None:
        """Refuse a request that says two things, or nothing."""
        if (self.size is None) == (self.by is None):
            raise ValueError("scale takes either size or by")  # msgspec makes a DecodeError of it


class RestartRequest(_RequestBase, frozen=True, tag="restart"):
    """Replace the active generation by a new one."""


class RecycleRequest(_RequestBase, frozen=True, tag="recycle"):
    """Replace a worker by a new one with the same code, the replacement first."""

    pid: int


class DrainRequest(_RequestBase, frozen=True, tag="drain"):
    """Finish the tasks in progress and leave."""


class StopRequest(_RequestBase, frozen=True, tag="stop"):
    """Leave now, and abandon the tasks in progress."""


class QuietRequest(_RequestBase, frozen=True, tag="quiet"):
    """Stop polling a task list, or all of them."""

    list: str | None = None


class ResumeRequest(_RequestBase, frozen=True, tag="resume"):
    """Poll a quiet task list again, or all of them."""

    list: str | None = None


class StacksRequest(_RequestBase, frozen=True, tag="stacks", kw_only=True):
    """Ask a worker for its stacks; with ``read`` report what it has written since."""

    pid: int
    read: bool = False


class LogsRequest(_RequestBase, frozen=True, tag="logs"):
    """Send the recent log entries, and with ``follow`` those to come."""

    follow: bool = False


Request = (
    StatusRequest
    | MetricsRequest
    | ScaleRequest
    | RestartRequest
    | RecycleRequest
    | DrainRequest
    | StopRequest
    | QuietRequest
    | ResumeRequest
    | StacksRequest
    | LogsRequest
)


class _ReplyBase(msgspec.Struct, frozen=True, kw_only=True, tag_field="reply"):
    """Base of replies."""

    v: int = VERSION


class DoneReply(_ReplyBase, frozen=True, tag="done", kw_only=True):
    """The request is done, or has begun.

    ``generation`` is the one that a restart starts; ``lists`` are the task lists concerned.
    """

    text: str = ""
    generation: int | None = None
    lists: tuple[str, ...] = ()


class RefusedReply(_ReplyBase, frozen=True, tag="refused", kw_only=True):
    """The request is refused, and nothing has changed; ``why`` is a sentence."""

    why: str


class StatusReply(_ReplyBase, frozen=True, tag="status", kw_only=True):
    """The state of the supervisor."""

    status: Status


class MetricsReply(_ReplyBase, frozen=True, tag="metrics", kw_only=True):
    """The state of the supervisor, and its counts since the start."""

    status: Status
    tallies: Tallies


class StacksReply(_ReplyBase, frozen=True, tag="stacks", kw_only=True):
    """The stacks that a worker has written so far; ``is_complete`` once it has written all."""

    lines: tuple[str, ...]
    is_complete: bool = False


class NoteReply(_ReplyBase, frozen=True, tag="note", kw_only=True):
    """A log entry; ``time`` is in seconds since the epoch."""

    time: float
    level: str
    event: str
    text: str
    facts: dict[str, str | int | float | None] = {}


Reply = DoneReply | RefusedReply | StatusReply | MetricsReply | StacksReply | NoteReply

_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_replies: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


class _Version(msgspec.Struct, frozen=True):
    v: int


_versions = msgspec.json.Decoder(_Version)


class InvalidRequest(ValueError):
    """A line is not a request of this protocol; the text is a sentence."""


class InvalidReply(ValueError):
    """A line is not a reply of this protocol; the text is a sentence."""


def parse_request(line: bytes) -> Request:
    """The request in a line. Raises ``InvalidRequest``."""
    try:
        version = _versions.decode(line).v
        if version == VERSION:
            return _requests.decode(line)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"Not a valid request: {error}.") from error
    raise InvalidRequest(
        f"This supervisor uses version {VERSION} of the control protocol, not {version}: use the"
        " commands of its own installation."
    )


def parse_reply(line: bytes) -> Reply:
    """The reply in a line. Raises ``InvalidReply``."""
    try:
        return _replies.decode(line)
    except msgspec.DecodeError as error:
        raise InvalidReply(
            f"Not a valid reply of a supervisor: {error}. Use the commands of its own installation."
        ) from error


def encode_line(message: Request | Reply) -> bytes:
    """The line of a request or reply."""
    return msgspec.json.encode(message) + b"\n"
