"""Keys of generated instances, error codes of SWF, and the handlers of throttled calls."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

THROTTLE = "ThrottlingException"
UNKNOWN = "UnknownResourceFault"  # a closed task, an execution or type that does not exist


def create_dictionary_key(dictionary: Mapping[str, Any]) -> str:
    """The key of an instance: the hexadecimal SHA-1 of the dictionary's sorted items.

    Running executions carry it in activity ids, so it never changes for the same content.

    Raises:
        TypeError: It is not a dictionary, or its keys cannot be sorted.
        ValueError: It is empty, or holds what is not a character.
    """
    if not isinstance(dictionary, Mapping):
        raise TypeError(f"A key is made of a dictionary, not of {dictionary!r}.")
    if not dictionary:
        raise ValueError("A key is made of a dictionary with items, and this one is empty.")
    try:
        items = sorted(dictionary.items())
    except TypeError as error:
        kinds = sorted({type(key).__name__ for key in dictionary})
        raise TypeError(
            f"The keys of a generator's dictionary are sorted, and these ({', '.join(kinds)}) "
            "cannot be: use texts only."
        ) from error
    text = "".join(f"'{key}':'{value}';" for key, value in items)
    try:
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    except UnicodeEncodeError as error:
        raise ValueError(
            "A generator's dictionary holds half of a surrogate pair, which is not a character."
        ) from error


def error_code(error: object) -> str:
    """The code of an AWS error, such as ``UnknownResourceFault``; empty for any other error."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", ""))
    code = getattr(error, "error_code", "")  # of boto2's errors, as documented
    return code if isinstance(code, str) else ""


def non_throttle_error(swf_response_error: object) -> bool:
    """True for every error but a throttle: the ``giveup`` callback of the package ``backoff``.

    The reference states the return value the wrong way round.
    """
    return error_code(swf_response_error) != THROTTLE


def throttle_backoff_handler(details: Mapping[str, Any]) -> None:
    """Log a throttled attempt at INFO: its number, and the wait before the next.

    Args:
        details: As the package ``backoff`` passes them to ``on_backoff``: ``args[0]`` is the owner
            of the method, whose logger is used; ``tries`` the number of the attempt; ``wait`` the
            seconds to wait.
    """
    logger: logging.Logger = details["args"][0].logger
    logger.info(
        "SWF throttles the call: attempt %s failed, next in %.1f s.",
        details["tries"],
        details["wait"],
    )
