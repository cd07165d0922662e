"""`python -m garcon.local`: the local SWF as a program.

Standard output has the endpoint and the variable to export; standard error has errors only.
"""

import argparse
import difflib
import resource
import sys
from pathlib import Path
from typing import Any

from garcon.aws import isolation
from garcon.command_line import completion
from garcon.local.server_options import ServerOptions
from garcon.local.service.journal import JournalError

PORT = 4566
"""The usual port of local AWS endpoints, so that existing settings find it."""


def _read_quotas(name: str) -> bool:
    if name != "aws":
        raise argparse.ArgumentTypeError(f"invalid quotas {name!r}; the only choice is 'aws'")
    return True


DEFAULTS = ServerOptions(port=PORT)

FLAGS: dict[str, dict[str, Any]] = {
    "--port": {
        "type": int,
        "metavar": "N",
        "default": DEFAULTS.port,
        "help": "port; 0 takes a free one (default: %(default)s)",
    },
    "--poll-seconds": {
        "type": float,
        "metavar": "S",
        "default": DEFAULTS.poll_seconds,
        "help": "seconds that a poll without work is held (default: %(default)g)",
    },
    "--page-size": {
        "type": int,
        "metavar": "N",
        "default": DEFAULTS.page_size,
        "help": "most events or items in a page (default: %(default)s)",
    },
    "--quotas": {
        "nargs": "?",
        "type": _read_quotas,
        "const": True,
        "default": DEFAULTS.quotas,
        "metavar": "aws",
        "help": "enforce SWF's rates: ThrottlingException beyond them",
    },
    "--no-ghosts": {
        "dest": "ghosts",
        "action": "store_false",
        "help": "never give a task to a poller whose connection is gone (SWF may)",
    },
    "--virtual-time": {
        "action": "store_true",
        "help": "when all clients are idle, jump to the next due time",
    },
    "--seed": {
        "type": int,
        "metavar": "N",
        "help": "source of run ids (default: the state file's, or a random one)",
    },
    "--state": {
        "type": Path,
        "metavar": "FILE",
        "help": "keep everything in FILE, and continue from it at the next start",
    },
}
"""The flags with their arguments for argparse; each is an attribute of `ServerOptions`."""


def main(argv: list[str] | None = None) -> int:
    """Serve until stopped; returns the exit code: 1 if the service cannot start or go on.

    Raises:
        SystemExit: with 2, an argument is invalid.
    """
    parser = _parser()
    try:
        given = vars(_parsed(parser, sys.argv[1:] if argv is None else argv))
        if shell := given.pop("completion"):
            return _complete(parser, shell)
        options = ServerOptions(**given)
    except ValueError as error:
        parser.error(str(error))
    try:
        from garcon.local.http import server  # noqa: PLC0415 - of the extra 'local'
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is missing: install it with pip install 'garcon[local]'.")
    _allow_connections()
    try:
        with server.LocalServer(options) as running:
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
        prog="python -m garcon.local",
        description="An Amazon SWF on 127.0.0.1, for development.",
        allow_abbrev=False,
    )
    for flag, arguments in FLAGS.items():
        parser.add_argument(flag, **arguments)
    parser.add_argument(
        "--completion",
        choices=completion.SHELLS,
        metavar="SHELL",
        help="print a script that completes the options in bash or zsh, and exit",
    )
    return parser


def _parsed(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    """The options. A second one of a kind is refused, because only one can count."""
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        near = difflib.get_close_matches(unknown[0].partition("=")[0], FLAGS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    flags = [word.partition("=")[0] for word in argv if word.startswith("--")]
    if twice := next((flag for flag in flags if flags.count(flag) > 1), None):
        parser.error(f"{twice} is given twice")
    return arguments


def _complete(parser: argparse.ArgumentParser, shell: str) -> int:
    try:
        print(completion.script(parser, "garcon-local", shell))  # noqa: T201 - the answer
    except completion.CompletionMissing as error:
        return _fail(str(error))
    return 0


def _allow_connections() -> None:
    """Raise the limit of open files to the hard limit: each waiting poll needs a connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _announce(endpoint: str, seed: int) -> None:
    lines = (
        f"Amazon SWF, locally: {endpoint}",
        f"export AWS_ENDPOINT_URL_SWF={endpoint}",
        f"export AWS_DEFAULT_REGION={isolation.REGION}",
        "export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local  # any will do",
        f"Run ids are made from --seed {seed}.",
    )
    print(*lines, sep="\n", flush=True)  # noqa: T201 - the program's output


def _fail(sentence: str) -> int:
    print(f"garcon.local: {sentence}", file=sys.stderr)  # noqa: T201 - a command's message
    return 1


if __name__ == "__main__":
    sys.exit(main())
