"""The action of options and arguments that take one value.

A second value is refused, as one would be lost. So is an empty one: it mostly comes from a shell
variable that is not set, and must not change what a command acts on.
"""

from __future__ import annotations

import argparse
from typing import Any


class StoreOnce(argparse.Action):
    """Stores the value of an option or argument."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store it, if it is the first and not empty."""
        if values in ("", [""]):
            name = option_string or self.metavar or self.dest
            parser.error(f"{name} is empty: give a value, or leave it out")
        if option_string and getattr(namespace, self.dest, None) is not None:
            parser.error(f"{option_string} is given twice, and takes one value")
        setattr(namespace, self.dest, values)
