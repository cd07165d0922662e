"""The errors a caller of the service sees, in the service's words.

A fault is raised before anything has changed, so a refused call leaves no trace but a count.
The codes are those of the model, and two that every AWS service has: ValidationException and
ThrottlingException. The messages follow recorded answers where there are any.
"""

from garcon.errors import GarconError


class Fault(GarconError):
    """A refused call.

    Attributes:
        code: the error's name on the wire, for instance "UnknownResourceFault".
        message: what was wrong, for the person who reads the log.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> Fault:
    """The request contradicts the documentation, and would whatever the state."""
    return Fault("ValidationException", message)


def invalid_value(value: object, path: str, constraint: str) -> Fault:
    """One member is at fault, in the form the service reports members."""
    return invalid(
        f"1 validation error detected: Value {value!r} at '{path}' "
        f"failed to satisfy constraint: {constraint}"
    )


def throttled() -> Fault:
    """The account's, or the execution's, token bucket is empty; the caller should back off."""
    return Fault("ThrottlingException", "Rate exceeded")


def limit_exceeded(message: str) -> Fault:
    """A quota is used up; `message` says which."""
    return Fault("LimitExceededFault", message)


def unknown(message: str) -> Fault:
    """Something named in the request is not there, or no longer."""
    return Fault("UnknownResourceFault", f"Unknown {message}")


def unknown_domain(name: str) -> Fault:
    """No such domain, or none that can be used for this."""
    return unknown(f"domain: {name}")


def unknown_execution(workflow_id: str, run_id: str | None) -> Fault:
    """No such execution, or none that is open where an open one is asked for."""
    if not run_id:
        return unknown(f"execution, workflowId = {workflow_id}")
    return unknown(f"execution: WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]")
