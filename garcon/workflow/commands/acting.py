"""The commands that start, wait and act: start, result, signal, cancel, terminate."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from garcon.workflow.client import Client
from garcon.workflow.commands import place
from garcon.workflow.commands.output import Output, as_json
from garcon.workflow.errors import NotSendable
from garcon.workflow.looking import News
from garcon.workflow.progress import Progress
from garcon.workflow.values import Execution, Result, Status


def start(said: argparse.Namespace, out: Output) -> int:
    """``start``: print the id, or wait for the result."""
    values = _input(said.input)
    place.flow(said)  # names what is missing: a flow, not a domain
    client = place.client(said)
    started = client.start(
        values,
        said.id,
        said.tag or None,
        timeout=said.timeout,
        decision_timeout=said.decision_timeout,
        child_policy=said.child_policy,
        priority=said.priority,
    )
    if said.wait is None:
        out.answer(_ids(started), started.workflow_id)
    else:
        timeout = None if math.isinf(said.wait) else said.wait
        _tell_result(_wait(client, started, timeout, out, quiet=said.quiet), out)
    return 0


def result(said: argparse.Namespace, out: Output) -> int:
    """``result``: wait until the execution has closed."""
    client = place.client(said)
    run = place.execution(said, client)
    _tell_result(_wait(client, run, said.timeout, out, quiet=said.quiet), out)
    return 0


def signal(said: argparse.Namespace, out: Output) -> int:
    """``signal``."""
    place.client(said).signal(_open(said), said.signal, _input(said.input))
    return _done(said, out, f"The signal {said.signal} was sent to {said.execution}.")


def cancel(said: argparse.Namespace, out: Output) -> int:
    """``cancel``."""
    place.client(said).cancel(_open(said))
    return _done(said, out, f"{said.execution} was asked to stop; its decider decides.")


def terminate(said: argparse.Namespace, out: Output) -> int:
    """``terminate``."""
    place.client(said).terminate(_open(said), said.reason, said.details, said.child_policy)
    return _done(said, out, f"{said.execution} was terminated.")


def _open(said: argparse.Namespace) -> str | Execution:
    """What SWF is to find; without a run id it finds the open run by itself."""
    return Execution(said.execution, said.run_id) if said.run_id else str(said.execution)


def _done(said: argparse.Namespace, out: Output, sentence: str) -> int:
    out.answer({"workflow_id": said.execution, "run_id": said.run_id}, sentence)
    return 0


def _wait(
    client: Client, run: Execution, timeout: float | None, out: Output, *, quiet: bool
) -> Result:
    progress = Progress()

    def watch(news: News) -> None:
        for line in progress.read(news):
            out.tell(line)

    return client.result(run, timeout, None if quiet else watch)


def _tell_result(found: Result, out: Output) -> None:
    values = {
        **_ids(found.execution),
        "status": Status.COMPLETED,
        "result": found.result,
        "context": found.context,
    }
    out.answer(values, as_json(found.context if found.result is None else found.result))


def _ids(run: Execution) -> dict[str, str]:
    return {"workflow_id": run.workflow_id, "run_id": run.run_id}


def _input(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(_text(text))
    except (ValueError, RecursionError) as error:
        raise NotSendable(f"The input is not JSON ({error}).") from error


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise NotSendable(f"The input {given[1:]} cannot be read: {error.strerror}.") from error
