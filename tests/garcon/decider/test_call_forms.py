"""The forms in which deciders are written, and in which the documented methods are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from garcon.decider import DeciderWorker
from tests.garcon.fakes import FakeSwf
from tests.garcon.flows import flow, make, scheduled
from tests.garcon.histories import History

if TYPE_CHECKING:
    from collections.abc import Callable

A = make("a")


def keywords(**given: Any) -> None:
    """A decider that takes whatever is given by name."""
    given["schedule"]("x", A)


def only_by_name(*, schedule: Any) -> None:
    """A decider whose one parameter has to be named."""
    schedule("x", A)


DECIDERS: dict[str, Callable[..., Any]] = {
    "the context first": lambda context, schedule: schedule(context["id"], A),
    "another name first": lambda given, schedule: schedule(given["id"], A),
    "both by name": lambda *, context, schedule: schedule(context["id"], A),
    "keywords": keywords,
    "only by name": only_by_name,
}


@pytest.mark.parametrize("decider", DECIDERS.values(), ids=list(DECIDERS))
def test_a_parameter_called_schedule_gets_the_schedule_wherever_it_stands(decider: Any) -> None:
    """As in 1.1.1, which gives both by name."""
    worker = DeciderWorker(flow(a=A, decider=decider), register=False)
    assert scheduled(worker.decide(History({"id": "x"}).poll())) == ["flow_a-1-x"]


POLL = History().poll()


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ((POLL,), {}),
        (("me", POLL), {}),
        ((None, POLL), {}),
        ((), {"poll": POLL}),
        (("me",), {"poll": POLL}),
        ((POLL,), {"identity": "me"}),
        ((), {"identity": "me", "poll": POLL}),
    ],
)
def test_get_history_is_called_by_place_and_by_name(args: Any, options: Any) -> None:
    """In the documented form, and in the released one."""
    worker = DeciderWorker(flow(a=A), register=False)
    assert worker.get_history(*args, **options) == POLL["events"]


@pytest.mark.parametrize(
    ("args", "options"),
    [((), {}), ((), {"identity": "me"}), ((1, 2, 3), {}), ((POLL,), {"size": 5})],
)
def test_other_arguments_of_get_history_are_answered_with_its_forms(
    args: Any, options: Any
) -> None:
    """One sentence says how it is called."""
    worker = DeciderWorker(flow(a=A), register=False)
    with pytest.raises(TypeError, match=r"get_history\(poll\) and get_history\(identity, poll\)"):
        worker.get_history(*args, **options)


def test_a_poll_of_a_mock_client_may_name_no_execution() -> None:
    """A user's test prepares a token and events; the task is decided and answered."""
    swf = FakeSwf()
    poll = History().poll()
    swf.prepare("poll_for_decision_task", {"taskToken": "token", "events": poll["events"]})
    assert DeciderWorker(flow(swf, a=A), register=False).run()
    (answer,) = swf.requests("respond_decision_task_completed")
    assert scheduled(answer["decisions"]) == ["flow_a-1"]


def test_a_version_of_none_is_the_default() -> None:
    """A flow may have the attribute and not use it."""
    assert DeciderWorker(flow(a=A, version=None), register=False).version == "1.0"
