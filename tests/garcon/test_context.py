"""The context of an execution."""

from __future__ import annotations

import pytest

from garcon import event
from garcon.context import ExecutionContext
from garcon.payload import codec
from tests.garcon.histories import History


def history() -> History:
    """An input, then results of which the second overwrites a key."""
    made = History({"a": 1, "b": 1})
    for name, result in (("x", {"b": 2, "c": 2}), ("y", {"c": 3}), ("z", [1])):
        made.scheduled(name)
        made.completed(f"{name}-1", result)
    return made


def test_results_are_merged_in_event_order() -> None:
    """The latest result of a key counts; a result that is not an object is not merged."""
    assert ExecutionContext(history().events) == {"a": 1, "b": 2, "c": 3}


def test_context_is_the_documented_dict_and_the_released_object() -> None:
    """Flows read it as a dictionary, or through ``current`` and ``workflow_input``."""
    context = event.get_current_context(history().events)
    assert isinstance(context, dict)
    assert context["c"] == context.current["c"] == 3
    assert context.workflow_input == {"a": 1, "b": 1}


def test_execution_info_comes_from_the_poll() -> None:
    """Activities get domain, run id and workflow id through the context."""
    context = ExecutionContext()
    context.set_workflow_execution_info(History().poll(), "domain")
    assert context == {
        "execution.domain": "domain",
        "execution.run_id": "run",
        "execution.workflow_id": "workflow",
    }


@pytest.mark.parametrize("text", ["[1, 2]", "no json"])
def test_input_that_is_not_an_object_is_refused(text: str) -> None:
    """A workflow that was started with another JSON value fails with a sentence."""
    with pytest.raises(codec.NotReadable, match="The workflow's input"):
        ExecutionContext(History(text).events)


def test_results_that_are_not_json_are_refused() -> None:
    """The error names the event of another program's result."""
    made = History()
    made.scheduled("x")
    made.completed("x-1", "plain text")
    with pytest.raises(codec.NotReadable, match="event 2"):
        ExecutionContext(made.events)


def test_execution_without_input_has_an_empty_context() -> None:
    """A missing input is an empty one."""
    assert ExecutionContext(History().events) == {}


def test_the_current_values_may_be_assigned() -> None:
    """As in 1.1.1; also from the context itself."""
    context = ExecutionContext(history().events)
    context.current = {"z": 1}
    assert context == {"z": 1}
    context.current = context
    assert context.current == {"z": 1}


@pytest.mark.parametrize("poll", [{}, {"workflowExecution": {"runId": "run"}}])
def test_a_poll_that_names_no_execution_adds_nothing(poll: dict[str, dict[str, str]]) -> None:
    """As in 1.1.1: the polls of users' tests are short."""
    context = ExecutionContext()
    context.set_workflow_execution_info(poll, "domain")
    assert context == {}
