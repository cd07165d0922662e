"""The prefixes of reasons, and how they are read."""

from __future__ import annotations

import pytest

from garcon import reasons


@pytest.mark.parametrize("prefix", sorted(reasons.PREFIXES))
def test_a_prefix_is_read_from_a_reason(prefix: str) -> None:
    """Each prefix is found at the head of a reason, before a colon."""
    assert reasons.prefix_of(f"{prefix}: killed by SIGKILL") == prefix


@pytest.mark.parametrize("reason", [None, "", "WorkerDied", "raised: WorkerDied: no"])
def test_other_reasons_have_none(reason: str | None) -> None:
    """A task's own words are not taken for the supervisor's."""
    assert reasons.prefix_of(reason) is None
