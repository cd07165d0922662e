"""Base classes of messages: frozen values that carry their own name."""

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of all messages; the member ``type`` is the class's name."""


class Value(msgspec.Struct, frozen=True):
    """Base of the values that messages are made of."""
