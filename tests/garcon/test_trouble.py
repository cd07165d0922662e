"""Errors in words, passing or not."""

from __future__ import annotations

import pytest
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from garcon.trouble import explain, is_passing
from tests.garcon.fakes import refusal

WHERE = "https://swf.eu-west-1.amazonaws.com (eu-west-1)"

PASSING = [
    refusal("ThrottlingException", "Rate exceeded"),
    refusal("LimitExceededFault"),
    refusal("InternalFailure", status=500),
    refusal("ServiceUnavailable", status=503),
    aws.EndpointConnectionError(endpoint_url="http://x"),
    aws.ConnectTimeoutError(endpoint_url="http://x"),
    aws.ReadTimeoutError(endpoint_url="http://x"),
    aws.ConnectionClosedError(endpoint_url="http://x"),
    aws.ProxyConnectionError(proxy_url="http://x"),
    aws.CredentialRetrievalError(provider="iam-role", error_msg="no answer"),
    aws.SSLError(endpoint_url="http://x", error=OSError("EOF occurred")),
    ResponseParserError("a sign-in page"),
    ConnectionResetError(),
]

PERMANENT = {
    "AccessDeniedException": (refusal("AccessDeniedException", "no"), "policy"),
    "OperationNotPermittedFault": (refusal("OperationNotPermittedFault"), "policy"),
    "UnknownResourceFault": (refusal("UnknownResourceFault", "Unknown domain: d"), "Register it"),
    "ExpiredTokenException": (refusal("ExpiredTokenException"), "Renew the credentials"),
    "RequestExpired": (refusal("RequestExpired"), "clock"),
    "ValidationException": (refusal("ValidationException", "too long"), "too long"),
    "no credentials": (aws.NoCredentialsError(), "Give credentials"),
    "no region": (aws.NoRegionError(), "--region"),
    "no profile": (aws.ProfileNotFound(profile="p"), "profile"),
    "certificate": (
        aws.SSLError(endpoint_url="http://x", error=OSError("CERTIFICATE_VERIFY_FAILED")),
        "certificates",
    ),
    "a fault of the program": (KeyError("key"), "'key'"),
}


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_waiting_cures_is_passing(error: Exception) -> None:
    """These are rested on and tried again."""
    assert is_passing(error)
    assert explain(error, "polling").passing


@pytest.mark.parametrize(("error", "hint"), PERMANENT.values(), ids=list(PERMANENT))
def test_what_a_person_must_cure_is_permanent_and_says_how(error: Exception, hint: str) -> None:
    """Waiting helps nobody; the sentence says what does."""
    told = explain(error, "polling", WHERE)
    assert not told.passing
    assert hint in told.sentence


def test_the_sentence_has_what_where_why_and_what_to_do() -> None:
    """All four, in this order."""
    error = refusal("UnknownResourceFault", "Unknown domain: cafe")
    assert explain(error, "polling the task list coffee", WHERE).sentence == (
        "Polling the task list coffee failed at https://swf.eu-west-1.amazonaws.com (eu-west-1): "
        "SWF says UnknownResourceFault: Unknown domain: cafe. "
        "Register it there, or correct the name, the region or the account."
    )


def test_the_sentence_stays_on_one_line() -> None:
    """Logs are read by line."""
    assert "\n" not in explain(ValueError("two\nlines"), "doing").sentence


def test_silent_errors_are_called_by_name() -> None:
    """An error that says nothing still has a name."""
    assert "TimeoutError" in explain(TimeoutError(), "polling").sentence


def test_a_value_that_was_refused_is_not_repeated() -> None:
    """It may be an input, a result or a token; which member it was is told."""
    said = "1 validation error detected: Value 'geheim, it's' at 'taskToken' failed to satisfy it"
    told = explain(refusal("ValidationException", said), "answering").sentence
    assert "geheim" not in told
    assert "Value at 'taskToken' failed" in told
    report = "Invalid type for parameter input, value: {'a': 'geheim'}, type: <class 'dict'>"
    told = explain(aws.ParamValidationError(report=report), "answering").sentence
    assert "geheim" not in told
    assert "parameter input, type: <class 'dict'>" in told
