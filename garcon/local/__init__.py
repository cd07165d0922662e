"""An Amazon SWF in one process, for development and tests.

`LocalSWF` is the service inside a test, `python -m garcon.local` the same service over HTTP. The
rules of SWF are in `garcon.local.engine`, which imports neither threads nor sockets; `service`
carries requests to it, and `http` is the server. Names are loaded at their first use, so that a
test run without the service does not pay for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garcon.local.engine import Settings
    from garcon.local.local_swf import LocalSWF
    from garcon.local.run_outcome import RunOutcome, Stuck
    from garcon.local.service.fault_injection import FaultKind, InjectedFault

__all__ = ["FaultKind", "InjectedFault", "LocalSWF", "RunOutcome", "Settings", "Stuck"]

_MODULES = {
    "FaultKind": "garcon.local.service.fault_injection",
    "InjectedFault": "garcon.local.service.fault_injection",
    "LocalSWF": "garcon.local.local_swf",
    "RunOutcome": "garcon.local.run_outcome",
    "Settings": "garcon.local.engine",
    "Stuck": "garcon.local.run_outcome",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
