"""The errors that a caller of the service sees, in the service's words.

A fault is raised before anything has changed, so a refused call leaves no trace but a count.
The codes are those of the model, and two that every AWS service has: ValidationException and
ThrottlingException. The messages follow recorded answers where there are any.
"""

from garcon.errors import GarconError


class Fault(GarconError):
    """A refused call.

    Attributes:
        code: the error's name on the wire, for instance "UnknownResourceFault".
        message: the cause, for the reader of a log.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> Fault:
    """The request contradicts the documentation, in any state of the service."""
    return Fault("ValidationException", message)


def invalid_value(value: object, path: str, constraint: str) -> Fault:
    """One member is invalid; the message has the form in which the service reports members."""
    shown = "null" if value is None else repr(value)
    return invalid(
        f"1 validation error detected: Value {shown} at '{path}' "
        f"failed to satisfy constraint: {constraint}"
    )


def throttled() -> Fault:
    """The token bucket of the account or of the execution is empty; the caller should back off."""
    return Fault("ThrottlingException", "Rate exceeded")


def limit_exceeded(message: str) -> Fault:
    """The quota named in the message is used up."""
    return Fault("LimitExceededFault", message)


def unknown(message: str) -> Fault:
    """A resource named in the request does not exist, or no longer does."""
    return Fault("UnknownResourceFault", f"Unknown {message}")


def unknown_domain(name: str) -> Fault:
    """The domain does not exist, or is deprecated and so not usable for this call."""
    return unknown(f"domain: {name}")


def unknown_execution(workflow_id: str, run_id: str | None) -> Fault:
    """The execution does not exist, or is closed where the call needs an open one."""
    if not run_id:
        return unknown(f"execution, workflowId = {workflow_id}")
    return unknown(f"execution: WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]")
