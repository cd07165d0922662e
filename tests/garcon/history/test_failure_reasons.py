"""The prefixes of failure reasons."""

from __future__ import annotations

import pytest

from garcon.history import failure_reasons


@pytest.mark.parametrize("prefix", sorted(failure_reasons.PREFIXES))
def test_a_prefix_is_read_from_a_reason(prefix: str) -> None:
    """Each prefix is found at the beginning of a reason, before a colon."""
    assert failure_reasons.prefix_of(f"{prefix}: killed by SIGKILL") == prefix


@pytest.mark.parametrize("reason", [None, "", "WorkerDied", "raised: WorkerDied: no"])
def test_other_reasons_have_no_prefix(reason: str | None) -> None:
    """A task's own words are not taken for the supervisor's."""
    assert failure_reasons.prefix_of(reason) is None
