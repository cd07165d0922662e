"""``python -m supervisor``: from the command line to a running pool and its exit code.

A zygote is started before anything else is imported or read: importing boto3 takes the zygote
longer than everything that the supervisor does meanwhile. It waits for its first message; if none
comes, because the settings are invalid, the end of its channel ends it.

So imports stand in the functions that need them: what is not imported before does not delay it.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.cli.help_text import COMMANDS, COMPLETION, UNIT
from supervisor.ipc import core_dumps, signal_wakeup, standard_streams
from supervisor.parent import first_zygote
from supervisor.parent.os_processes import ZYGOTE, Kernel, keep_inherited_descriptors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supervisor.cli.sources import ParsedOptions
    from supervisor.config.settings import Settings
    from supervisor.parent.spawner import SpareZygote

_NEEDS_NO_ZYGOTE = {"-h", "--help", "--help-settings", "--version", "--check"}


def _spawn_zygote() -> SpareZygote:
    return Kernel().spawn(ZYGOTE)


def main(
    argv: Sequence[str] | None = None, *, start_zygote: Callable[[], SpareZygote] = _spawn_zygote
) -> int:
    """Run the supervisor or one of its commands; returns its exit code (``exit_codes``).

    Args:
        argv: The arguments; those of the program by default.
        start_zygote: Starts the first zygote.
    """
    standard_streams.open_missing()
    words = sys.argv[1:] if argv is None else argv
    try:
        return _main(words, start_zygote)
    except Exception:
        import logging  # noqa: PLC0415

        logging.getLogger("supervisor").exception(
            "Internal error: this command ends. The supervisor goes on."
            if COMMANDS.keys() & {*words[:1]}
            else "Internal error: the supervisor exits. Its workers finish their tasks."
        )
        return exit_codes.FAULT
    finally:
        standard_streams.flush()


def _main(words: Sequence[str], start_zygote: Callable[[], SpareZygote]) -> int:
    if words and words[0] in COMMANDS:
        from supervisor.cli import commands  # noqa: PLC0415

        return _print_answer(lambda: commands.run(words))
    core_dumps.forbid_core_dumps()
    if words and words[0] == COMPLETION:
        from supervisor.cli import shell_completion  # noqa: PLC0415

        return _print_answer(lambda: shell_completion.main(words[1:]))
    if words and words[0] == UNIT:
        from supervisor.cli import unit  # noqa: PLC0415

        return _print_answer(lambda: unit.main(words[1:]))
    if _NEEDS_NO_ZYGOTE.intersection(words) or not words:
        return _run(words, None)
    signal_wakeup.disregard_meaningless()
    signal_wakeup.hold()
    keep_inherited_descriptors()
    try:
        spare = start_zygote()
    except OSError:
        return _run(words, None)  # the loop tries again, and reports the failure
    try:
        return _run(words, spare)
    finally:
        spare[1].close()  # ends a zygote that was not used


def _print_answer(answer: Callable[[], int]) -> int:
    """Print the answer of a command or check, which a person may interrupt.

    Its reader may close the pipe before the end (``| head``).
    """
    code = 0
    try:
        code = answer()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        standard_streams.discard(sys.stdout.fileno())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        from supervisor.cli.failure import fail  # noqa: PLC0415

        standard_streams.discard(sys.stdout.fileno())
        return fail(f"The answer could not be written: {error.strerror}.", exit_codes.ABANDONED)
    return code


def _run(words: Sequence[str], spare: SpareZygote | None) -> int:
    from supervisor.cli import sources  # noqa: PLC0415
    from supervisor.cli.failure import fail  # noqa: PLC0415
    from supervisor.config.settings import SettingsError  # noqa: PLC0415
    from supervisor.logs import log  # noqa: PLC0415
    from supervisor.logs.background import BackgroundHandler  # noqa: PLC0415

    live = sys.stdout.isatty()  # asked once: a restart must not depend on a closed terminal
    try:
        parsed = sources.read(words, os.environ)
        sources.check_local(parsed.settings)
        settings = _settle(parsed, live=live)
    except SettingsError as error:
        return fail(error, exit_codes.USAGE)
    if settings.claims:
        os.environ["GARCON_CLAIMS"] = settings.claims  # for the starter's long inputs
    log.configure(settings.log_level, settings.log_format, BackgroundHandler())
    if settings.folder:
        log.process_facts.update(release=settings.release)
    for warning in parsed.warnings:
        log.LOGGER.warning("%s", warning)
    if parsed.check:
        return _check(parsed)
    if os.geteuid() == 0 and not (settings.local or settings.user or settings.retired):
        log.LOGGER.warning(
            "All tasks of %s run as root. Give --user NAME, or start the supervisor as another user"
            " (systemd: User=, container: USER).",
            settings.flow,
        )
    if parsed.settings.ec2 == "on" and settings.ec2 == "off":
        log.LOGGER.warning("--ec2 on has no effect with --local or AWS_EC2_METADATA_DISABLED=true.")
    return _supervise(settings, spare, lambda: _settle(sources.read(words, os.environ), live=live))


def _check(parsed: ParsedOptions) -> int:
    from supervisor.cli import check  # noqa: PLC0415
    from supervisor.cli.failure import fail  # noqa: PLC0415
    from supervisor.config.settings import SettingsError  # noqa: PLC0415
    from supervisor.parent import privileges  # noqa: PLC0415

    user = parsed.settings.user
    try:
        if user and os.geteuid() == 0:  # other users may check what root is to start
            privileges.become(user, None, None)
    except SettingsError as error:
        return fail(error, exit_codes.USAGE)
    return _print_answer(lambda: check.run(parsed))


def _settle(parsed: ParsedOptions, *, live: bool) -> Settings:
    """The settings, with those that depend on the terminal and the host decided."""
    from supervisor.cli import sources  # noqa: PLC0415
    from supervisor.config import ec2_detection, releases  # noqa: PLC0415

    settings = releases.with_absolute_paths(sources.for_terminal(parsed, live=live))
    return ec2_detection.decide(settings, os.environ)


def _supervise(
    settings: Settings, spare: SpareZygote | None, read_again: Callable[[], Settings]
) -> int:
    from random import Random  # noqa: PLC0415

    from setproctitle import setproctitle  # noqa: PLC0415

    from supervisor.cli.failure import fail  # noqa: PLC0415
    from supervisor.config.settings import SettingsError  # noqa: PLC0415
    from supervisor.core import Core  # noqa: PLC0415
    from supervisor.parent import control_listener, privileges  # noqa: PLC0415
    from supervisor.parent.serving_link import ServingLink  # noqa: PLC0415
    from supervisor.parent.shell import Shell  # noqa: PLC0415

    serving = ServingLink.inherited(os.environ)
    role = f" retired {settings.release}" if settings.retired else ""
    setproctitle(f"garcon: supervisor {settings.flow}{role}")
    try:
        listener = control_listener.listen_for(settings.flow, settings.control)
        if settings.user:
            privileges.become(settings.user, settings.spool, listener)
            if spare:  # it is root's: closing its channel ends it, and the loop starts another
                spare[1].close()
                spare = None
    except (control_listener.CannotListen, SettingsError) as error:
        return fail(error, exit_codes.USAGE)
    # Without a seed of the settings each host has its own, so that a fleet does not wait in step.
    core = Core(settings, Random(settings.jitter_seed or None), is_kept=serving is not None)
    shell = Shell(
        core, settings, spare=spare, read_again=read_again, listener=listener, serving=serving
    )
    signal_wakeup.hold()
    return shell.run()


if __name__ == "__main__":
    # Not from a console script, which has another ``sys.path``, nor from a program of one's own.
    sys.exit(main(start_zygote=first_zygote.fork_first_zygote))
