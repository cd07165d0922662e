"""The seam between workers and a meter, which counts calls, claims, decisions and waits.

Rules:

1. While nothing counts, ``meter`` is ``None``. Asking for that is all that a call costs then.
2. Each attempt at a call counts: SWF takes each from the account's budget, botocore's retries too.
3. A meter raises no error. It may be called from any thread.
"""

import enum
from typing import Any, Protocol
from weakref import WeakSet

from botocore.client import BaseClient

from garcon.utils import THROTTLE

HEARTBEAT = "RecordActivityTaskHeartbeat"

CLIENT_ERROR, SERVER_ERROR = 400, 500


class CallResult(enum.StrEnum):
    """The outcome of an attempt at a call."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    REFUSED = "refused"  # by SWF, for any other reason
    FAILED = "failed"  # no answer, a server's error, or an answer that is not SWF's


class Meter(Protocol):
    """Counts what this process does."""

    def note_call(self, operation: str, result: CallResult) -> None:
        """One attempt at a call to SWF."""

    def note_history(self, events: int, *, is_continued: bool | None) -> None:
        """A decider has read so many events.

        ``is_continued``: whether from where a kept state ended; ``None`` if it keeps none.
        """

    def note_decision(self, seconds: float) -> None:
        """A decider has read and decided for so long."""

    def note_wait(self, task_list: str, seconds: float) -> None:
        """An activity task has waited for a worker of its list."""

    def note_stored_claim(self, size: int) -> None:
        """A text of so many bytes is in the claim store now."""

    def note_fetched_claim(self, size: int) -> None:
        """A text of so many bytes was read from the claim store."""


meter: Meter | None = None
"""The meter of this process."""

_counted: WeakSet[BaseClient] = WeakSet()


def install(client: BaseClient) -> None:
    """Count the calls of this client from now on; only once for each client."""
    if client not in _counted:
        events: Any = client.meta.events
        events.register("response-received.swf", _note_response, unique_id="garcon-usage")
        _counted.add(client)


def note_failed(operation: str) -> None:
    """An answer came that is not SWF's: botocore reports no response then."""
    if meter is not None:
        meter.note_call(operation, CallResult.FAILED)


def _note_response(
    event_name: str, response_dict: dict[str, Any] | None, parsed_response: Any, **_: Any
) -> None:
    if meter is not None:
        operation = event_name.rpartition(".")[2]
        meter.note_call(operation, _result_of(response_dict, parsed_response))


def _result_of(response: dict[str, Any] | None, parsed: Any) -> CallResult:
    if response is None or response["status_code"] >= SERVER_ERROR:
        return CallResult.FAILED
    if response["status_code"] < CLIENT_ERROR:
        return CallResult.ACCEPTED
    is_throttle = parsed.get("Error", {}).get("Code") == THROTTLE
    return CallResult.THROTTLED if is_throttle else CallResult.REFUSED
