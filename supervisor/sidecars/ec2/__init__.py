"""The ``ec2`` sidecar: notices of the instance's end, and service to its auto scaling group.

``imds`` reads the instance metadata, ``metadata_poller`` repeats that, and ``notices`` derives log
lines and drain orders from it. ``lifecycle_hook`` and ``scale_in_protection`` decide when the auto
scaling group is called, ``asg_api`` calls it, and ``asg`` holds the three together. ``__main__`` is
the process, and ``inbox`` receives what the supervisor sends it.
"""
