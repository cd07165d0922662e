"""Sticky deciders: an execution's decision tasks come back to the process that knows its state."""
