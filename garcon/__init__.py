"""Workflows on Amazon SWF: activities made of tasks, and a decider that knows what comes next.

``activity`` makes activities, ``task`` and ``runner`` say what they do, ``decider`` orders them.
The reference is ``docs/reference.md``.
"""

__version__ = "2.0.0.dev0"
