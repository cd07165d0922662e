"""What is said over the control socket: one JSON object a line, both ways.

1. Every line has ``v``, the version of this vocabulary. A request says in ``ask`` what it wants, an
   answer in ``say`` what it is: ``{"v": 1, "ask": "status"}``, ``{"v": 1, "say": "refused", ...}``.
2. A request with a member that is not known is refused, not half understood. Of an answer unknown
   members are ignored, so that older commands understand a newer supervisor.
3. Each request gets one answer. To ``logs`` it comes after the notes of late; with ``follow`` notes
   go on coming, before and after the answers to other requests.
"""

import msgspec

from supervisor.messages.status import Status

VERSION = 1


class Request(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="ask", forbid_unknown_fields=True
):
    """What somebody wants."""

    v: int = VERSION


class AskStatus(Request, frozen=True, tag="status"):
    """How everything stands."""


class AskScale(Request, frozen=True, tag="scale", kw_only=True):
    """``size`` workers for a task list, or ``by`` more or fewer."""

    list: str
    size: int | None = None
    by: int | None = None


class AskRestart(Request, frozen=True, tag="restart"):
    """Replace the generation."""


class AskDrain(Request, frozen=True, tag="drain"):
    """Finish what is in hand and leave."""


class AskStop(Request, frozen=True, tag="stop"):
    """Leave now."""


class AskQuiet(Request, frozen=True, tag="quiet"):
    """Poll no more for a task list, or for any."""

    list: str | None = None


class AskResume(Request, frozen=True, tag="resume"):
    """Poll again."""

    list: str | None = None


class AskStacks(Request, frozen=True, tag="stacks", kw_only=True):
    """Let a worker write down where it is; with ``read`` tell what it has written since."""

    pid: int
    read: bool = False


class AskLogs(Request, frozen=True, tag="logs"):
    """The notes of late, and with ``follow`` those to come."""

    follow: bool = False


Ask = (
    AskStatus
    | AskScale
    | AskRestart
    | AskDrain
    | AskStop
    | AskQuiet
    | AskResume
    | AskStacks
    | AskLogs
)


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="say"):
    """What the supervisor says."""

    v: int = VERSION


class Done(Line, frozen=True, tag="done", kw_only=True):
    """It is done, or on its way.

    ``generation`` is the one that a restart starts; ``lists`` are those that a request was about.
    """

    text: str = ""
    generation: int | None = None
    lists: tuple[str, ...] = ()


class Refused(Line, frozen=True, tag="refused", kw_only=True):
    """It is not done; ``why`` is a sentence."""

    why: str


class Picture(Line, frozen=True, tag="status", kw_only=True):
    """How everything stands."""

    status: Status


class Stacks(Line, frozen=True, tag="stacks", kw_only=True):
    """What a worker has written down so far; ``is_whole`` if it writes no more."""

    lines: tuple[str, ...]
    is_whole: bool = False


class Told(Line, frozen=True, tag="note", kw_only=True):
    """A note of the log; ``time`` in seconds since the epoch."""

    time: float
    level: str
    event: str
    text: str
    facts: dict[str, str | int | float | None] = {}


Answer = Done | Refused | Picture | Stacks | Told

_requests: msgspec.json.Decoder[Ask] = msgspec.json.Decoder(Ask)
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


class _Version(msgspec.Struct, frozen=True):
    v: int


_versions = msgspec.json.Decoder(_Version)


class Nonsense(ValueError):
    """A line is no request or answer of this vocabulary; the message is a sentence."""


def understand(line: bytes) -> Ask:
    """The request in a line. Raises ``Nonsense``."""
    try:
        version = _versions.decode(line).v
        if version == VERSION:
            return _requests.decode(line)
    except msgspec.DecodeError as error:
        raise Nonsense(f"That is no request: {error}.") from error
    raise Nonsense(
        f"This supervisor speaks version {VERSION} of the control protocol, not {version}: use the"
        " commands that came with it."
    )


def heard(line: bytes) -> Answer:
    """The answer in a line. Raises ``Nonsense``."""
    try:
        return _answers.decode(line)
    except msgspec.DecodeError as error:
        raise Nonsense(f"The supervisor's answer is not understood: {error}.") from error


def as_line(said: Ask | Answer) -> bytes:
    """One line."""
    return msgspec.json.encode(said) + b"\n"
