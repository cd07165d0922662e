"""`python -m garcon.local`: the local SWF as a program.

Standard output says where it is and what to export; everything else is an error's sentence.
"""

import argparse
import resource
import sys
from pathlib import Path
from typing import Any

from garcon.local.journal import JournalError
from garcon.local.options import Options

PORT = 4566
"""The port local AWS endpoints are usually at, so that existing settings find it."""


def _as_aws(whose: str) -> bool:
    if whose != "aws":
        raise argparse.ArgumentTypeError(f"there are only those of aws, and none of {whose!r}")
    return True


USUAL = Options(port=PORT)

FLAGS: dict[str, dict[str, Any]] = {
    "--port": {
        "type": int,
        "metavar": "N",
        "default": USUAL.port,
        "help": "port; 0 takes a free one (default: %(default)s)",
    },
    "--poll-seconds": {
        "type": float,
        "metavar": "S",
        "default": USUAL.poll_seconds,
        "help": "how long a poll without work is held (default: %(default)g)",
    },
    "--page-size": {
        "type": int,
        "metavar": "N",
        "default": USUAL.page_size,
        "help": "events or items a page at most (default: %(default)s)",
    },
    "--quotas": {
        "nargs": "?",
        "type": _as_aws,
        "const": True,
        "default": USUAL.quotas,
        "metavar": "aws",
        "help": "enforce SWF's rates: ThrottlingException beyond",
    },
    "--no-ghosts": {
        "dest": "ghosts",
        "action": "store_false",
        "help": "never lose a task to a poller that has gone (SWF can)",
    },
    "--virtual-time": {
        "action": "store_true",
        "help": "when all is idle, jump to what is due next",
    },
    "--seed": {
        "type": int,
        "metavar": "N",
        "help": "what run ids are made from (default: the state's, or a new one)",
    },
    "--state": {
        "type": Path,
        "metavar": "FILE",
        "help": "keep everything in FILE, and continue from it",
    },
}
"""The options by their flags, as argparse takes them; each is one of `Options`."""


def main(argv: list[str] | None = None) -> int:
    """Serve until told to end; returns the exit code: 1 if the service could not start.

    Raises:
        SystemExit: with 2, the arguments make no sense.
    """
    parser = _parser()
    said = parser.parse_args(argv)
    try:
        options = Options(**vars(said))
    except ValueError as error:
        parser.error(str(error))
    try:
        from garcon.local import server  # noqa: PLC0415 - of the extra 'local'
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is missing: install it with pip install 'garcon[local]'.")
    _allow_connections()
    try:
        with server.Running(options) as running:
            _announce(running.endpoint, running.seed)
            running.run()
    except JournalError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(
            f"Port {options.port} of 127.0.0.1: {error.strerror}. Choose another: --port 0."
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m garcon.local", description="An Amazon SWF on 127.0.0.1, for development."
    )
    for flag, how in FLAGS.items():
        parser.add_argument(flag, **how)
    return parser


def _allow_connections() -> None:
    """Every waiting poll holds one: take as many as the system allows, not the usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _announce(endpoint: str, seed: int) -> None:
    lines = (
        f"Amazon SWF, locally: {endpoint}",
        f"export AWS_ENDPOINT_URL_SWF={endpoint}",
        f"Run ids are made from --seed {seed}.",
    )
    print(*lines, sep="\n", flush=True)  # noqa: T201 - what the program is started for


def _fail(sentence: str) -> int:
    print(f"garcon.local: {sentence}", file=sys.stderr)  # noqa: T201 - for the person at the desk
    return 1


if __name__ == "__main__":
    sys.exit(main())
