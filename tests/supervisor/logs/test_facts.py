"""A line of text shows no fact twice, and loses none."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.logs.facts import shown_facts


@pytest.mark.parametrize(
    ("sentence", "facts", "left"),
    [
        ("shop_make: 3 workers are desired.", {"task_list": "shop_make", "workers": 3}, []),
        ("Generation 3 is active.", {"generation": 3}, []),
        ("Drained: of 3 tasks 2 finished.", {"tasks": 3, "finished": 2, "died": 0}, ["died=0"]),
        ("Event 7 of workflow w-1 differs.", {"event_id": 7, "workflow_id": "w-1"}, []),
        ("Recovered after 3.2 s.", {"seconds": 3.214}, []),
        ("Recovered after 3.2 s.", {"seconds": 9.5}, ["seconds=9.5"]),
        ("Worker 3 died: killed.", {"cause": "killed", "kind": "signal"}, ["kind=signal"]),
    ],
)
def test_a_fact_in_the_sentence_is_left_out(
    sentence: str, facts: dict[str, Any], left: list[str]
) -> None:
    """A text in the sentence, a number beside its name and a duration in seconds are shown once."""
    assert list(shown_facts(sentence, facts)) == left


@pytest.mark.parametrize(
    ("sentence", "facts", "left"),
    [
        ("Workflow shop-17 failed.", {"task_list": "shop"}, "task_list=shop"),
        ("Of 13 tasks one died.", {"tasks": 3}, "tasks=3"),
        ("Worker 3 died.", {"generation": 3}, "generation=3"),
        ("It is on.", {"protected": True}, "protected=True"),
        ("shopping", {"task_list": "shop"}, "task_list=shop"),
    ],
)
def test_a_likeness_is_no_repetition(sentence: str, facts: dict[str, Any], left: str) -> None:
    """A part of a word and a number with another name do not replace a fact."""
    assert list(shown_facts(sentence, facts)) == [left]


def test_a_fact_within_an_earlier_one_is_left_out() -> None:
    """The slot names its task list."""
    facts = {"slot": "make/0", "task_list": "make", "activity_id": "make-1"}
    assert list(shown_facts("Working.", facts)) == ["slot=make/0", "activity_id=make-1"]


def test_facts_for_programs_are_not_in_text() -> None:
    """The name of an event and the reason, which the sentence has in words, are for JSON."""
    assert not list(shown_facts("Draining: SIGTERM.", {"event": "draining", "why": "a signal"}))


def test_values_with_spaces_are_quoted() -> None:
    """A reader can see where a value ends; run ids with ``=`` stay as they are."""
    facts = {"cause": 'a "b"', "run_id": "22k/XbP="}
    assert list(shown_facts("", facts)) == ['cause="a \\"b\\""', "run_id=22k/XbP="]
