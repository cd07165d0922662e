"""The response of a decider: its decisions, one module for each group, and a table of all."""
