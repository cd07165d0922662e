"""Keys of generated instances, and what counts as SWF's throttle.

The key is part of activity ids that running executions carry, so its recipe never changes.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

THROTTLE = "ThrottlingException"
UNKNOWN = "UnknownResourceFault"  # a task that is closed, an execution or type that is not there


def create_dictionary_key(dictionary: Mapping[str, Any]) -> str:
    """The hexadecimal SHA-1 of the dictionary's sorted items: the same content, the same key."""
    text = "".join(f"'{key}':'{value}';" for key, value in sorted(dictionary.items()))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def error_code(error: object) -> str:
    """The code that SWF gave, such as ``UnknownResourceFault``; empty if the error is not SWF's."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def non_throttle_error(swf_response_error: object) -> bool:
    """True for every error but a throttle: the ``giveup`` of a back-off, which then stops trying.

    The reference's sentence on the return value has it the wrong way round.
    """
    return error_code(swf_response_error) != THROTTLE


def throttle_backoff_handler(details: Mapping[str, Any]) -> None:
    """Log at INFO, through the logger of the method's owner, which try this was and the wait.

    Args:
        details: As the ``backoff`` library hands to ``on_backoff``; ``args[0]`` is the owner.
    """
    logger: logging.Logger = details["args"][0].logger
    logger.info(
        "SWF throttles: try %s, waiting %.1f s before the next.",
        details["tries"],
        details["wait"],
    )
