"""``doctor``: what a flow of garcon 1.x will do differently."""

import argparse
import dataclasses
import warnings

from garcon import doctor as rules
from garcon.executions.commands import target
from garcon.executions.commands.output import Output


def doctor(args: argparse.Namespace, out: Output) -> int:
    """``doctor``: 0 if there are no findings, else 1."""
    args.flow = args.named or args.flow
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        flow = target.flow(args)
    findings = rules.examine(flow, raised)
    number = len(findings)
    heading = f"{args.flow}: {number or 'no'} finding{'' if number == 1 else 's'}"
    text = "\n\n".join([heading, *map(str, findings)])
    values = [dataclasses.asdict(each) for each in findings]
    out.answer({"flow": args.flow, "findings": values}, text)
    return 1 if findings else 0
