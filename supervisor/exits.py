"""The exit codes of a supervisor, each once; ``usage.EXIT_CODES`` tells them to people.

The commands that speak to one have their own (``commands/asking.py``): whether it was done.
"""

ABANDONED = 1
"""Work in hand was abandoned; with ``--once``: an execution has not completed."""

USAGE = 2
"""The settings cannot be served."""

FLOW = 3
"""The flow cannot be loaded, or decides otherwise than its histories show."""

GAVE_UP = 4
"""The pool cannot be kept alive."""

FAULT = 70
"""An error that nobody thought of (sysexits.h: EX_SOFTWARE)."""
