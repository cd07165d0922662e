"""``python -m supervisor``: from the command line to a running pool and its exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from supervisor import log, messages, options
from supervisor.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the supervisor; returns its exit code (``options.EXIT_CODES``)."""
    try:
        said = options.read(sys.argv[1:] if argv is None else argv, os.environ)
    except SettingsError as error:
        print(f"supervisor: {error}", file=sys.stderr)  # noqa: T201 - before logging is set up
        return USAGE
    log.configure(messages.LogStyle(said.settings.log_level, said.settings.log_format))
    if said.check:
        from supervisor import check  # noqa: PLC0415 - only this command needs it

        return check.run(said)
    return _supervise(said.settings)


def _supervise(settings: Settings) -> int:
    from setproctitle import setproctitle  # noqa: PLC0415 - not for --help and its like

    from supervisor.core import Core  # noqa: PLC0415
    from supervisor.shell import Shell  # noqa: PLC0415

    setproctitle(f"garcon: supervisor {settings.flow}")
    return Shell(Core(settings), settings).run()


if __name__ == "__main__":
    sys.exit(main())
