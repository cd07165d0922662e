"""Exit codes of the supervisor (``cli/help_text.py`` explains them to users).

The commands to a running supervisor have exit codes of their own (``cli/commands``).
"""

ABANDONED = 1
"""Tasks in progress were abandoned; with ``--once``: an execution has not completed."""

USAGE = 2
"""The command line or the settings are invalid."""

FLOW = 3
"""The flow cannot be loaded, or the replay gate found a difference."""

GAVE_UP = 4
"""The pool cannot be kept running."""

FAULT = 70
"""An internal error (EX_SOFTWARE of sysexits.h)."""

INTERRUPTED = 130
"""A command or a check was interrupted (SIGINT): as shells have it."""
