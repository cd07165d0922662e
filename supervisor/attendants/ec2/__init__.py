"""The ``ec2`` attendant: what the instance is told of its end, and what its group waits for.

``imds`` reads the instance's metadata, ``lookout`` looks again and again, ``notices`` decides what
is to be said. ``hook`` and ``protection`` decide when the auto scaling group is called,
``autoscaling`` calls it, and ``group`` holds the three together. ``__main__`` is the process.
"""
