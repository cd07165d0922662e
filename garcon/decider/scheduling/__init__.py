"""The ``schedule`` object that a flow's own decider is called with, and its parts."""
