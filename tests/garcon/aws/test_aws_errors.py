"""Explanations of failed calls to AWS, and which errors are transient."""

from __future__ import annotations

import pytest
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from garcon.aws.aws_errors import explain, is_transient
from tests.garcon.fakes import refusal

WHERE = "https://swf.eu-west-1.amazonaws.com (eu-west-1)"

TRANSIENT = [
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
    "no credentials": (aws.NoCredentialsError(), "Provide credentials"),
    "no region": (aws.NoRegionError(), "--region"),
    "no profile": (aws.ProfileNotFound(profile="p"), "profile"),
    "certificate": (
        aws.SSLError(endpoint_url="http://x", error=OSError("CERTIFICATE_VERIFY_FAILED")),
        "certificates",
    ),
    "a fault of the program": (KeyError("key"), "'key'"),
}


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
def test_errors_that_waiting_cures_are_transient(error: Exception) -> None:
    """They are retried after a wait."""
    assert is_transient(error)
    assert explain(error, "polling").transient


@pytest.mark.parametrize(("error", "hint"), PERMANENT.values(), ids=list(PERMANENT))
def test_errors_that_a_person_must_cure_are_permanent(error: Exception, hint: str) -> None:
    """Waiting does not help; the sentence names the cure."""
    found = explain(error, "polling", WHERE)
    assert not found.transient
    assert hint in found.sentence


def test_the_sentence_has_what_where_why_and_what_to_do() -> None:
    """The explanation has all four, in this order."""
    error = refusal("UnknownResourceFault", "Unknown domain: cafe")
    assert explain(error, "polling the task list coffee", WHERE).sentence == (
        "Polling the task list coffee failed at https://swf.eu-west-1.amazonaws.com (eu-west-1): "
        "UnknownResourceFault: Unknown domain: cafe. "
        "Register it there, or correct the name, the region or the account."
    )


def test_the_sentence_stays_on_one_line() -> None:
    """A line break in an error's text would split the log line."""
    assert "\n" not in explain(ValueError("two\nlines"), "doing").sentence


def test_errors_without_a_text_are_called_by_name() -> None:
    """An error without a text is explained by the name of its type."""
    assert "TimeoutError" in explain(TimeoutError(), "polling").sentence


def test_a_refused_value_is_not_repeated() -> None:
    """It may be an input, a result or a token; the name of its member is kept."""
    message = (
        "1 validation error detected: Value 'geheim, it's' at 'taskToken' failed to satisfy it"
    )
    sentence = explain(refusal("ValidationException", message), "answering").sentence
    assert "geheim" not in sentence
    assert "Value at 'taskToken' failed" in sentence
    report = "Invalid type for parameter input, value: {'a': 'geheim'}, type: <class 'dict'>"
    sentence = explain(aws.ParamValidationError(report=report), "answering").sentence
    assert "geheim" not in sentence
    assert "parameter input, type: <class 'dict'>" in sentence
