"""RespondDecisionTaskCompleted: the response is recorded, then its decisions one after another.

- The request is checked as a whole before anything is recorded: each decision has its
  attributes, and one that closes the execution is the last. A bad one is refused with 400, and
  the task stays open until it is answered properly or times out.
- A decision that fails does not stop the others. It leaves a …Failed event that repeats what
  names it, and calls for another decision task.
- When the history is full, nothing further is decided.
"""

from garcon.local.engine import decision_tasks
from garcon.local.engine.decisions.table import DECISIONS
from garcon.local.engine.decisions.turn import Refused, Turn
from garcon.local.engine.entities import DecisionTask
from garcon.local.engine.messages import Body
from garcon.local.engine.throttle import admits_decision
from garcon.local.engine.tokens import find_started
from garcon.local.engine.wire import given
from garcon.local.engine.world import World


def respond_completed(world: World, params: Body) -> Body:
    """RespondDecisionTaskCompleted; an empty list of decisions means "wait"."""
    task = find_started(world, params["taskToken"], DecisionTask)
    execution = task.execution
    completed_id = decision_tasks.complete(world, task, params)
    turn = Turn(world, execution, completed_id, unhandled=execution.next_decision is not None)
    for decision in params.get("decisions", []):
        if execution.doomed:
            break
        _carry_out(turn, decision)
    if turn.eventful:
        decision_tasks.schedule(world, execution)
    else:
        decision_tasks.release(world, execution)
    return {}


def _carry_out(turn: Turn, decision: Body) -> None:
    kind = DECISIONS[decision["decisionType"]]
    request = decision.get(kind.member, {})
    try:
        if not admits_decision(turn.world, kind.name):
            raise Refused(kind.rate_cause)  # noqa: TRY301 -- all refusals take the same way out
        kind.carry_out(turn, request)
    except Refused as refusal:
        attributes = {**given(request, *kind.naming), **kind.extra, "cause": refusal.cause}
        turn.record(f"{kind.name}Failed", attributes)
        turn.eventful = True


OPERATIONS = {"RespondDecisionTaskCompleted": respond_completed}
