"""What is asked of SWF is checked before it is sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from garcon import claims, payload
from garcon.workflow import NotSendable, Refused, WorkflowError
from garcon.workflow.request import Options, start

if TYPE_CHECKING:
    from pathlib import Path

FLOW = SimpleNamespace(domain="cafe", name="coffee", version="2.1")


def request(values: Any = None, tags: Any = (), **options: Any) -> dict[str, Any]:
    """A start's members."""
    return start(FLOW, "order-17", {} if values is None else values, tags, Options(**options))


def test_a_start_names_type_list_and_input() -> None:
    """What is not said is left out, so that the type's own settings hold."""
    assert request({"beans": "b"}) == {
        "domain": "cafe",
        "workflowId": "order-17",
        "workflowType": {"name": "coffee", "version": "2.1"},
        "taskList": {"name": "coffee"},
        "input": '{"beans": "b"}',
    }


def test_an_input_over_the_limit_names_its_largest_key() -> None:
    """32,768 characters of JSON are sent, one more is not."""
    fits = {"k": "x" * (32_768 - len('{"k": ""}'))}
    assert len(request(fits)["input"]) == 32_768
    with pytest.raises(NotSendable, match=r"32,769 characters.*largest key is 'k'"):
        request({"k": fits["k"] + "x"})


@pytest.mark.parametrize("values", [[1], "text", 7])
def test_an_input_is_a_dictionary(values: Any) -> None:
    """A decider reads its members by name."""
    with pytest.raises(NotSendable, match="order-17 must be a dictionary"):
        request(values)


def test_an_input_is_json() -> None:
    """The sentence names the key."""
    with pytest.raises(NotSendable, match="key 'when'"):
        request({"when": object()})


def test_a_long_input_goes_to_the_claim_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SWF gets a claim; a store that does not answer is a trouble that passes."""
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}")
    text = request({"k": "x" * 40_000})["input"]
    assert len(text) < 200
    assert payload.decode(text, "it") == {"k": "x" * 40_000}
    (tmp_path / "no-folder").touch()
    monkeypatch.setenv(claims.ENVIRONMENT, f"file:{tmp_path}/no-folder")
    with pytest.raises(Refused) as caught:
        request({"k": "x" * 40_000})
    assert caught.value.passing


def test_five_tags_are_sent_and_six_are_not() -> None:
    """So are 256 characters a tag."""
    assert request(tags=list("abcde"))["tagList"] == list("abcde")
    for tags in (list("abcdef"), ["x" * 257], [""], "text"):
        with pytest.raises(NotSendable, match=r"[Tt]ag"):
            request(tags=tags)


@pytest.mark.parametrize(
    ("tags", "options", "sent"),
    [
        (None, {}, (["tour"], "7")),
        ([], {"priority": 0}, (None, "0")),
        (["mine"], {"priority": -1}, (["mine"], "-1")),
    ],
)
def test_a_flow_has_tags_and_a_priority_for_all_its_executions(
    tags: Any, options: dict[str, Any], sent: Any
) -> None:
    """What the start says wins."""
    flow = SimpleNamespace(**vars(FLOW), tags=["tour"], priority=7)
    members = start(flow, "order-17", {}, tags, Options(**options))
    assert (members.get("tagList"), members.get("taskPriority")) == sent


def test_names_of_a_modules_own_are_no_tags_and_no_priority() -> None:
    """A flow is often a module, which may have a function called so."""
    flow = SimpleNamespace(**vars(FLOW), tags=print, priority="high")
    members = start(flow, "order-17", {}, None, Options())
    assert not {"tagList", "taskPriority"} & members.keys()


def test_options_are_sent_as_swf_writes_them() -> None:
    """Seconds are rounded up; 0 is a number and not nothing."""
    found = request(timeout=1.2, decision_timeout=30, child_policy="ABANDON", priority=0)
    assert found["executionStartToCloseTimeout"] == "2"
    assert found["taskStartToCloseTimeout"] == "30"
    assert (found["childPolicy"], found["taskPriority"]) == ("ABANDON", "0")


def test_an_unknown_child_policy_is_refused() -> None:
    """The sentence has those that there are."""
    with pytest.raises(NotSendable, match="TERMINATE, REQUEST_CANCEL, ABANDON, not 'KILL'"):
        request(child_policy="KILL")


def test_what_cannot_be_sent_is_an_error_of_both_kinds() -> None:
    """Callers catch it with the others, or as the wrong value that it is."""
    assert issubclass(NotSendable, WorkflowError)
    assert issubclass(NotSendable, ValueError)
