"""``python -m supervisor``: from the command line to a running pool and its exit code.

A zygote is started before anything else is imported or read: starting Python and importing boto3
takes it longer than all that the supervisor has to do meanwhile. It waits for its first message; if
there is none to come, because the settings are wrong, it is ended.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from supervisor import exits, kernel
from supervisor.usage import COMMANDS, UNIT

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from supervisor.settings import Settings

_NEEDS_NO_ZYGOTE = {"-h", "--help", "--version", "--check"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the supervisor; returns its exit code (``exits``)."""
    try:
        return _main(sys.argv[1:] if argv is None else argv)
    except Exception:
        import logging  # noqa: PLC0415 - only here

        said = "The supervisor ends by a fault of its own. Its workers finish what is in hand."
        logging.getLogger("supervisor").exception(said)
        return exits.FAULT
    finally:
        _flush()


def _flush() -> None:
    """Write what is left while the exit code is still ours: Python's own, on an error, is 120."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:  # nobody reads it any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _main(words: Sequence[str]) -> int:
    if words and words[0] in COMMANDS:
        from supervisor import commands  # noqa: PLC0415 - a supervisor needs none of it

        return _answer(lambda: commands.run(words))
    kernel.forbid_core_dumps()
    if words and words[0] == UNIT:
        from supervisor.systemd import unit  # noqa: PLC0415 - only this command needs it

        return _answer(lambda: unit.main(words[1:]))
    if _NEEDS_NO_ZYGOTE.intersection(words) or not words:
        return _run(words, None)
    try:
        spare = kernel.spawn(kernel.ZYGOTE)
    except OSError:
        return _run(words, None)  # the loop tries again, and knows what to say about it
    try:
        return _run(words, spare)
    finally:
        spare[1].close()  # of a zygote that was not used, it is the end


def _answer(give: Callable[[], int]) -> int:
    """Print an answer; who reads it may have enough before its end, as in ``| head``."""
    code = 0
    try:
        code = give()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _run(words: Sequence[str], spare: tuple[int, socket.socket] | None) -> int:
    from supervisor import host, log, messages, options  # noqa: PLC0415 - the zygote starts meanwhile
    from supervisor.settings import SettingsError  # noqa: PLC0415

    live = sys.stdout.isatty()

    def read() -> Settings:
        again = options.for_terminal(options.read(words, os.environ), live=live)
        return host.settled(again, os.environ)

    try:
        said = options.read(words, os.environ)
        options.refuse_root(said.settings, os.geteuid())
    except SettingsError as error:
        print(f"supervisor: {error}", file=sys.stderr)  # noqa: T201 - before logging is set up
        return exits.USAGE
    settings = options.for_terminal(said, live=live)
    log.configure(messages.LogStyle(settings.log_level, settings.log_format))
    for each in said.unknown:
        log.LOGGER.warning(
            "There is no setting %s; it is ignored. --help and --check list them.", each
        )
    if said.check:
        from supervisor import check  # noqa: PLC0415 - only this command needs it

        return _answer(lambda: check.run(said))
    if settings.ec2 == "on" and host.settled(settings, os.environ).ec2 == "off":
        log.LOGGER.warning("--ec2 on is not heeded: see --local and %s.", host.DISABLED)
    return _supervise(host.settled(settings, os.environ), spare, read)


def _supervise(
    settings: Settings, spare: tuple[int, socket.socket] | None, read_again: Callable[[], Settings]
) -> int:
    from setproctitle import setproctitle  # noqa: PLC0415 - not for --help and its like

    from supervisor import control  # noqa: PLC0415
    from supervisor.core import Core  # noqa: PLC0415
    from supervisor.shell import Shell  # noqa: PLC0415

    setproctitle(f"garcon: supervisor {settings.flow}")
    try:
        listener = control.listen_for(settings.flow, settings.control)
    except control.CannotListen as error:
        print(f"supervisor: {error}", file=sys.stderr)  # noqa: T201 - the command's answer
        return exits.USAGE
    return Shell(Core(settings), settings, spare, read_again, listener).run()


if __name__ == "__main__":
    sys.exit(main())
