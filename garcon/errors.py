"""The one base of all exceptions of this package: ``except GarconError`` catches them and no other.

Those that stand for a common kind of error are of that kind too (``ValueError``, ``TypeError``),
so that callers who know nothing of this package handle them as they are used to.
"""


class GarconError(Exception):
    """Something that garcon itself has to object to."""


class InvalidFlow(GarconError, ValueError):
    """A flow, an activity or a task cannot work as it is written."""


class NotADictionary(GarconError, TypeError):
    """A task, a runner or a generator gave something else than a dictionary."""
