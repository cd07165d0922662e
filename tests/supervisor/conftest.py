"""What several tests of the supervisor need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def service() -> Iterator[Metadata]:
    """An instance metadata service, ended afterwards."""
    with Metadata() as made:
        yield made
