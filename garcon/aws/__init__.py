"""Calls to AWS: retries, throttles, limits, and explanations of errors."""
