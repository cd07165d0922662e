"""The commands that answer an external activity: complete, fail, heartbeat."""

import argparse

from garcon.executions.commands import mutate, target
from garcon.executions.commands.output import Output


def complete(args: argparse.Namespace, out: Output) -> int:
    """``complete``: complete a task."""
    result = None if args.result is None else mutate.read_input(args.result)
    client = target.client(args)
    client.complete(_token(args), result)
    return _done(out, "Completed the task.")


def fail(args: argparse.Namespace, out: Output) -> int:
    """``fail``: fail a task."""
    client = target.client(args)
    client.fail(_token(args), args.reason, args.details)
    return _done(out, "Failed the task.")


def heartbeat(args: argparse.Namespace, out: Output) -> int:
    """``heartbeat``: send a task's heartbeat."""
    requested = target.client(args).heartbeat(_token(args), args.details)
    text = "Sent. The activity is asked to end." if requested else "Sent."
    out.answer({"cancel_requested": requested}, text)
    return 0


def _token(args: argparse.Namespace) -> str:
    """The token, given or taken.

    Raises:
        UsageError: Neither a token nor an activity is named, or both.
    """
    if bool(args.token) == bool(args.workflow) or bool(args.workflow) != bool(args.activity):
        raise target.UsageError(
            f"{args.command_name} needs --token TOKEN, or --workflow ID and --activity ID."
        )
    if args.token:
        return mutate.input_text(args.token).strip()
    return target.client(args).take(args.workflow, args.activity)


def _done(out: Output, sentence: str) -> int:
    out.answer({"answered": True}, sentence)
    return 0
