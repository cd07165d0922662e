"""Processes that import the flow: the zygote, and the workers and startup jobs that it forks."""
