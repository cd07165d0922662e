"""The vocabulary of an execution's history: events, states, failures, what a new run inherits."""
