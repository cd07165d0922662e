"""``completion``: a script for a shell."""

import argparse

from garcon.command_line import completion
from garcon.executions.commands.output import Output
from garcon.executions.errors import WorkflowError


def complete(args: argparse.Namespace, out: Output) -> int:
    """``completion``: print the script; ``args.parser`` makes the whole command line."""
    try:
        script = completion.script(args.parser(), "garcon", args.shell)
    except completion.CompletionMissing as error:
        raise WorkflowError(str(error)) from error
    out.answer({"script": script}, script)
    return 0
