"""Calls to SWF for one flow; each failure becomes an error with a sentence."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from garcon import client as clients
from garcon.aws import aws_errors
from garcon.executions.errors import AlreadyOpen, NotFound, RequestRefused, WorkflowError
from garcon.executions.values import Execution
from garcon.utils import UNKNOWN, error_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_swf import SWFClient

ALREADY_OPEN = "WorkflowExecutionAlreadyStartedFault"

_UNREADABLE = (LookupError, TypeError, AttributeError, ValueError, RuntimeError)
"""Raised by botocore and by ``parsing`` over an answer that has not the form of SWF's answers."""


class SwfCalls:
    """Calls through the flow's own client, or the process's.

    Args:
        flow: The flow.
    """

    def __init__(self, flow: Any) -> None:
        self._flow = flow

    @property
    def client(self) -> "SWFClient":
        """The SWF client.

        Raises:
            RequestRefused: It cannot be made: no region, unknown profile, invalid endpoint.
        """
        try:
            return clients.calling(self._own_client)
        except clients.ERRORS as error:
            sentence = clients.explain(error, "making an SWF client").sentence
            raise RequestRefused(sentence, transient=False) from error
        except ValueError as error:
            raise RequestRefused(f"No SWF client can be made: {error}.", transient=False) from error

    @property
    def at(self) -> str:
        """The endpoint as part of a sentence: `` at https://... (region)``."""
        place = clients.where(self._own_client)
        return f" at {place}" if place else ""

    @contextmanager
    def call(self, doing: str, about: str | Execution = "") -> "Iterator[SWFClient]":
        """The client, for a block that calls SWF and reads the answer.

        Args:
            doing: What the block does, as in "starting order-17 of coffee in cafe".
            about: The execution that has to exist, if one has to.

        Raises:
            AlreadyOpen: SWF has an open execution of this id.
            NotFound: SWF has no such execution.
            RequestRefused: Any other failure.
        """
        client = self.client
        try:
            yield client
        except aws_errors.ERRORS as error:
            raise self._explained(error, doing, about) from error
        except _UNREADABLE as error:
            raise RequestRefused(
                f"{doing[0].upper()}{doing[1:]} failed{self.at}: the answer is not one of SWF's "
                f"({type(error).__name__}). Check the endpoint.",
                transient=False,
            ) from error

    @property
    def _own_client(self) -> Any:
        return getattr(self._flow, "client", None)

    def _explained(self, error: Exception, doing: str, about: str | Execution) -> WorkflowError:
        if error_code(error) == ALREADY_OPEN:
            return AlreadyOpen(
                f"Not done: {doing}. An execution with this id is open; choose another id, or wait "
                "until it has closed."
            )
        if about and _is_unknown_execution(error):
            return NotFound(
                f"Not done: {doing}. The domain {self._flow.domain}{self.at} has no such "
                "execution, or it has closed."
            )
        trouble = clients.explain(error, doing, self._own_client)
        return RequestRefused(trouble.sentence, transient=trouble.transient)


def _is_unknown_execution(error: Exception) -> bool:
    # The code is the same for an unknown domain, which is another person's mistake.
    # The response of an error of the network is there, and None.
    response = getattr(error, "response", None) or {}
    message = response.get("Error", {}).get("Message", "")
    return error_code(error) == UNKNOWN and message.startswith("Unknown execution")
