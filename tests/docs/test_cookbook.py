"""The cookbook: its files, sessions and commands do what the page shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.docs.following import Follower
from tests.docs.pages import DOCS, blocks_of

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = blocks_of(DOCS / "cookbook.md")


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.timeout(600)  # ten seconds on a quiet machine
def test_the_cookbook_runs(tmp_path: Path) -> None:
    """Every file, session and command of the cookbook does what the page shows."""
    with Follower(tmp_path, {}) as reader:
        for block in BLOCKS:
            reader.follow(block)


def test_the_scheduler_s_request_is_one_that_swf_takes() -> None:
    """The input of the schedule is a StartWorkflowExecution, with capitals."""
    [request] = [json.loads(each.text) for each in BLOCKS if each.title == "nightly.json"]
    model = botocore.session.get_session().get_service_model("swf")
    shape: Any = model.operation_model("StartWorkflowExecution").input_shape
    report = ParamValidator().validate(_uncapitalised(request), shape)
    assert not report.has_errors(), report.generate_report()


def _uncapitalised(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key[0].lower() + key[1:]: _uncapitalised(each) for key, each in value.items()}
