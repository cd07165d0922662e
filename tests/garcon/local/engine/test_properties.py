"""The invariants of the engine, after any inputs in any order."""

from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.garcon.local.engine.state_machine import STEPS, UNREACHABLE, RandomRun
from tests.garcon.local.shapes import model

pytestmark = pytest.mark.slow


class Machine(RuleBasedStateMachine):
    """The search of hypothesis for the fewest steps that break an invariant.

    One rule carries out all steps, and each step draws one random generator for its details, which
    is not simplified: separate rules that draw every detail leave most runs short and poor.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run = RandomRun()

    @rule(name=st.sampled_from(STEPS), chance=st.randoms(use_true_random=True))
    def step(self, name: str, chance: Random) -> None:
        self.run.step(name, chance)

    @invariant()
    def the_invariants_hold(self) -> None:
        self.run.check()

    def teardown(self) -> None:
        self.run.end()


TestRandomRuns = Machine.TestCase
TestRandomRuns.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_random_runs_reach_every_type_of_event() -> None:
    """The invariants hold in long runs too, and are checked with every type of event."""
    reached: set[str] = set()
    for seed in range(60):
        run, chance = RandomRun(), Random(seed)
        for _ in range(80):
            run.step(chance.choice(STEPS), chance)
            run.check()
        run.end()
        reached |= run.event_types()
    assert set(model().shape_for("EventType").metadata["enum"]) - reached == UNREACHABLE
