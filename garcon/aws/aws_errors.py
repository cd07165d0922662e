"""Errors of calls to AWS: what failed, what to do about it, and whether it is transient.

Rules:

1. An error is *transient* if a later attempt may succeed without any repair: no
   connection, timeouts, throttling, responses of 500 and above, a limit that is full at the moment,
   credentials that could not be fetched just now.
2. Every other error is permanent: missing or refused credentials (an expired token too, because
   botocore renews those it can before they expire), no region, no permission, unknown or deprecated
   names, malformed requests.
3. The explanation says what was attempted, where, why it failed, and what to do.
4. It does not repeat a refused value, which may be an input, a result or a token.
"""

import re

import msgspec
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from garcon.utils import UNKNOWN, error_code

SERVER_ERROR = 500

# SWF: "1 validation error detected: Value '...' at 'input' failed to satisfy constraint".
# botocore: "Invalid type for parameter input, value: ..., type: <class 'dict'>".
_REFUSED_VALUE = re.compile(r"(?<=Value )'.*?' (?=at ')|value: .*?, (?=type: <)", re.DOTALL)

ERRORS = (aws.BotoCoreError, aws.ClientError, ResponseParserError, OSError)
"""Exceptions of a failed call to AWS; any other is a fault of the program."""

TRANSIENT_CODES = frozenset(
    {
        "LimitExceededFault",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

_TRANSIENT_ERRORS = (
    aws.CredentialRetrievalError,  # the metadata service or a credential helper did not answer
    aws.ConnectionError,  # refused connections, connect timeouts, proxies
    aws.HTTPClientError,  # read timeouts, broken connections
    aws.IncompleteReadError,
    aws.MetadataRetrievalError,
    ResponseParserError,  # a proxy or a sign-in page answered instead of AWS
    ConnectionError,
    TimeoutError,
)

_FINAL = frozenset({UNKNOWN, "ValidationException", "SerializationException"})

_RENEW = "Renew the credentials and start again."
_PERMIT = "Allow this SWF action on the domain in the credentials' policy."
_REGISTER = "Register it there, or correct the name, the region or the account."

_CURES_BY_CODE = {
    "AccessDenied": _PERMIT,
    "AccessDeniedException": _PERMIT,
    "OperationNotPermittedFault": _PERMIT,
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "RequestExpired": "Set this machine's clock.",
    "InvalidSignatureException": "Check the secret key, and this machine's clock.",
    "SignatureDoesNotMatch": "Check the secret key, and this machine's clock.",
    "IncompleteSignature": "Check the credentials.",
    "InvalidClientTokenId": "Check the credentials: AWS does not know this access key.",
    "MissingAuthenticationToken": "Provide credentials.",
    "UnrecognizedClientException": "Check the credentials: AWS does not know this access key.",
    "DomainDeprecatedFault": "Undeprecate the domain, or use another.",
    "TypeDeprecatedFault": "Undeprecate the type, or use another version.",
    "UnknownResourceFault": _REGISTER,
    "LimitExceededFault": "A quota of SWF is exhausted: free some of it, or have it raised.",
}

_CURES_BY_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (aws.NoCredentialsError, "Provide credentials: a profile, environment variables or a role."),
    (aws.PartialCredentialsError, "Provide both the access key and the secret key."),
    (aws.NoRegionError, "Set the region: --region, AWS_REGION or the profile."),
    (aws.ProfileNotFound, "Name a profile of the AWS configuration files."),
    (aws.TokenRetrievalError, "Sign in again (aws sso login)."),
    (aws.UnauthorizedSSOTokenError, "Sign in again (aws sso login)."),
    (aws.SSOTokenLoadError, "Sign in again (aws sso login)."),
    (aws.SSLError, "Check the certificates and the endpoint."),
    (aws.ParamValidationError, "Correct the value named."),
    (aws.EndpointConnectionError, "Check the network, the region and the endpoint."),
)


class Explanation(msgspec.Struct, frozen=True):
    """A failed call, explained.

    Attributes:
        sentence: What failed, where, why, and what to do.
        transient: Whether a later attempt may succeed without any repair.
    """

    sentence: str
    transient: bool


def explain(error: BaseException, doing: str, where: str = "") -> Explanation:
    """Explain a failed call.

    Args:
        error: The exception of the call.
        doing: What was attempted, in the form "polling the task list a of the domain b".
        where: The endpoint and region, if known.
    """
    what = doing[:1].upper() + doing[1:]
    place = f" at {where}" if where else ""
    sentence = f"{what} failed{place}: {reason(error)}. {_cure(error)}".rstrip()
    return Explanation(sentence, is_transient(error))


def is_transient(error: BaseException) -> bool:
    """Whether a later attempt may succeed without any repair."""
    if isinstance(error, aws.ClientError):
        return error_code(error) in TRANSIENT_CODES or _status(error) >= SERVER_ERROR
    if isinstance(error, aws.SSLError):
        return "CERTIFICATE_VERIFY_FAILED" not in str(error)
    return isinstance(error, _TRANSIENT_ERRORS)


def is_busy(error: BaseException) -> bool:
    """Whether AWS answered that it is busy, so that a start without a network fails at once."""
    return isinstance(error, aws.ClientError) and is_transient(error)


def is_answer_acceptable(error: BaseException) -> bool:
    """Whether SWF may still accept the answer to a task after this error.

    Refused credentials or a full quota can be repaired while the task waits; a closed task and a
    malformed answer cannot.
    """
    return not isinstance(error, aws.ParamValidationError) and error_code(error) not in _FINAL


def _status(error: aws.ClientError) -> int:
    metadata = error.response.get("ResponseMetadata", {})
    return int(metadata.get("HTTPStatusCode", 0))


def reason(error: BaseException) -> str:
    """The reason why a call failed: the code and message of AWS, or the text of the error."""
    if isinstance(error, aws.ClientError):
        message = _without_value(str(error.response.get("Error", {}).get("Message", "")))
        code = error_code(error) or "an error without a code"
        return f"{code}: {message.rstrip('.')}" if message else code
    message = " ".join(_without_value(str(error)).split()).rstrip(".")
    return message or type(error).__name__


def _without_value(message: str) -> str:
    """A message of SWF or botocore about a refused value, without the value."""
    return _REFUSED_VALUE.sub("", message)


def _cure(error: BaseException) -> str:
    if isinstance(error, aws.ClientError):
        return _CURES_BY_CODE.get(error_code(error), "")
    return next((cure for kind, cure in _CURES_BY_ERROR if isinstance(error, kind)), "")
