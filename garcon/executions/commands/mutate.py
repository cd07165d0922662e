"""The commands that act on executions: start, result, signal, cancel, terminate, redrive."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from garcon.executions import batch, request
from garcon.executions.client import Client
from garcon.executions.commands import many, target
from garcon.executions.commands.output import Output, as_json
from garcon.executions.errors import InputNotSendable
from garcon.executions.progress import Progress
from garcon.executions.redrive import Redriven
from garcon.executions.values import Execution, Result, Status
from garcon.executions.waiting import NewEvents


def start(args: argparse.Namespace, out: Output) -> int:
    """``start``: print the workflow id, or with ``--wait`` the result."""
    values = {} if args.input is None else read_input(args.input)
    request.check_object(values, "The input")  # here, because the client takes null for no input
    target.flow(args)  # its error asks for a flow; a domain would not do
    client = target.client(args)
    run = client.start(
        values,
        args.id,
        args.tag or None,
        timeout=args.timeout,
        decision_timeout=args.decision_timeout,
        child_policy=args.child_policy,
        priority=args.priority,
        if_open=args.if_open,
    )
    if args.wait is None:
        out.answer(_ids(run), run.workflow_id)
    else:
        timeout = None if math.isinf(args.wait) else args.wait
        _answer_result(_wait(client, run, timeout, out, quiet=args.quiet), out)
    return 0


def result(args: argparse.Namespace, out: Output) -> int:
    """``result``: wait until the execution has closed, and print its result."""
    client = target.client(args)
    run = target.execution(args, client)
    _answer_result(_wait(client, run, args.timeout, out, quiet=args.quiet), out)
    return 0


def signal(args: argparse.Namespace, out: Output) -> int:
    """``signal``: send a signal, to one execution or many."""
    is_many = many.is_asked(args)
    # With --where no WORKFLOW_ID comes first.
    name, text = (args.execution, args.signal) if is_many else (args.signal, args.input)
    if name is None:
        raise target.UsageError("signal needs the name of the SIGNAL.")
    values, client = None if text is None else read_input(text), target.client(args)
    if is_many:
        return many.act_on(
            args, out, client, lambda of: batch.signal(of, of.clock, name, values), [name, values]
        )
    if args.or_start is not None:
        target.flow(args)  # its error asks for a flow; a domain would not do
        first = read_input(args.or_start)
        request.check_object(first, "The input of the workflow")
        client.signal_with_start(args.execution, name, values, first)
    else:
        client.signal(_open(args), name, values)
    return _done(args, out, f"Sent the signal {name} to {args.execution}.")


def cancel(args: argparse.Namespace, out: Output) -> int:
    """``cancel``: request to cancel."""
    is_many, client = many.is_asked(args), target.client(args)
    if is_many:
        return many.act_on(args, out, client, lambda of: batch.cancel(of, of.clock), [])
    client.cancel(_open(args))
    return _done(args, out, f"Asked {args.execution} to cancel; its decider decides.")


def terminate(args: argparse.Namespace, out: Output) -> int:
    """``terminate``: end it at once."""
    is_many, client = many.is_asked(args), target.client(args)
    options = (args.reason, args.details, args.child_policy)
    if is_many:
        return many.act_on(
            args, out, client, lambda of: batch.terminate(of, of.clock, *options), options
        )
    client.terminate(_open(args), *options)
    return _done(args, out, f"Terminated {args.execution}.")


def redrive(args: argparse.Namespace, out: Output) -> int:
    """``redrive``: let closed executions go on in new runs."""
    is_many = many.is_asked(args)
    values = None if args.input is None else read_input(args.input)
    if values is not None:
        request.check_object(values, "The input")
    client, options = target.client(args), (args.from_activity, values, args.build)
    if is_many:
        return many.act_on(
            args, out, client, lambda of: batch.redrive(of, of.clock, *options), options
        )
    found = client.redrive(_open(args), args.from_activity, input=values, build=args.build)
    return _redrive_one(args, out, found)


def _redrive_one(args: argparse.Namespace, out: Output, found: Redriven) -> int:
    answer = {
        **_ids(found.execution),
        "redrive_of": found.redrive_of.run_id,
        "is_new": found.is_new,
        "kept": found.kept,
    }
    results = "1 result is" if found.kept == 1 else f"{found.kept} results are"
    done = f"goes on in a new run; {results} kept" if found.is_new else "was redriven before"
    out.answer(answer, f"{args.execution} {done}.\nRun: {found.execution.run_id}")
    return 0


def _open(args: argparse.Namespace) -> str | Execution:
    """The execution; without a run id SWF finds the open run, or the latest."""
    return Execution(args.execution, args.run_id) if args.run_id else str(args.execution)


def _done(args: argparse.Namespace, out: Output, sentence: str) -> int:
    out.answer({"workflow_id": args.execution, "run_id": args.run_id}, sentence)
    return 0


def _wait(
    client: Client, run: Execution, timeout: float | None, out: Output, *, quiet: bool
) -> Result:
    progress = Progress()

    def print_progress(new: NewEvents) -> None:
        for line in progress.read(new):
            out.note(line)

    return client.result(run, timeout, None if quiet else print_progress)


def _answer_result(found: Result, out: Output) -> None:
    values = {
        **_ids(found.execution),
        "status": Status.COMPLETED,
        "result": found.result,
        "context": found.context,
    }
    out.answer(values, as_json(found.context if found.result is None else found.result))


def _ids(run: Execution) -> dict[str, str]:
    return {"workflow_id": run.workflow_id, "run_id": run.run_id}


def read_input(argument: str) -> Any:
    """The value of INPUT: JSON, ``@FILE``, or ``-`` for standard input."""
    text = input_text(argument)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputNotSendable(f"The input is not JSON ({error}).") from error


def input_text(argument: str) -> str:
    """The text of an argument: itself, that of ``@FILE``, or for ``-`` standard input.

    Raises:
        InputNotSendable: The file cannot be read.
    """
    if argument != "-" and not argument.startswith("@"):
        return argument
    name = "Standard input" if argument == "-" else f"The input file {argument[1:]!r}"
    try:
        return sys.stdin.read() if argument == "-" else Path(argument[1:]).read_text("utf-8")
    except OSError as error:
        raise InputNotSendable(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputNotSendable(f"{name} is not UTF-8 text.") from error
