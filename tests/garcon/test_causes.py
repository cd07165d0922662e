"""Every cause of SWF has its consequence."""

from __future__ import annotations

import pytest

from garcon import causes
from garcon.states import Impossible, Refusal
from tests.garcon.fakes import model

SHAPES = [name for name in model().shape_names if name.endswith("FailedCause")]
ALL = {cause for name in SHAPES for cause in model().shape_for(name).enum}  # type: ignore[attr-defined]


def test_every_cause_of_the_model_is_of_one_kind() -> None:
    """It passes, is moot, or is permanent with a cure."""
    kinds = (causes.PASSING, causes.MOOT, set(causes.CURES))
    assert set().union(*kinds) == ALL
    assert sum(len(kind) for kind in kinds) == len(ALL)


@pytest.mark.parametrize("cause", sorted(causes.CURES))
def test_permanent_causes_say_what_to_do(cause: str) -> None:
    """A sentence with the cause and the cure."""
    with pytest.raises(Impossible, match=cause) as caught:
        Refusal(cause).raise_for("the timer x")
    assert str(caught.value).endswith(causes.CURES[cause])


def test_passing_causes_are_no_errors_and_unknown_ones_are() -> None:
    """What SWF may learn one day must not be waited for for ever."""
    Refusal("OPEN_TIMERS_LIMIT_EXCEEDED").raise_for("the timer x")
    with pytest.raises(Impossible, match="documentation"):
        Refusal("NEW_CAUSE").raise_for("the timer x")
