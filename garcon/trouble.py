"""What a failed call to AWS means to the person who must act, and whether it passes by itself.

Rules:

1. *Passing* is what a later try can cure without anybody's doing: no connection, timeouts,
   throttling, answers of 500 and above, a service's limit that is full at the moment, credentials
   that could not be fetched just now.
2. Everything else is permanent: no or refused credentials (an expired token too: botocore renews
   those it can before they expire), no region, no permission, unknown or deprecated names,
   malformed requests.
3. The sentence says what was done, where, why it failed, and what to do.
4. It does not repeat a value that was refused: that may be an input, a result or a token.
"""

import re
from dataclasses import dataclass

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from garcon.utils import UNKNOWN, error_code

SERVER_ERROR = 500

# "1 validation error detected: Value '...' at 'input' failed to satisfy constraint" is SWF's way,
# "Invalid type for parameter input, value: ..., type: <class 'dict'>" botocore's.
_REFUSED_VALUE = re.compile(r"(?<=Value )'.*?' (?=at ')|value: .*?, (?=type: <)", re.DOTALL)

# What a call to AWS raises; anything else is a fault of the program.
ERRORS = (aws.BotoCoreError, aws.ClientError, ResponseParserError, OSError)

PASSING_CODES = frozenset(
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

_PASSING_ERRORS = (
    aws.CredentialRetrievalError,  # the metadata service or a helper did not answer this once
    aws.ConnectionError,  # refused connections, connect timeouts, proxies
    aws.HTTPClientError,  # read timeouts, broken connections
    aws.IncompleteReadError,
    aws.MetadataRetrievalError,
    ResponseParserError,  # not from AWS: a proxy or a sign-in page answered instead
    ConnectionError,
    TimeoutError,
)

_FINAL = frozenset({UNKNOWN, "ValidationException", "SerializationException"})

_RENEW = "Renew the credentials and start again."
_PERMIT = "Let the credentials' policy allow this SWF action on the domain."
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
    "MissingAuthenticationToken": "Give credentials.",
    "UnrecognizedClientException": "Check the credentials: AWS does not know this access key.",
    "DomainDeprecatedFault": "Undeprecate the domain, or use another.",
    "TypeDeprecatedFault": "Undeprecate the type, or use another version.",
    "UnknownResourceFault": _REGISTER,
    "LimitExceededFault": "A quota of SWF is full: make room, or have it raised.",
}

_CURES_BY_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (aws.NoCredentialsError, "Give credentials: a profile, environment variables or a role."),
    (aws.PartialCredentialsError, "Give both the access key and the secret key."),
    (aws.NoRegionError, "Give the region: --region, AWS_REGION or the profile."),
    (aws.ProfileNotFound, "Name a profile of the AWS configuration files."),
    (aws.TokenRetrievalError, "Sign in again (aws sso login)."),
    (aws.UnauthorizedSSOTokenError, "Sign in again (aws sso login)."),
    (aws.SSOTokenLoadError, "Sign in again (aws sso login)."),
    (aws.SSLError, "Check the certificates and the endpoint."),
    (aws.ParamValidationError, "Correct the value named."),
    (aws.EndpointConnectionError, "Check the network, the region and the endpoint."),
)


@dataclass(frozen=True)
class Trouble:
    """One sentence for the person who must act, and whether waiting may cure it."""

    sentence: str
    passing: bool


def explain(error: BaseException, doing: str, where: str = "", *, again: bool = True) -> Trouble:
    """What this error means.

    Args:
        error: What the call raised.
        doing: What was attempted, in the form "polling the task list a of the domain b".
        where: The endpoint and region asked, if known.
        again: Whether what passes is tried again by whoever tells; not if it is raised to a caller.
    """
    what = doing[:1].upper() + doing[1:]
    place = f" at {where}" if where else ""
    passing = is_passing(error)
    cure = _cure(error) or ("It is tried again." if passing and again else "")
    return Trouble(f"{what} failed{place}: {_why(error)}. {cure}".rstrip(), passing)


def is_passing(error: BaseException) -> bool:
    """Whether a later try may succeed without anybody's doing."""
    if isinstance(error, aws.ClientError):
        return error_code(error) in PASSING_CODES or _status(error) >= SERVER_ERROR
    if isinstance(error, aws.SSLError):
        return "CERTIFICATE_VERIFY_FAILED" not in str(error)
    return isinstance(error, _PASSING_ERRORS)


def may_be_taken(error: BaseException) -> bool:
    """Whether SWF may yet accept an answer to a task that met this error.

    No repair helps where the task is closed, or the answer itself is wrong.
    """
    return not isinstance(error, aws.ParamValidationError) and error_code(error) not in _FINAL


def _status(error: aws.ClientError) -> int:
    metadata = error.response.get("ResponseMetadata", {})
    return int(metadata.get("HTTPStatusCode", 0))


def _why(error: BaseException) -> str:
    if isinstance(error, aws.ClientError):
        message = _discreet(str(error.response.get("Error", {}).get("Message", ""))).rstrip(".")
        code = error_code(error) or "an error without a code"
        return f"SWF says {code}: {message}" if message else f"SWF says {code}"
    said = " ".join(_discreet(str(error)).split()).rstrip(".")
    return said or type(error).__name__


def _discreet(message: str) -> str:
    """What SWF or botocore says of a value, without the value."""
    return _REFUSED_VALUE.sub("", message)


def _cure(error: BaseException) -> str:
    if isinstance(error, aws.ClientError):
        return _CURES_BY_CODE.get(error_code(error), "")
    return next((cure for kind, cure in _CURES_BY_ERROR if isinstance(error, kind)), "")
