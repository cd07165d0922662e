"""``completion bash|zsh``: a script that completes options and commands in a shell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from supervisor import exit_codes
from supervisor.cli import argument_parser, commands
from supervisor.cli.failure import fail

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("bash", "zsh")


def main(words: Sequence[str]) -> int:
    """Print the script; returns the exit code."""
    if len(words) != 1 or words[0] not in SHELLS:
        return fail("completion needs a shell: bash or zsh.", exit_codes.USAGE)
    try:
        import shtab  # noqa: PLC0415 - of the extra 'completion'
    except ModuleNotFoundError:
        missing = "shtab is missing: install it with pip install 'garcon[completion]'."
        return fail(missing, exit_codes.USAGE)
    whole = argument_parser.parser()
    commands.add_to(whole)
    whole.prog = "garcon-supervisor"
    sys.stdout.write(shtab.complete(whole, words[0]) + "\n")
    return 0
