"""An Amazon SWF in one process, for development and tests.

`LocalSWF` is the service inside a test, `python -m garcon.local` the same service over HTTP. The
rules of SWF are in `garcon.local.engine`, which knows neither threads nor sockets; everything
else here carries requests to it. Names are loaded when first used, so that a test run which does
not use the service does not pay for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garcon.local.engine import Settings
    from garcon.local.injection import Injected, Kind
    from garcon.local.inprocess import LocalSWF
    from garcon.local.outcome import Outcome, Stuck

__all__ = ["Injected", "Kind", "LocalSWF", "Outcome", "Settings", "Stuck"]

_HOME = {
    "Injected": "garcon.local.injection",
    "Kind": "garcon.local.injection",
    "LocalSWF": "garcon.local.inprocess",
    "Outcome": "garcon.local.outcome",
    "Settings": "garcon.local.engine",
    "Stuck": "garcon.local.outcome",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
