"""Requests of the control socket that say two things, or nothing, are refused."""

from __future__ import annotations

import pytest

from supervisor.ipc.messages.control_protocol import InvalidRequest, parse_request


@pytest.mark.parametrize("rest", ["", ', "size": 4, "by": 1'])
def test_scale_takes_either_a_size_or_a_difference(rest: str) -> None:
    """One of the two would be lost without a word."""
    line = '{"v": 1, "request": "scale", "list": "make"' + rest + "}"
    with pytest.raises(InvalidRequest, match="scale takes either size or by"):
        parse_request(line.encode())
