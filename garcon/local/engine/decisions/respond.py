"""RespondDecisionTaskCompleted: the response is recorded, then its decisions one after another.

- The request is checked as a whole before anything is recorded: each decision has its attributes,
  and one that closes the execution is the last. An invalid one is refused with 400, and the task
  stays open until a valid response or its timeout.
- A decision that fails does not stop the others. It leaves a …Failed event with the members that
  name it, and needs another decision task.
- When the history is full, the remaining decisions are dropped.
"""

from garcon.local.engine import decision_tasks
from garcon.local.engine.decisions.decision_turn import DecisionRefused, DecisionTurn
from garcon.local.engine.decisions.table import DECISIONS
from garcon.local.engine.entities import DecisionTask
from garcon.local.engine.messages import Body
from garcon.local.engine.throttle import admits_decision
from garcon.local.engine.tokens import find_started
from garcon.local.engine.wire import pick
from garcon.local.engine.world import World


def respond_completed(world: World, params: Body) -> Body:
    """RespondDecisionTaskCompleted; an empty list of decisions means "wait"."""
    task = find_started(world, params["taskToken"], DecisionTask)
    execution = task.execution
    completed_id = decision_tasks.complete(world, task, params)
    turn = DecisionTurn(
        world, execution, completed_id, unhandled=execution.next_decision is not None
    )
    for decision in params.get("decisions", []):
        if execution.history_full:
            break
        _carry_out(turn, decision)
    if turn.needs_decision:
        decision_tasks.schedule(world, execution)
    else:
        decision_tasks.release(world, execution)
    return {}


def _carry_out(turn: DecisionTurn, decision: Body) -> None:
    kind = DECISIONS[decision["decisionType"]]
    request = decision.get(kind.member, {})
    try:
        if not admits_decision(turn.world, kind.name):
            raise DecisionRefused(kind.rate_cause)  # noqa: TRY301 - all refusals are handled below
        kind.carry_out(turn, request)
    except DecisionRefused as refusal:
        attributes = {**pick(request, *kind.naming), **kind.extra, "cause": refusal.cause}
        turn.record(f"{kind.name}Failed", attributes)
        turn.needs_decision = True


OPERATIONS = {"RespondDecisionTaskCompleted": respond_completed}
