"""The causes of refused decisions, and their consequences."""

from __future__ import annotations

import pytest

from garcon.history import decision_failures
from garcon.history.states import Impossible, Refusal
from tests.garcon.fakes import model

SHAPES = [name for name in model().shape_names if name.endswith("FailedCause")]
ALL = {cause for name in SHAPES for cause in model().shape_for(name).enum}  # type: ignore[attr-defined]


def test_every_cause_of_the_model_is_of_one_kind() -> None:
    """It is transient, moot, or permanent with a cure."""
    kinds = (decision_failures.TRANSIENT, decision_failures.MOOT, set(decision_failures.CURES))
    assert set().union(*kinds) == ALL
    assert sum(len(kind) for kind in kinds) == len(ALL)


@pytest.mark.parametrize("cause", sorted(decision_failures.CURES))
def test_permanent_causes_say_what_to_do(cause: str) -> None:
    """The sentence has the cause and the cure."""
    with pytest.raises(Impossible, match=cause) as caught:
        Refusal(cause).raise_for("the timer x")
    assert str(caught.value).endswith(decision_failures.CURES[cause])


def test_transient_causes_are_not_errors_and_unknown_ones_are() -> None:
    """A cause that SWF may add must not be waited for forever."""
    Refusal("OPEN_TIMERS_LIMIT_EXCEEDED").raise_for("the timer x")
    with pytest.raises(Impossible, match="documentation"):
        Refusal("NEW_CAUSE").raise_for("the timer x")
