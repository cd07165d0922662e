"""Keeps a pool of Amazon SWF decider and activity workers alive on one host.

Start it with ``python -m supervisor --flow myflow --workers 8``; ``docs/architecture.md`` draws it.
"""

__version__ = "2.0.0.dev0"
