"""Signatures of the user's functions: that of a plain function is read once, not at each task."""

import inspect
import types
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

_known: WeakKeyDictionary[types.FunctionType, inspect.Signature] = WeakKeyDictionary()


def signature_of(fn: Callable[..., Any]) -> inspect.Signature:
    """The signature, as ``inspect.signature``.

    Raises:
        TypeError: It is not callable.
        ValueError: Its parameters are unknown, as those of some functions in C.
    """
    if type(fn) is not types.FunctionType:  # it may have no hash, or change its signature
        return inspect.signature(fn)
    if (found := _known.get(fn)) is None:
        found = _known[fn] = inspect.signature(fn)
    return found
