"""The table of mutations fits the source."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.mutation.table import MUTATIONS

if TYPE_CHECKING:
    from tests.mutation.mutation import Mutation

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_changes_one_place_of_its_file(mutation: Mutation) -> None:
    """A change of that place needs a change of the table: otherwise nothing is measured there."""
    source = (ROOT / mutation.file).read_text(encoding="utf-8")
    compile(mutation.apply(source), mutation.file, "exec")


def test_mutations_have_different_names() -> None:
    """The report names them."""
    names = Counter((mutation.file, mutation.name) for mutation in MUTATIONS)
    assert [name for name, number in names.items() if number > 1] == []


def test_the_tests_of_a_mutation_exist() -> None:
    """Files and folders alike: one without tests would pass for one whose tests pass."""
    paths = {ROOT / path for mutation in MUTATIONS for path in mutation.tests}
    assert [
        path for path in paths if not path.is_file() and not list(path.glob("**/test_*.py"))
    ] == []
