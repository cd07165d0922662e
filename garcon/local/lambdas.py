"""Runs a lambda function of a workflow: the callable that the test gave for its name.

The input is JSON text and so is the result, as in AWS Lambda; input that is not JSON is passed as
the text it is. What the callable raises is the failure that the workflow sees, and is logged.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from garcon import untrusted
from garcon.local.engine import Invocation

LOGGER = logging.getLogger("garcon.local")

REASON_CHARACTERS = 256
"""Characters of a failure's reason, the model's limit."""


def invoke(lambdas: Mapping[str, Callable[[Any], Any]], invocation: Invocation) -> dict[str, str]:
    """Run the function; returns what `Engine.finish_lambda` takes: a result, or a reason."""
    function = lambdas.get(invocation.name)
    if function is None:
        return {"reason": "ResourceNotFoundException", "details": f"No function {invocation.name}"}
    try:
        return {"result": json.dumps(function(_input(invocation.input)))}
    except Exception as error:
        LOGGER.exception("The lambda function %s failed.", invocation.name)
        return {"reason": type(error).__name__[:REASON_CHARACTERS], "details": str(error)}


def _input(text: str) -> Any:
    try:
        return untrusted.loads(text) if text else None
    except ValueError:
        return text
