"""Core files: forbidden to every process of a supervisor, unless the settings allow them."""

import resource


def forbid_core_dumps() -> None:
    """Let neither this process nor its children leave a core file: it would hold credentials."""
    # One byte, not zero: at zero the kernel still pipes the core to a program (``core_pattern``
    # with ``|``, core(5)). At one it takes the crash for that program's own, and skips it.
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0 if hard == 0 else 1, hard))


def allow_core_dumps() -> None:
    """Allow core files again, up to the hard limit of the host."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
