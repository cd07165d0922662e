"""Units of CloudWatch's metrics."""

COUNT, BYTES, SECONDS, PERCENT = "Count", "Bytes", "Seconds", "Percent"

Values = dict[str, tuple[float, str]]
"""Metrics by name: value and unit."""
