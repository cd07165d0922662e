"""Requests to SWF are checked before they are sent."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims
from garcon.executions import InputNotSendable, RequestRefused, WorkflowError
from garcon.executions.request import StartOptions, check_id, start
from garcon.payload import codec

if TYPE_CHECKING:
    from pathlib import Path

FLOW = SimpleNamespace(domain="cafe", name="coffee", version="2.1")


def request(values: Any = None, tags: Any = (), **options: Any) -> dict[str, Any]:
    """The members of a start."""
    return start(FLOW, "order-17", {} if values is None else values, tags, StartOptions(**options))


def test_a_start_names_type_list_and_input() -> None:
    """Options that are not given are left out, so that the type's defaults hold."""
    assert request({"beans": "b"}) == {
        "domain": "cafe",
        "workflowId": "order-17",
        "workflowType": {"name": "coffee", "version": "2.1"},
        "taskList": {"name": "coffee"},
        "input": '{"beans": "b"}',
    }


def test_an_input_over_the_limit_names_its_largest_key() -> None:
    """32,768 characters of JSON are sent, one more is refused."""
    fits = {"k": "x" * (32_768 - len('{"k": ""}'))}
    assert len(request(fits)["input"]) == 32_768
    with pytest.raises(InputNotSendable, match=r"32,769 characters.*largest key is 'k'"):
        request({"k": fits["k"] + "x"})


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([], "a list"),
        ([1], "a list"),
        ((), "a list"),
        ("", "a text"),
        ("text", "a text"),
        (0, "a number"),
        (7.5, "a number"),
        (False, "a boolean"),
        (b"{}", "of the type bytes"),
    ],
)
def test_an_input_is_an_object(values: Any, name: str) -> None:
    """Deciders read its members by name, so anything else is refused, also if it is empty."""
    with pytest.raises(InputNotSendable, match=f"order-17 is not an object but {name}"):
        request(values)


def test_an_input_is_json() -> None:
    """The error names the key of a value that JSON cannot express."""
    for value in (object(), math.nan, math.inf):
        with pytest.raises(InputNotSendable, match="key 'when'"):
            request({"when": value})


def test_a_long_input_goes_to_the_claim_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SWF gets a claim; a claim store that does not answer is a transient error."""
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}")
    text = request({"k": "x" * 40_000})["input"]
    assert len(text) < 200
    assert codec.decode(text, "it") == {"k": "x" * 40_000}
    (tmp_path / "no-folder").touch()
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}/no-folder")
    with pytest.raises(RequestRefused) as caught:
        request({"k": "x" * 40_000})
    assert caught.value.transient


def test_five_tags_are_sent_and_six_are_refused() -> None:
    """So are an empty tag, one of more than 256 characters, and a text in place of a list."""
    assert request(tags=list("abcde"))["tagList"] == list("abcde")
    for tags in (list("abcdef"), ["x" * 257], [""], "text"):
        with pytest.raises(InputNotSendable, match=r"[Tt]ag"):
            request(tags=tags)


@pytest.mark.parametrize(
    ("tags", "options", "sent"),
    [
        (None, {}, (["tour"], "7")),
        ([], {"priority": 0}, (None, "0")),
        (["mine"], {"priority": -1}, (["mine"], "-1")),
    ],
)
def test_tags_and_priority_of_the_flow_are_the_default(
    tags: Any, options: dict[str, Any], sent: Any
) -> None:
    """Those of the start win, also if they are empty or 0."""
    flow = SimpleNamespace(**vars(FLOW), tags=["tour"], priority=7)
    members = start(flow, "order-17", {}, tags, StartOptions(**options))
    assert (members.get("tagList"), members.get("taskPriority")) == sent


def test_other_names_of_a_module_are_not_tags_or_a_priority() -> None:
    """A flow is often a module, which may have a function called ``tags``."""
    flow = SimpleNamespace(**vars(FLOW), tags=print, priority="high")
    members = start(flow, "order-17", {}, None, StartOptions())
    assert not {"tagList", "taskPriority"} & members.keys()


def test_options_are_sent_as_swf_writes_them() -> None:
    """Seconds are rounded up, and a priority of 0 is sent."""
    found = request(timeout=1.2, decision_timeout=30, child_policy="ABANDON", priority=0)
    assert found["executionStartToCloseTimeout"] == "2"
    assert found["taskStartToCloseTimeout"] == "30"
    assert (found["childPolicy"], found["taskPriority"]) == ("ABANDON", "0")


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_a_timeout_is_a_finite_number_above_zero(seconds: float) -> None:
    """The sentence names the option and its value."""
    with pytest.raises(InputNotSendable, match=f"The timeout is .* above 0, not {seconds!r}"):
        request(timeout=seconds)
    with pytest.raises(InputNotSendable, match="The decision timeout"):
        request(decision_timeout=seconds)


@pytest.mark.parametrize("priority", [2**31, -(2**31) - 1])
def test_a_priority_has_32_bits(priority: int) -> None:
    """SWF would refuse any other."""
    with pytest.raises(InputNotSendable, match=f"not {priority}"):
        request(priority=priority)


def test_an_unknown_child_policy_is_refused() -> None:
    """The sentence lists the valid ones."""
    with pytest.raises(InputNotSendable, match="TERMINATE, REQUEST_CANCEL, ABANDON, not 'KILL'"):
        request(child_policy="KILL")


@pytest.mark.parametrize("workflow_id", ["", "a:b", "a/b", "a|b", "a\nb", "x" * 257])
def test_an_invalid_workflow_id_is_refused(workflow_id: str) -> None:
    """An empty id comes from a variable that is not set, and must not become a generated one."""
    with pytest.raises(InputNotSendable, match="is invalid"):
        check_id(workflow_id)
    assert check_id("order-17") == "order-17"


def test_a_refused_input_is_an_error_of_two_kinds() -> None:
    """Callers catch it with garcon's other errors, or as the ``ValueError`` that it is."""
    assert issubclass(InputNotSendable, WorkflowError)
    assert issubclass(InputNotSendable, ValueError)
