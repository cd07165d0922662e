"""The kit's Grafana board, Prometheus rules and CloudWatch alarms, made from the metric table.

``python -m tests.boards`` writes them to ``examples/deploy``, and prints the table of alarms that
the documentation has.
"""
