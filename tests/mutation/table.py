"""All mutations."""

from __future__ import annotations

from tests.mutation import child_table, parent_table

MUTATIONS = (*parent_table.MUTATIONS, *child_table.MUTATIONS)
