"""Whatever is done to an engine, in whatever order, the laws hold."""

from random import Random

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.garcon.local.engine.play import MOVES, NOT_ARISING, Play
from tests.garcon.local.shapes import model


class Machine(RuleBasedStateMachine):
    """Hypothesis looks for the fewest moves that break a law.

    One rule plays all moves, and each draws one number for what it does in detail, which is not
    made simpler: rules of their own that draw every part leave most plays short and poor.
    """

    def __init__(self) -> None:
        super().__init__()
        self.play = Play()

    @rule(move=st.sampled_from(MOVES), chance=st.randoms(use_true_random=True))
    def move(self, move: str, chance: Random) -> None:
        self.play.move(move, chance)

    @invariant()
    def the_laws_hold(self) -> None:
        self.play.check()

    def teardown(self) -> None:
        self.play.end()


TestPlay = Machine.TestCase
TestPlay.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_plays_lead_to_every_type_of_event() -> None:
    """The laws hold in long plays too, and there is no event that they were not held against."""
    reached: set[str] = set()
    for seed in range(60):
        play, chance = Play(), Random(seed)
        for _ in range(80):
            play.move(chance.choice(MOVES), chance)
            play.check()
        play.end()
        reached |= play.event_types()
    assert set(model().shape_for("EventType").metadata["enum"]) - reached == NOT_ARISING
