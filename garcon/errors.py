"""The common base of this package's exceptions, and two that several modules raise.

An exception that is of a common kind of error inherits that too (``ValueError``, ``TypeError``), so
callers who do not know this package handle it as usual.
"""


class GarconError(Exception):
    """An error that garcon itself reports; ``except GarconError`` catches all of them."""


class InvalidFlow(GarconError, ValueError):
    """A flow, an activity or a task cannot work as it is written."""


class NotADictionary(GarconError, TypeError):
    """A task, a runner or a generator returned something other than a dictionary."""
