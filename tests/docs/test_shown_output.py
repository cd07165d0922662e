"""Output of commands that need no service, shown on the pages for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.following import Follower
from tests.docs.pages import DOCS, blocks_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.processes
def test_check_prints_what_the_page_shows(tmp_path: Path) -> None:
    """The page on running shows the present output of ``--check``."""
    blocks = [each for each in blocks_of(DOCS / "running.md") if " --check " in each.text]
    assert len(blocks) == 1
    with Follower(tmp_path, {}) as reader:
        del reader.environment["GARCON_CONTROL"]  # it would be a setting that is given
        reader.follow(blocks[0])
