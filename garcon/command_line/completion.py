"""Shell completion: a script that the shell evaluates, made of a program's own parser."""

import argparse

from garcon.errors import GarconError

SHELLS = ("bash", "zsh")


class CompletionMissing(GarconError):
    """The package that makes the scripts is not installed."""


def script(parser: argparse.ArgumentParser, program: str, shell: str) -> str:
    """The script that completes a program's commands and options.

    Args:
        parser: The program's parser.
        program: The name that people type.
        shell: One of ``SHELLS``.

    Raises:
        CompletionMissing: shtab, of the extra ``completion``, is not installed.
    """
    try:
        import shtab  # noqa: PLC0415 - of the extra 'completion'
    except ModuleNotFoundError as error:
        raise CompletionMissing(
            "shtab is missing: install it with pip install 'garcon[completion]'."
        ) from error
    parser.prog = program
    return str(shtab.complete(parser, shell))
