"""The public API as mypy and an editor see it."""
