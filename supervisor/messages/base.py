"""What every message is: a frozen value that carries its own name."""

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of everything that is said; told apart by ``type``."""


class Value(msgspec.Struct, frozen=True):
    """Base of what messages are made of."""
