"""Prints the outcomes of uses of the library: ``python printer.py FILE…``.

Each file has a dictionary ``USES``: functions by the names of what they try. An outcome is a value,
or that something was raised; a documented exception is named.
"""

from __future__ import annotations

import logging
import re
import runpy
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENTED = {
    "ActivityInstanceNotReadyException",
    "NoRunnerRequirementsFound",
    "RunnerMissing",
    "UnknownParamException",
}


def outcome(use: Callable[[], Any]) -> str:
    """The value without addresses, or what was raised."""
    try:
        return re.sub(r"0x[0-9a-f]+", "0x", repr(use()))
    except Exception as error:  # noqa: BLE001 - any outcome is one
        name = type(error).__name__
        return f"raises {name}" if name in DOCUMENTED else "raises"


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for path in sys.argv[1:]:
        for name, use in runpy.run_path(path)["USES"].items():
            print(f"{name} -> {outcome(use)}")
