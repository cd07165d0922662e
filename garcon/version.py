"""The version, in a module of its own so that importing it imports nothing else."""

VERSION = "2.0.0.dev0"
